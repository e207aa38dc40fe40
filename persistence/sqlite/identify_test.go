package sqlite_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

// unusable has files that are no store, by what Open says about them.
func unusable(t *testing.T) map[string]func(path string) error {
	t.Helper()
	return map[string]func(path string) error{
		"is not a Trainbooking database: it is another kind of file, or encrypted": func(path string) error {
			return os.WriteFile(path, bytes.Repeat([]byte("Dear diary, "), 1000), 0o600)
		},
		"is a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"is the SQLite database of another application": func(path string) error {
			return makeDatabase(t, path, `CREATE TABLE goose_db_version (id)`, `CREATE TABLE bookings (id)`)
		},
	}
}

// makeDatabase makes a database that is not of this package.
func makeDatabase(t *testing.T, path string, statements ...string) error {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, text := range statements {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			return err
		}
	}
	return nil
}

func TestFileThatIsNoStoreIsNamedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for says, write := range unusable(t) {
		dir := t.TempDir()
		path := filepath.Join(dir, "trainbooking.db")
		require.NoError(t, write(path))
		before, _ := os.ReadFile(path) // of a directory it fails
		_, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
		require.ErrorIs(t, err, sqlite.ErrSettings, says)
		require.ErrorContains(t, err, path+" "+says)
		after, _ := os.ReadFile(path)
		require.Equal(t, before, after, says)
		requireOnly(t, dir, "trainbooking.db")

		_, err = sqlite.Restore(t.Context(), path, t.TempDir(), false, at())
		require.ErrorIs(t, err, sqlite.ErrSettings, says)
		require.ErrorContains(t, err, path+" "+says)
	}
}

func TestDamagedFileIsNamed(t *testing.T) {
	t.Parallel()
	backup, _ := backupOf(t, nil)
	contents, err := os.ReadFile(backup)
	require.NoError(t, err)
	dir := t.TempDir()
	path := filepath.Join(dir, "trainbooking.db")
	require.NoError(t, os.WriteFile(path, contents[:len(contents)/2], 0o600))
	_, err = sqlite.Open(t.Context(), dir, sqlite.Options{})
	require.ErrorIs(t, err, sqlite.ErrDamaged)
	require.ErrorContains(t, err, path+" is damaged")
	_, err = sqlite.Restore(t.Context(), path, t.TempDir(), false, at())
	require.ErrorIs(t, err, sqlite.ErrDamaged)
	require.ErrorContains(t, err, path+" is damaged")

	// A page in the middle is found by the check of a restore, and by the statement that reads it.
	half := len(contents) / 2 / 4096 * 4096
	clear(contents[half : half+4096*8])
	require.NoError(t, os.WriteFile(path, contents, 0o600))
	_, err = sqlite.Restore(t.Context(), path, t.TempDir(), false, at())
	require.ErrorIs(t, err, sqlite.ErrDamaged)
}

func TestEmptyFileIsANewStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "trainbooking.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, openIn(t, dir).Ping(t.Context()))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	_, err := sqlite.Restore(t.Context(), filepath.Join(dir, "empty"), t.TempDir(), false, at())
	require.ErrorIs(t, err, sqlite.ErrSettings, "but nothing to restore")
	require.ErrorContains(t, err, "has no tables")
	_, err = sqlite.Restore(t.Context(), filepath.Join(dir, "nowhere"), t.TempDir(), false, at())
	require.ErrorIs(t, err, sqlite.ErrSettings)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestEveryVersionIsRecognized(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for version := int64(1); ; version++ {
		db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
		require.NoError(t, err)
		_, newest, err := db.Version(t.Context())
		require.NoError(t, err)
		require.NoError(t, db.MigrateTo(t.Context(), version))
		require.NoError(t, db.Close())
		if version == newest {
			break
		}
	}
	db := openIn(t, dir)
	_, err := db.Book(t.Context(), []persistence.Sale{saleOf(adopt(t, db, booking.NewTrainID()), 1)})
	require.NoError(t, err)
}
