package postgres_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

func TestStore(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseStore(t, func(t *testing.T) persistence.Store {
		t.Helper()
		return openNew(t)
	})
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseSchedules(t, func(t *testing.T) persistence.Store {
		t.Helper()
		return openNew(t)
	})
}

// openNew opens an empty, migrated database.
func openNew(tb testing.TB) *postgres.DB {
	tb.Helper()
	return openAt(tb, servers.Postgres(tb))
}

// openAt opens the database at url.
func openAt(tb testing.TB, url string) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(tb.Context(), url, quiet)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// quiet discards the warning that the test server runs with fsync off.
var quiet = postgres.Options{Logger: slog.New(slog.DiscardHandler)}

// adopt adopts the train for a new activation, and creates it first if necessary.
func adopt(tb testing.TB, db *postgres.DB, id booking.TrainID) persistence.Guard {
	tb.Helper()
	err := db.CreateTrain(tb.Context(), booking.Train{
		ID: id, Name: "Rajdhani", Capacity: booking.MaxCapacity, OnSale: true, CreatedAt: now(), UpdatedAt: now(),
		Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Jaipur"}, {Station: "Mumbai"}},
	})
	if err != nil {
		require.ErrorIs(tb, err, persistence.ErrExists)
	}
	return adoptStored(tb, db, id)
}

// adoptStored adopts a train that the store has.
func adoptStored(tb testing.TB, db *postgres.DB, id booking.TrainID) persistence.Guard {
	tb.Helper()
	old, err := persistencetest.Epoch(tb.Context(), db, id)
	require.NoError(tb, err)
	guard := persistence.Guard{Train: id, Owner: uuid.New()}
	guard.Epoch, err = persistencetest.Adopt(tb.Context(), db, id, old, guard.Owner)
	require.NoError(tb, err)
	return guard
}

// saleOf returns a sale of seats to a new user.
func saleOf(guard persistence.Guard, seats ...int) persistence.Sale {
	return persistence.Sale{Guard: guard, Booking: booking.Booking{
		ID: uuid.New(), Train: guard.Train, User: uuid.New(), Legs: booking.Segment(0, 2), Seats: seats, BookedAt: now(),
	}}
}

// createUser adds a user with one refresh token.
func createUser(tb testing.TB, db *postgres.DB) (booking.User, booking.RefreshToken) {
	tb.Helper()
	user := booking.User{ID: uuid.New(), Username: "u", Email: "e@example.org", PasswordHash: "h", CreatedAt: now()}
	require.NoError(tb, db.CreateUser(tb.Context(), user))
	token := booking.RefreshToken{ID: uuid.New(), Family: uuid.New(), User: user.ID, ExpiresAt: now().Add(time.Hour)}
	require.NoError(tb, db.SaveRefreshToken(tb.Context(), token))
	return user, token
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
