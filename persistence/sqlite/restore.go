package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
)

// Restored is what Restore has done.
type Restored struct {
	Contents
	// Former is the new path of the previous database of the data directory, "" if there was none.
	Former string
}

// companions are the suffixes of the files that SQLite keeps beside a database.
var companions = []string{"-wal", "-shm", "-journal"}

// Restore checks the backup and makes it the database of the data directory. The caller must hold the
// Lock of dir. If dir has a database, it is kept under another name; without replace, the error is
// fs.ErrExist. The refresh tokens of the backup are deleted, since one that was used or revoked after
// the backup would work again. A -wal file beside the backup belongs to it, as in a copy of a data
// directory. After a crash the directory has one of the two databases. Errors: ErrSettings, ErrDamaged,
// persistence.ErrFull.
func Restore(ctx context.Context, backup, dir string, replace bool, now time.Time) (restored Restored, err error) {
	target := filepath.Join(dir, fileName)
	if err := requireReplaceable(backup, target, replace); err != nil {
		return Restored{}, err
	}
	staged := target + ".restoring" // nobody else uses it: the directory is locked
	if err := removeDatabase(staged); err != nil {
		return Restored{}, describeDir(dir, err)
	}
	defer func() { err = errors.Join(err, removeDatabase(staged)) }()
	if restored.Contents, err = stage(ctx, backup, staged); err != nil {
		return Restored{}, describeFile("restore", backup, err)
	}
	if restored.Former, err = setAside(ctx, target, now); err != nil {
		return Restored{}, fmt.Errorf("sqlite: restore: %w", err)
	}
	if err := errors.Join(os.Rename(staged, target), syncDir(dir)); err != nil {
		return Restored{}, fmt.Errorf("sqlite: restore: %w", err)
	}
	return restored, nil
}

func requireReplaceable(backup, target string, replace bool) error {
	from, err := os.Stat(backup)
	if err != nil {
		return describeFile("restore", backup, err)
	}
	to, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return describeFile("restore", target, err)
	case os.SameFile(from, to):
		return &fileError{message: backup + " is the database of the data directory itself: name a backup", kind: ErrSettings}
	case !replace:
		return &fileError{
			message: target + " already exists: --force replaces it and keeps it under another name", kind: fs.ErrExist,
		}
	}
	return nil
}

// stage copies the backup to a new file, without a -wal file, and checks it.
func stage(ctx context.Context, backup, staged string) (contents Contents, err error) {
	if err := copyDatabase(backup, staged); err != nil {
		return Contents{}, err
	}
	err = withFile(ctx, staged, url.Values{"_synchronous": {"FULL"}}, func(c *conn) error {
		if contents, err = c.contents(ctx); err != nil {
			return err
		}
		if err := requireKnown(contents.Version); err != nil {
			return err
		}
		for _, text := range []string{`PRAGMA journal_mode = DELETE`, `DELETE FROM refresh_tokens`} {
			if _, err := c.exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Contents{}, err
	}
	if err := syncFile(staged); err != nil {
		return Contents{}, err
	}
	return check(ctx, staged, backup)
}

// requireKnown returns errNewer for tables that this program does not have.
func requireKnown(version int64) error {
	files, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return err
	}
	newest, err := goose.NumericComponent(path.Base(files[len(files)-1].Name()))
	if err == nil && version > newest {
		err = fmt.Errorf("%w (schema version %d, supported %d)", errNewer, version, newest)
	}
	return err
}

// copyDatabase copies the file of a database that no service uses, and its -wal file if it has one.
func copyDatabase(from, to string) error {
	lock := filepath.Join(filepath.Dir(from), "lock")
	if _, err := os.Stat(lock); err == nil && filepath.Base(from) == fileName {
		unlock, err := lockFile(lock)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return errInUse
		}
		if err == nil {
			defer func() { _ = unlock() }()
		}
	}
	if err := copyFile(from+companions[0], to+companions[0]); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return copyFile(from, to)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // it was only read
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// setAside links the database at path to another name beside it, and returns that name. First it
// checkpoints the -wal file, which must not be applied to the next database. If SQLite cannot do that,
// because the file is damaged, the companions are moved too. The database keeps its old name until the
// next one replaces it.
func setAside(ctx context.Context, path string, now time.Time) (former string, err error) {
	former = path + ".before-restore-" + now.UTC().Format(TimeFormat)
	_ = withFile(ctx, path, url.Values{"mode": {"rw"}}, func(c *conn) error {
		_, err := c.exec(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
		return err
	})
	moved := false
	for _, end := range companions {
		info, err := os.Stat(path + end)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err == nil && (info.Size() == 0 || end == "-shm"): // an index of the -wal file
			err = os.Remove(path + end)
		case err == nil:
			err, moved = os.Rename(path+end, former+end), true
		}
		if err != nil {
			return "", err
		}
	}
	err = os.Link(path, former)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(path, former) // a file system without hard links
	}
	switch {
	case err == nil:
		return former, syncDir(filepath.Dir(path))
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	case moved:
		return former + companions[0], syncDir(filepath.Dir(path))
	}
	return "", nil
}

// TimeFormat is the layout of the time, in UTC, in file names.
const TimeFormat = "20060102T150405Z"

func removeDatabase(path string) error {
	err := removeIfExists(path)
	for _, end := range companions {
		err = errors.Join(err, removeIfExists(path+end))
	}
	return err
}
