package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

func TestMigrateInstallsTheNewestVersion(t *testing.T) {
	t.Parallel()
	db := openAt(t, servers.EmptyPostgres(t))
	current, newest, err := db.Version(t.Context())
	require.NoError(t, err)
	require.Zero(t, current)
	require.Positive(t, newest)
	require.NoError(t, db.Migrate(t.Context()))
	current, _, err = db.Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, newest, current)
}

func TestMigrateIsIdempotent(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	guard := adopt(t, db, booking.NewTrainID())
	require.NoError(t, db.Migrate(t.Context()))
	epoch, err := persistencetest.Epoch(t.Context(), db, guard.Train)
	require.NoError(t, err)
	require.Equal(t, guard.Epoch, epoch)
}

func TestConcurrentMigrationsSucceed(t *testing.T) {
	t.Parallel()
	url := servers.EmptyPostgres(t)
	const n = 6
	var failed [n]<-chan error
	for i := range failed {
		db := openAt(t, url)
		failed[i] = inBackground(func() error { return db.Migrate(t.Context()) })
	}
	for _, err := range failed {
		require.NoError(t, <-err)
	}
	require.NoError(t, openAt(t, url).CreateTrain(t.Context(), booking.Train{ID: booking.NewTrainID()}))
}

func TestMigrateWaitsForAnother(t *testing.T) {
	t.Parallel()
	url := servers.EmptyPostgres(t)
	db, other := openAt(t, url), connect(t, url)
	other.do(`SELECT pg_advisory_lock($1)`, postgres.MigrationLock)
	ctx, cancel := context.WithCancel(t.Context())
	migrated := inBackground(func() error { return db.Migrate(ctx) })
	cancel()
	require.ErrorIs(t, <-migrated, context.Canceled)
	migrated = inBackground(func() error { return db.Migrate(t.Context()) })
	current, _, err := db.Version(t.Context())
	require.NoError(t, err)
	require.Zero(t, current)
	other.do(`SELECT pg_advisory_unlock($1)`, postgres.MigrationLock)
	require.NoError(t, <-migrated)
}

func TestMigrationUsesItsOwnURL(t *testing.T) {
	t.Parallel()
	direct := servers.EmptyPostgres(t)
	pooler := newProxy(t, direct)
	options := quiet
	options.MigrateURL = direct
	db, err := postgres.Open(t.Context(), pooler.url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	pooler.close()
	require.NoError(t, db.Migrate(t.Context()))
}
