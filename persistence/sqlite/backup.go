package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	driver "modernc.org/sqlite"

	"trainbooking.dev/persistence"
)

// Contents summarizes a database file.
type Contents struct {
	Version                 int64 // of the schema
	Users, Trains, Bookings int64 // rows, including deleted and cancelled ones
}

// Backup writes a consistent copy of the database to a new file at path, which only its owner may read.
// It never overwrites a file. The file appears when it is complete, checked and synced. Reads and
// writes continue meanwhile; the -wal file grows until the copy is done. Errors: fs.ErrExist,
// ErrSettings if the database has no tables yet, ErrDamaged, persistence.ErrFull.
func (db *DB) Backup(ctx context.Context, path string) (contents Contents, err error) {
	if _, err := os.Lstat(path); err == nil {
		return Contents{}, existsError(path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), PartialPattern) // mode 0600
	if err != nil {
		return Contents{}, fmt.Errorf("sqlite: backup: %w", err)
	}
	partial := file.Name()
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfExists(partial))
		}
	}()
	if err := errors.Join(file.Close(), db.copyPages(ctx, partial), seal(partial)); err != nil {
		return Contents{}, db.describeBackup(path, translate(err))
	}
	if contents, err = check(ctx, partial, partial); err != nil {
		return Contents{}, err
	}
	return contents, publish(partial, path)
}

func (db *DB) describeBackup(path string, err error) error {
	if errors.Is(err, persistence.ErrFull) || errors.Is(err, syscall.ENOSPC) {
		return &fileError{
			message: "there is no room for " + path + ": free some space, or choose another path", kind: persistence.ErrFull, cause: err,
		}
	}
	return db.wrap("backup", err)
}

// PartialPattern matches the names of backups that are being written, and of those that a killed
// process has left.
const PartialPattern = ".trainbooking-*.partial"

// backupPages is how many pages are copied between two checks of ctx.
const backupPages = 1000

// copyPages copies all pages in one read transaction, so that other writers neither wait nor restart
// the copy (https://www.sqlite.org/c3ref/backup_finish.html). The new file is not locked, since nobody
// else opens it and network file systems may have no locks; seal syncs it.
func (db *DB) copyPages(ctx context.Context, to string) error {
	settings := append([]string{"journal_mode(off)", "synchronous(off)"}, db.backupSettings...)
	target := fileURL(to, url.Values{"nolock": {"1"}, "_pragma": settings})
	return db.readers.lend(ctx, func(c *conn) error {
		return c.snapshot(ctx, func(ctx context.Context, c *conn) error {
			if _, err := first(ctx, c, scalar[int], `SELECT count(*) FROM sqlite_schema`); err != nil {
				return err // it begins the transaction
			}
			return c.raw.Raw(func(raw any) error {
				source, ok := raw.(interface {
					NewBackup(to string) (*driver.Backup, error)
				})
				if !ok {
					return errors.New("the SQLite driver does not support backups")
				}
				backup, err := source.NewBackup(target)
				if err != nil {
					return err
				}
				return errors.Join(runBackup(ctx, backup), backup.Finish())
			})
		})
	})
}

func runBackup(ctx context.Context, backup *driver.Backup) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if more, err := backup.Step(backupPages); err != nil || !more {
			return err
		}
	}
}

// seal turns the copied pages into a database that is not in WAL mode, and syncs it. Bytes 18 and 19 of
// the header are 2 in WAL mode, in which opening the file would create a -wal file
// (https://www.sqlite.org/fileformat.html#file_format_version_numbers).
func seal(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt([]byte{1, 1}, 18)
	return errors.Join(err, file.Sync(), file.Close())
}

// publish gives the complete file at partial its final name, unless a file with that name exists. On a
// file system without hard links it renames the file.
func publish(partial, path string) error {
	err := os.Link(partial, path)
	if errors.Is(err, fs.ErrExist) {
		return existsError(path)
	}
	if err != nil {
		err = os.Rename(partial, path)
	} else {
		err = os.Remove(partial)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	return nil
}

func existsError(path string) error {
	return &fileError{message: path + " already exists, and a backup overwrites nothing: choose another name", kind: fs.ErrExist}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func removeIfExists(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// check reads a file that nobody writes, compares its indexes and references with its rows, and returns
// a summary. Errors, which include name: ErrSettings, ErrDamaged.
func check(ctx context.Context, path, name string) (contents Contents, err error) {
	err = withFile(ctx, path, url.Values{"mode": {"ro"}, "immutable": {"1"}}, func(c *conn) error {
		if contents, err = c.contents(ctx); err != nil {
			return err
		}
		return c.requireIntact(ctx)
	})
	if err != nil {
		return Contents{}, describeFile("check", name, err)
	}
	return contents, nil
}

// withFile calls fn with a connection to a file that is a store, or empty.
func withFile(ctx context.Context, path string, settings url.Values, fn func(*conn) error) (err error) {
	handle, err := sql.Open("sqlite", fileURL(path, settings))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, handle.Close()) }()
	c, err := dialOnce(ctx, handle, requireOurs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.raw.Close()) }()
	return fn(c)
}

func (c *conn) contents(ctx context.Context) (contents Contents, err error) {
	const tables = `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'bookings'`
	if n, err := first(ctx, c, scalar[int], tables); err != nil || n == 0 {
		return Contents{}, errors.Join(err, errEmpty)
	}
	const count = `
		SELECT (SELECT max(version_id) FROM ` + versionTable + `),
		       (SELECT count(*) FROM users), (SELECT count(*) FROM trains), (SELECT count(*) FROM bookings)`
	return first(ctx, c, func(r row) (contents Contents, err error) {
		err = r.Scan(&contents.Version, &contents.Users, &contents.Trains, &contents.Bookings)
		return contents, err
	}, count)
}

// requireIntact returns ErrDamaged if the file is inconsistent.
func (c *conn) requireIntact(ctx context.Context) error {
	report, err := first(ctx, c, scalar[string], `PRAGMA integrity_check(1)`)
	if err != nil {
		return err
	}
	broken, err := first(ctx, c, scalar[int], `SELECT count(*) FROM pragma_foreign_key_check`)
	if err != nil {
		return err
	}
	if report != "ok" || broken > 0 {
		return fmt.Errorf("%w: %s, and %d rows refer to a row that is missing", ErrDamaged, report, broken)
	}
	return nil
}

func fileURL(path string, query url.Values) string {
	if absolute, err := filepath.Abs(path); err == nil { // a relative path would be the host of the URL
		path = absolute
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}
