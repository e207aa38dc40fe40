package sqlite_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/sqlite"
)

func TestBackupIsACompleteStoreInOneFile(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	guard := adopt(t, db, booking.NewTrainID())
	sale := saleOf(guard, 1)
	_, err := db.Book(t.Context(), []persistence.Sale{sale})
	require.NoError(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "a b?mode=ro#c.db")
	contents, err := db.Backup(t.Context(), path)
	require.NoError(t, err)
	_, newest, err := db.Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, sqlite.Contents{Version: newest, Trains: 1, Bookings: 1}, contents)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no file beside it")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())

	restored := t.TempDir()
	require.NoError(t, os.Rename(path, filepath.Join(restored, "trainbooking.db")), "it is an ordinary database")
	copied := openIn(t, restored)
	loaded, err := persistencetest.LoadTrain(t.Context(), copied, guard.Train, nil)
	require.NoError(t, err)
	require.Equal(t, []booking.Booking{sale.Booking}, loaded.Bookings)
}

// TestBackupIsTheStoreOfOneMoment books while backups are made. A backup has every booking that was
// acknowledged before it began, and whole batches only.
func TestBackupIsTheStoreOfOneMoment(t *testing.T) {
	t.Parallel()
	const batch = 3
	dir := t.TempDir()
	db, other := openIn(t, dir), openIn(t, dir) // as in another process
	guard := adopt(t, db, booking.NewTrainID())
	stop, booked := make(chan struct{}), make(chan []uuid.UUID, booking.MaxCapacity)
	failed := make(chan error, 1)
	go func() {
		defer close(booked)
		for seat := 1; seat+batch <= booking.MaxCapacity; seat += batch {
			select {
			case <-stop:
				return
			default:
			}
			var sales []persistence.Sale
			var ids []uuid.UUID
			for i := range batch {
				sales = append(sales, saleOf(guard, seat+i))
				ids = append(ids, sales[i].Booking.ID)
			}
			if _, err := db.Book(t.Context(), sales); err != nil {
				failed <- err
				return
			}
			booked <- ids
		}
	}()
	var acknowledged []uuid.UUID
	for i := range 5 {
		acknowledged = append(acknowledged, <-booked...) // it is writing
		for range len(booked) {
			acknowledged = append(acknowledged, <-booked...)
		}
		into := t.TempDir()
		contents, err := other.Backup(t.Context(), filepath.Join(into, "trainbooking.db"))
		require.NoError(t, err, "backup %d", i)
		require.Zero(t, contents.Bookings%batch)
		copied := openIn(t, into)
		for _, id := range acknowledged {
			_, err := copied.FindBooking(t.Context(), id)
			require.NoError(t, err)
		}
	}
	close(stop)
	for range booked { // until it has ended
	}
	require.Empty(t, failed)
}

func TestBackupOverwritesNothing(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	_, err := db.Backup(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorContains(t, err, path+" already exists")
	requireOnly(t, dir, "file")
	contents, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "mine", string(contents))
}

func TestBackupThatFailsLeavesNoFile(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	dir := t.TempDir()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := db.Backup(cancelled, filepath.Join(dir, "backup.db"))
	require.ErrorIs(t, err, context.Canceled)
	requireOnly(t, dir)

	_, err = db.Backup(t.Context(), filepath.Join(dir, "nowhere", "backup.db"))
	require.ErrorIs(t, err, fs.ErrNotExist)

	empty, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, empty.Close()) })
	_, err = empty.Backup(t.Context(), filepath.Join(dir, "backup.db"))
	require.ErrorIs(t, err, sqlite.ErrSettings)
	require.ErrorContains(t, err, "has no tables")
	requireOnly(t, dir)
}

func TestBackupWithoutRoomIsAnErrorAndNoFile(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "backup.db")
	db.LimitBackups(5)
	_, err := db.Backup(t.Context(), path)
	require.ErrorIs(t, err, persistence.ErrFull)
	require.EqualError(t, err, "there is no room for "+path+": free some space, or choose another path")
	requireOnly(t, dir)
	db.LimitBackups(1 << 30)
	_, err = db.Backup(t.Context(), path)
	require.NoError(t, err)
}

func TestBackupOfAContradictionIsRefused(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	adopt(t, db, booking.NewTrainID())
	require.NoError(t, db.BreakReferences(t.Context()))
	dir := t.TempDir()
	_, err := db.Backup(t.Context(), filepath.Join(dir, "backup.db"))
	require.ErrorIs(t, err, sqlite.ErrDamaged)
	requireOnly(t, dir)
}

func requireOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	require.ElementsMatch(t, names, found)
}

// at is a time for the names of files.
func at() time.Time { return time.Date(2040, 12, 1, 6, 0, 0, 0, time.FixedZone("", 19800)) }
