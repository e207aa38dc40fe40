package sqlite_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

// code is an error with a result code of SQLite.
type code int

func (c code) Error() string { return fmt.Sprintf("code %d", int(c)) }
func (c code) Code() int     { return int(c) }

func TestFailedCommitIsUnknownUnlessItsMarkIsIncomplete(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want error // nil: none of the sentinels
	}{
		{"SQLITE_FULL", code(13), persistence.ErrFull},
		{"SQLITE_IOERR_WRITE", code(778), persistence.ErrFull},
		{"SQLITE_BUSY", code(5), nil},
		{"SQLITE_BUSY_RECOVERY", code(261), nil},
		{"SQLITE_IOERR_FSYNC", code(1034), persistence.ErrUnknown},
		{"SQLITE_IOERR_SHMSIZE", code(4874), persistence.ErrUnknown},
		{"SQLITE_NOMEM", code(7), persistence.ErrUnknown},
		{"not an error of SQLite", errors.New("bad connection"), persistence.ErrUnknown},
	} {
		got := sqlite.TranslateCommit(c.err)
		require.ErrorIs(t, got, c.err, c.name)
		for _, sentinel := range []error{persistence.ErrFull, persistence.ErrUnknown, persistence.ErrExists} {
			require.Equal(t, c.want != nil && errors.Is(sentinel, c.want), errors.Is(got, sentinel), "%s, %v", c.name, sentinel)
		}
	}
}

func TestFullStorageRefusesOnlyWrites(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	guard := adopt(t, db, booking.NewTrainID())
	require.NoError(t, db.LimitPages(t.Context(), 0))

	acknowledged, refused := bookUntilFull(t, db, guard)
	require.NotEmpty(t, acknowledged)
	_, err := db.FindBooking(t.Context(), refused.Booking.ID)
	require.ErrorIs(t, err, persistence.ErrNotFound, "nothing of the refused batch is stored")
	user := booking.User{ID: uuid.New(), Username: "u", Email: "e@example.org", PasswordHash: string(make([]byte, 1<<16)), CreatedAt: now()}
	require.ErrorIs(t, db.CreateUser(t.Context(), user), persistence.ErrFull)
	requireBooked(t, db, acknowledged)

	require.NoError(t, db.LimitPages(t.Context(), 1<<30))
	results, err := db.Book(t.Context(), []persistence.Sale{refused})
	require.NoError(t, err)
	require.NoError(t, results[0])
	require.NoError(t, db.CreateUser(t.Context(), user))
	requireBooked(t, db, append(acknowledged, refused.Booking.ID))
}

// bookUntilFull sells seats until the storage is full, and returns the acknowledged bookings and
// the last sale of the refused batch.
func bookUntilFull(t *testing.T, db *sqlite.DB, guard persistence.Guard) (acknowledged []uuid.UUID, refused persistence.Sale) {
	t.Helper()
	const batch = 5
	for seat := 1; seat < booking.MaxCapacity; seat += batch {
		var sales []persistence.Sale
		for i := range batch {
			sales = append(sales, saleOf(guard, seat+i))
		}
		results, err := db.Book(t.Context(), sales)
		if err != nil {
			require.ErrorIs(t, err, persistence.ErrFull)
			return acknowledged, sales[batch-1]
		}
		for i, result := range results {
			require.NoError(t, result)
			acknowledged = append(acknowledged, sales[i].Booking.ID)
		}
	}
	require.Fail(t, "the storage did not get full")
	return nil, persistence.Sale{}
}

// requireBooked checks that exactly these bookings are stored.
func requireBooked(t *testing.T, db *sqlite.DB, ids []uuid.UUID) {
	t.Helper()
	for _, id := range ids {
		_, err := db.FindBooking(t.Context(), id)
		require.NoError(t, err)
	}
	rows, err := db.Count(t.Context(), "bookings")
	require.NoError(t, err)
	require.Equal(t, len(ids), rows)
}
