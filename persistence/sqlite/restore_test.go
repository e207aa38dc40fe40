package sqlite_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

// backupOf returns a backup of a new store with one booking, and what else write writes.
func backupOf(t *testing.T, write func(*sqlite.DB)) (path string, id uuid.UUID) {
	t.Helper()
	db := openNew(t)
	sale := saleOf(adopt(t, db, booking.NewTrainID()), 1)
	_, err := db.Book(t.Context(), []persistence.Sale{sale})
	require.NoError(t, err)
	if write != nil {
		write(db)
	}
	path = filepath.Join(t.TempDir(), "backup.db")
	_, err = db.Backup(t.Context(), path)
	require.NoError(t, err)
	return path, sale.Booking.ID
}

func TestRestoreKeepsTheFormerDatabase(t *testing.T) {
	t.Parallel()
	backup, id := backupOf(t, nil)
	dir := filepath.Join(t.TempDir(), "new")
	unlock, err := sqlite.Lock(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unlock()) })

	restored, err := sqlite.Restore(t.Context(), backup, dir, false, at())
	require.NoError(t, err)
	require.Empty(t, restored.Former)
	require.EqualValues(t, 1, restored.Bookings)
	requireOnly(t, dir, "lock", "trainbooking.db")
	db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, db.Migrate(t.Context()))
	later := saleOf(adopt(t, db, booking.NewTrainID()), 2)
	_, err = db.Book(t.Context(), []persistence.Sale{later})
	require.NoError(t, err)
	require.NoError(t, db.Close())

	_, err = sqlite.Restore(t.Context(), backup, dir, false, at())
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorContains(t, err, "--force")
	restored, err = sqlite.Restore(t.Context(), backup, dir, true, at())
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "trainbooking.db.before-restore-20401201T003000Z"), restored.Former)
	db = openIn(t, dir)
	_, err = db.FindBooking(t.Context(), id)
	require.NoError(t, err)
	_, err = db.FindBooking(t.Context(), later.Booking.ID)
	require.ErrorIs(t, err, persistence.ErrNotFound)

	former := t.TempDir()
	_, err = sqlite.Restore(t.Context(), restored.Former, former, false, at())
	require.NoError(t, err, "it can be restored too")
	_, err = openIn(t, former).FindBooking(t.Context(), later.Booking.ID)
	require.NoError(t, err)
}

// TestNoLogOfTheFormerDatabaseIsApplied has a -wal file whose database is damaged or gone.
func TestNoLogOfTheFormerDatabaseIsApplied(t *testing.T) {
	t.Parallel()
	backup, id := backupOf(t, nil)
	for name, damage := range map[string]func(path string) error{
		"gone":      os.Remove,
		"truncated": func(path string) error { return os.Truncate(path, 100) },
		"replaced":  func(path string) error { return os.WriteFile(path, []byte("text"), 0o600) },
	} {
		dir := t.TempDir()
		openIn(t, dir) // it stays open, so its log stays
		copied := t.TempDir()
		for _, end := range []string{"", "-wal"} {
			contents, err := os.ReadFile(filepath.Join(dir, "trainbooking.db"+end))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(copied, "trainbooking.db"+end), contents, 0o600))
		}
		require.NoError(t, damage(filepath.Join(copied, "trainbooking.db")))
		_, err := sqlite.Restore(t.Context(), backup, copied, true, at())
		require.NoError(t, err, name)
		_, err = openIn(t, copied).FindBooking(t.Context(), id)
		require.NoError(t, err, name)
		kept, err := filepath.Glob(filepath.Join(copied, "*.before-restore-*"))
		require.NoError(t, err)
		require.NotEmpty(t, kept, name)
	}
}

// TestCopiedDataDirectoryIsABackup restores a database whose last writes are in its -wal file.
func TestCopiedDataDirectoryIsABackup(t *testing.T) {
	t.Parallel()
	from, copied := t.TempDir(), t.TempDir()
	db := openIn(t, from)
	sale := saleOf(adopt(t, db, booking.NewTrainID()), 1)
	_, err := db.Book(t.Context(), []persistence.Sale{sale})
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(copied, os.DirFS(from)))
	dir := t.TempDir()
	_, err = sqlite.Restore(t.Context(), filepath.Join(copied, "trainbooking.db"), dir, false, at())
	require.NoError(t, err)
	_, err = openIn(t, dir).FindBooking(t.Context(), sale.Booking.ID)
	require.NoError(t, err)

	unlock, err := sqlite.Lock(from)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unlock()) })
	_, err = sqlite.Restore(t.Context(), filepath.Join(from, "trainbooking.db"), t.TempDir(), false, at())
	require.ErrorIs(t, err, sqlite.ErrSettings)
	require.ErrorContains(t, err, "is in use by a service: back it up with trainbooking backup")
}

func TestRestoreEndsAllLogins(t *testing.T) {
	t.Parallel()
	user := booking.User{ID: uuid.New(), Username: "u", Email: "e@example.org", PasswordHash: "h", CreatedAt: now()}
	token := booking.RefreshToken{ID: uuid.New(), Family: uuid.New(), User: user.ID, ExpiresAt: now().Add(time.Hour)}
	backup, _ := backupOf(t, func(db *sqlite.DB) {
		require.NoError(t, db.CreateUser(t.Context(), user))
		require.NoError(t, db.SaveRefreshToken(t.Context(), token))
	})
	dir := t.TempDir()
	_, err := sqlite.Restore(t.Context(), backup, dir, false, at())
	require.NoError(t, err)
	db := openIn(t, dir)
	requireRows(t, db, "users", 1)
	requireRows(t, db, "refresh_tokens", 0)
}

func TestBackupOfTheVersionBeforeIsMigrated(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, newest, err := db.Version(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.MigrateTo(t.Context(), newest-1))
	backup := filepath.Join(t.TempDir(), "backup.db")
	contents, err := db.Backup(t.Context(), backup)
	require.NoError(t, err)
	require.Equal(t, newest-1, contents.Version)
	dir := t.TempDir()
	_, err = sqlite.Restore(t.Context(), backup, dir, false, at())
	require.NoError(t, err)
	current, _, err := openIn(t, dir).Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, newest, current)
}

func TestRestoreOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	backup, _ := backupOf(t, func(db *sqlite.DB) {
		require.NoError(t, db.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)`))
	})
	dir := t.TempDir()
	_, err := sqlite.Restore(t.Context(), backup, dir, false, at())
	require.ErrorIs(t, err, sqlite.ErrSettings)
	require.ErrorContains(t, err, backup+" was written by a newer version of this program (schema version 9000, supported ")
	requireOnly(t, dir)
}
