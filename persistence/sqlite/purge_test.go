package sqlite_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

// openAt opens a database with the clock *now.
func openAt(t *testing.T, now *time.Time) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Now: func() time.Time { return *now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

func requireRows(t *testing.T, db *sqlite.DB, table string, want int) {
	t.Helper()
	rows, err := db.Count(t.Context(), table)
	require.NoError(t, err)
	require.Equal(t, want, rows, table)
}

func TestWritingHoldsPurgesExpiredOnes(t *testing.T) {
	t.Parallel()
	clock := now()
	db := openAt(t, &clock)
	guard := adopt(t, db, booking.NewTrainID())
	var writes []persistence.HoldWrite
	for seat := range 10 {
		writes = append(writes, holdOf(guard, seat+1))
	}
	_, err := db.WriteHolds(t.Context(), writes)
	require.NoError(t, err)
	end := writes[9].Hold.ExpiresAt.Add(booking.HoldRetention)

	clock = end.Add(-booking.DefaultHoldTTL)
	later := holdOf(guard, 11)
	later.Hold.ExpiresAt = end
	_, err = db.WriteHolds(t.Context(), []persistence.HoldWrite{later})
	require.NoError(t, err)
	requireRows(t, db, "holds", 1)
	requireRows(t, db, "ended_holds", 10)

	clock = end
	_, err = db.WriteHolds(t.Context(), nil)
	require.NoError(t, err)
	requireRows(t, db, "holds", 0)
	requireRows(t, db, "ended_holds", 1)
}

// TestExpiredHoldIsReplacedAndDropped has a hold that the store has moved before it is written again.
func TestExpiredHoldIsReplacedAndDropped(t *testing.T) {
	t.Parallel()
	clock := now()
	db := openAt(t, &clock)
	again := holdOf(adopt(t, db, booking.NewTrainID()), 1)
	write := func(wantLive, wantEnded int, writes ...persistence.HoldWrite) {
		t.Helper()
		results, err := db.WriteHolds(t.Context(), writes)
		require.NoError(t, err)
		require.Equal(t, make([]error, len(writes)), results)
		requireRows(t, db, "holds", wantLive)
		requireRows(t, db, "ended_holds", wantEnded)
		holds, err := db.UserHolds(t.Context(), again.Guard.Train, again.Hold.User, clock)
		require.NoError(t, err)
		require.Len(t, holds, wantLive+wantEnded)
	}
	for range 2 {
		again.Hold.ExpiresAt = clock.Add(booking.DefaultHoldTTL)
		write(1, 0, again)
		clock = again.Hold.ExpiresAt
		write(0, 1)
	}
	released := again
	released.Hold.Released = true
	write(0, 1, released)
	drop := again
	drop.Op = persistence.HoldDrop
	write(0, 0, drop)
}

func TestSavingATokenPurgesExpiredOnes(t *testing.T) {
	t.Parallel()
	clock := now()
	db := openAt(t, &clock)
	user := booking.User{ID: uuid.New(), Username: "u", Email: "e@example.org", PasswordHash: "h", CreatedAt: clock}
	require.NoError(t, db.CreateUser(t.Context(), user))
	for range 5 {
		token := booking.RefreshToken{ID: uuid.New(), Family: uuid.New(), User: user.ID, ExpiresAt: clock.Add(time.Hour)}
		require.NoError(t, db.SaveRefreshToken(t.Context(), token))
		clock = clock.Add(time.Hour)
	}
	requireRows(t, db, "refresh_tokens", 1)
}

func TestReservingAKeyPurgesExpiredOnes(t *testing.T) {
	t.Parallel()
	at, db := now(), openNew(t)
	for range 5 {
		wanted := booking.Reservation{ID: uuid.New(), ExpiresAt: at.Add(time.Hour)}
		_, err := db.ReserveKey(t.Context(), uuid.New(), "k", wanted, at)
		require.NoError(t, err)
		at = at.Add(time.Hour)
	}
	requireRows(t, db, "idempotency_keys", 1)
}

func TestDeletingATrainDeletesItsHolds(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	deleted, other := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	_, err := db.WriteHolds(t.Context(), []persistence.HoldWrite{holdOf(deleted, 1), holdOf(other, 1)})
	require.NoError(t, err)
	require.NoError(t, db.DeleteTrain(t.Context(), deleted, persistence.Deletion{At: now()}))
	trains, err := db.TrainsWithHolds(t.Context(), now())
	require.NoError(t, err)
	require.Equal(t, []booking.TrainID{other.Train}, trains)
}
