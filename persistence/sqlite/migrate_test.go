package sqlite_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/sqlite"
)

func TestMigrateInstallsTheNewestVersion(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
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

// TestOpenMigrateAndCloseAreSafeConcurrently includes the moments in which SQLite does not wait:
// the first connection creates the WAL, and the last one removes it.
func TestOpenMigrateAndCloseAreSafeConcurrently(t *testing.T) {
	t.Parallel()
	for range 5 {
		const n = 6
		dir, failed := t.TempDir(), make(chan error)
		for range n {
			go func() {
				db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
				if err == nil {
					err = errors.Join(db.Migrate(t.Context()), db.Ping(t.Context()), db.Close())
				}
				failed <- err
			}()
		}
		for range n {
			require.NoError(t, <-failed)
		}
	}
}
