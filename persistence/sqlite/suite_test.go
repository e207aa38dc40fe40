package sqlite_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/sqlite"
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

// began is when the tests began. The holds of the suite end some minutes later, perhaps before its end.
var began = now()

func TestHolds(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseHolds(t, func(t *testing.T) persistencetest.FencedHolds {
		t.Helper()
		clock := began
		db := openAt(t, &clock)
		return persistencetest.FencedHolds{Holds: db, Adopt: func(t *testing.T, id booking.TrainID) persistence.Guard {
			t.Helper()
			return adopt(t, db, id)
		}, Count: func(t *testing.T) int {
			t.Helper()
			rows, err := db.Count(t.Context(), "(SELECT id FROM holds UNION ALL SELECT id FROM ended_holds)")
			require.NoError(t, err)
			return rows
		}}
	})
}

// openNew opens an empty, migrated database.
func openNew(tb testing.TB) *sqlite.DB {
	tb.Helper()
	return openIn(tb, tb.TempDir())
}

// openIn opens and migrates the database in dir.
func openIn(tb testing.TB, dir string) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), dir, sqlite.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	require.NoError(tb, db.Migrate(tb.Context()))
	return db
}

// adopt adopts the train for a new activation, and creates it first if necessary.
func adopt(tb testing.TB, db *sqlite.DB, id booking.TrainID) persistence.Guard {
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
func adoptStored(tb testing.TB, db *sqlite.DB, id booking.TrainID) persistence.Guard {
	tb.Helper()
	old, err := persistencetest.Epoch(tb.Context(), db, id)
	require.NoError(tb, err)
	guard := persistence.Guard{Train: id, Owner: uuid.New()}
	guard.Epoch, err = persistencetest.Adopt(tb.Context(), db, id, old, guard.Owner)
	require.NoError(tb, err)
	return guard
}

// saleOf returns a sale of one seat to a new user.
func saleOf(guard persistence.Guard, seat int) persistence.Sale {
	return persistence.Sale{Guard: guard, Booking: booking.Booking{
		ID: uuid.New(), Train: guard.Train, User: uuid.New(), Legs: booking.Segment(0, 2), Seats: []int{seat}, BookedAt: now(),
	}}
}

// holdOf returns the write of a hold of one seat for a new user.
func holdOf(guard persistence.Guard, seat int) persistence.HoldWrite {
	return persistence.HoldWrite{Guard: guard, Op: persistence.HoldPut, Hold: booking.Hold{
		ID: booking.NewHoldID(guard.Train), User: uuid.New(), Legs: booking.Segment(0, 2), Seats: []int{seat},
		ExpiresAt: now().Add(booking.DefaultHoldTTL),
	}}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
