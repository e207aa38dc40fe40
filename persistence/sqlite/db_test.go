package sqlite_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/sqlite"
)

func TestReopenedDatabaseHasEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	user := booking.User{ID: uuid.New(), Username: "u", Email: "e@example.org", PasswordHash: "h", CreatedAt: now()}
	token := booking.RefreshToken{ID: uuid.New(), Family: uuid.New(), User: user.ID, ExpiresAt: now().Add(time.Hour)}

	db := openIn(t, dir)
	guard := adopt(t, db, booking.NewTrainID())
	sale, hold := saleOf(guard, 1), holdOf(guard, 2)
	results, err := db.Book(t.Context(), []persistence.Sale{sale})
	require.NoError(t, err)
	require.NoError(t, results[0])
	results, err = db.WriteHolds(t.Context(), []persistence.HoldWrite{hold})
	require.NoError(t, err)
	require.NoError(t, results[0])
	require.NoError(t, db.CreateUser(t.Context(), user))
	require.NoError(t, db.SaveRefreshToken(t.Context(), token))
	reserved := booking.Reservation{ID: uuid.New(), ExpiresAt: now().Add(time.Hour)}
	_, err = db.ReserveKey(t.Context(), user.ID, "k", reserved, now())
	require.NoError(t, err)
	reply := &booking.Reply{Status: 201, Body: []byte("{}")}
	require.NoError(t, db.ReleaseKey(t.Context(), user.ID, "k", reserved.ID, reply))
	require.NoError(t, db.Close())
	require.NoError(t, db.Close(), "a second time")

	db = openIn(t, dir)
	loaded, err := persistencetest.LoadTrain(t.Context(), db, guard.Train, nil)
	require.NoError(t, err)
	require.Equal(t, []booking.Booking{sale.Booking}, loaded.Bookings)
	holds, err := persistencetest.LoadHolds(t.Context(), db, guard.Train, now())
	require.NoError(t, err)
	require.Equal(t, []booking.Hold{hold.Hold}, holds)
	epoch, err := persistencetest.Epoch(t.Context(), db, guard.Train)
	require.NoError(t, err)
	require.Equal(t, guard.Epoch, epoch)
	got, err := db.FindUser(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, user, got)
	reserved, err = db.ReserveKey(t.Context(), user.ID, "k", reserved, now())
	require.NoError(t, err)
	require.Equal(t, reply, reserved.Reply)
	following := token
	following.ID, following.IssuedAt = uuid.New(), now()
	_, err = db.RotateRefreshToken(t.Context(), token.ID, following)
	require.NoError(t, err)
}

// TestConnectionsAreSetForDurability replaces a loss of power, which a test cannot cause. A
// kill loses nothing even without a sync at each commit.
func TestConnectionsAreSetForDurability(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	for _, c := range []struct {
		name, value, pool string
	}{
		{"journal_mode", "wal", "writer"},
		{"synchronous", "2", "writer"}, // FULL
		{"synchronous", "1", "lazy"},   // NORMAL
		{"foreign_keys", "1", "writer"},
		{"busy_timeout", "3000", "writer"},
		{"query_only", "0", "writer"},
		{"query_only", "1", "readers"},
	} {
		got, err := db.Pragma(t.Context(), c.name, c.pool)
		require.NoError(t, err)
		require.Equal(t, c.value, got, c.name)
	}
}

func TestClosedDatabaseReturnsErrors(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	require.NoError(t, db.Close())
	_, err := db.ListTrains(t.Context(), booking.Cursor{}, persistence.LastPosition)
	require.ErrorContains(t, err, "closed")
	require.ErrorContains(t, db.Ping(t.Context()), "closed")
}

func TestFilesAreAccessibleOnlyToTheirOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "here")
	db := openIn(t, dir)
	adopt(t, db, booking.NewTrainID())
	unlock, err := sqlite.Lock(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unlock()) })
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		names = append(names, entry.Name())
		require.Zero(t, info.Mode().Perm()&0o077, "%s is %s", path, info.Mode())
		return nil
	}))
	require.Subset(t, names, []string{"trainbooking.db", "trainbooking.db-wal", "lock"})
}

func TestDirectoryMayHaveAnyName(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b?mode=ro#c%20d&é")
	db := openIn(t, dir)
	require.NoError(t, db.Ping(t.Context()))
	_, err := os.Stat(filepath.Join(dir, "trainbooking.db"))
	require.NoError(t, err)
}

func TestUnusableDirectoryIsAnErrorOfOpen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("not a directory"), 0o600))
	_, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	require.ErrorContains(t, err, file)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "trainbooking.db"), []byte(strings.Repeat("no database", 1000)), 0o600))
	_, err = sqlite.Open(t.Context(), dir, sqlite.Options{})
	require.ErrorContains(t, err, dir)
}

// TestCancelledWriteHasAKnownOutcome cancels writes at different moments: each result must agree
// with what is stored.
func TestCancelledWriteHasAKnownOutcome(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	guard := adopt(t, db, booking.NewTrainID())
	for seat := 1; seat <= 200; seat++ {
		sale := saleOf(guard, seat)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seat)*10*time.Microsecond)
		_, err := db.Book(ctx, []persistence.Sale{sale})
		cancel()
		require.NotErrorIs(t, err, persistence.ErrUnknown)
		_, found := db.FindBooking(t.Context(), sale.Booking.ID)
		require.Equal(t, err == nil, found == nil, "booked: %v, found: %v", err, found)
	}
}

func TestTwoDatabasesOfOneFileSellASeatOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := openIn(t, dir), openIn(t, dir)
	guard := adopt(t, one, booking.NewTrainID())
	for seat := range 20 {
		sold := 0
		for _, results := range inParallel(t, one, two, func(db *sqlite.DB) ([]error, error) {
			return db.Book(t.Context(), []persistence.Sale{saleOf(guard, seat+1)})
		}) {
			if results[0] == nil {
				sold++
			} else {
				require.ErrorIs(t, results[0], persistence.ErrConflict)
			}
		}
		require.Equal(t, 1, sold)
	}
}

// inParallel calls do with both databases concurrently.
func inParallel[T any](t *testing.T, one, two *sqlite.DB, do func(*sqlite.DB) (T, error)) [2]T {
	t.Helper()
	var (
		results [2]T
		failed  = make(chan error)
	)
	for i, db := range []*sqlite.DB{one, two} {
		go func() {
			var err error
			results[i], err = do(db)
			failed <- err
		}()
	}
	first, second := <-failed, <-failed
	require.NoError(t, first)
	require.NoError(t, second)
	return results
}

func TestCancelledReadLeavesItsConnectionUsable(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for i := range 2000 { // before, during or after the read
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%30)*time.Microsecond)
				_, _ = db.ListTrains(ctx, booking.Cursor{}, persistence.LastPosition)
				cancel()
			}
		})
	}
	readers.Wait()
	for range 4 * sqlite.DefaultReaders {
		_, err := db.ListTrains(t.Context(), booking.Cursor{}, persistence.LastPosition)
		require.NoError(t, err)
	}
}
