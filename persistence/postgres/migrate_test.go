package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
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

// TestEarlierVersionWritesUsers executes the statements of the version before users could be disabled,
// which runs beside this one during an upgrade.
func TestEarlierVersionWritesUsers(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db, old := openAt(t, url), connect(t, url)
	want := booking.User{ID: uuid.New(), Username: "Asha", Email: "asha@example.org", PasswordHash: "h", CreatedAt: now()}
	old.do(`
		INSERT INTO users (id, username, email, password_hash, is_admin, created_at, username_folded, email_folded)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		[16]byte(want.ID), want.Username, want.Email, want.PasswordHash, want.IsAdmin, want.CreatedAt, "asha", "asha@example.org")
	got, err := db.FindUserByName(t.Context(), "asha")
	require.NoError(t, err)
	require.Equal(t, want, got)

	require.NoError(t, db.DeleteUser(t.Context(), want.ID, now()))
	require.Zero(t, old.count(`SELECT count(*) FROM users WHERE username_folded = $1`, "asha"))
	require.Equal(t, 1, old.count(`
		SELECT count(*) FROM users WHERE username = '' AND email = '' AND password_hash = '' AND NOT is_admin`))
}

// TestTokenThatAnEarlierVersionUsedHasNoSuccessor executes the statements of the version before used
// tokens had successors.
func TestTokenThatAnEarlierVersionUsedHasNoSuccessor(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db, old := openAt(t, url), connect(t, url)
	_, token := createUser(t, db)
	next := token
	next.ID, next.IssuedAt = uuid.New(), now()
	old.do(`UPDATE refresh_tokens SET spent_at = $2 WHERE id = $1`, [16]byte(token.ID), now())
	old.do(`INSERT INTO refresh_tokens (id, user_id, family, expires_at) VALUES ($1, $2, $3, $4)`,
		[16]byte(next.ID), [16]byte(next.User), [16]byte(next.Family), next.ExpiresAt)
	for _, used := range []uuid.UUID{token.ID, next.ID} { // the reuse of the first revokes the second
		following := next
		following.ID = uuid.New()
		_, err := db.RotateRefreshToken(t.Context(), used, following)
		require.Equal(t, booking.CodeUnauthenticated, booking.CodeOf(err))
	}
}

// TestBookingThatAnEarlierVersionCancelledHasOnlyItsOwnTrain executes the statement of the version before
// cancelled bookings kept their trains. The booking is shown with the present train until that changes.
func TestBookingThatAnEarlierVersionCancelledHasOnlyItsOwnTrain(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db, old := openAt(t, url), connect(t, url)
	guard := adopt(t, db, booking.NewTrainID())
	sale := saleOf(guard, 1)
	require.NoError(t, bookOne(t.Context(), db, sale))
	want := sale.Booking
	want.CancelledAt = now()
	old.do(`UPDATE bookings SET cancelled_at = $2 WHERE id = $1`, [16]byte(want.ID), want.CancelledAt)
	found, err := db.FindBookedTrain(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, found.Booking)
	require.Equal(t, guard.Train, found.On.ID)

	changed := *found.On
	changed.Stops, changed.UpdatedAt = changed.Stops[1:], want.CancelledAt.Add(time.Second)
	require.NoError(t, db.ChangeTrain(t.Context(), guard, changed))
	page, err := db.UserBookings(t.Context(), want.User, booking.PageRequest{Cancelled: true})
	require.NoError(t, err)
	require.Equal(t, []booking.BookedTrain{{Booking: want}}, page.Items)
}
