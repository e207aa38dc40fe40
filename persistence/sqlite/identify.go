package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrSettings means that the file at the path is not a Trainbooking database, or that this user may
	// not use it, so that another attempt fails too. The message has the path and what to do.
	ErrSettings = errors.New("the file cannot be used")
	// ErrDamaged means that the database file is damaged. The message has the path and what to do.
	ErrDamaged = errors.New("the file is damaged")
)

// fileError is an error about a file. Its message tells the admin what to do and omits the cause.
type fileError struct {
	message     string
	kind, cause error
}

func (e *fileError) Error() string   { return e.message }
func (e *fileError) Unwrap() []error { return []error{e.kind, e.cause} }

// describeFile returns an error that describes what is wrong with the file at path and what to do, if
// err is about the file. It wraps any other error with the path and the operation.
func describeFile(operation, path string, err error) error {
	of := func(kind error, format string, args ...any) error {
		return &fileError{message: fmt.Sprintf(format, args...), kind: kind, cause: err}
	}
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return of(ErrSettings, "%s is a directory, not a database file: move it away, or use another path", path)
	}
	if notPermitted(path, err) {
		return of(ErrSettings, "this user may not read and write %s: run the program as its owner, or change its owner or mode", path)
	}
	code, _ := codeOf(err)
	switch code & 0xff { // the higher bits have details
	case sqlite3.SQLITE_NOTADB:
		return of(ErrSettings, "%s is not a Trainbooking database: it is another kind of file, or encrypted; "+
			"move it away, or use another path", path)
	case sqlite3.SQLITE_CORRUPT:
		return of(ErrDamaged, "%s is damaged, for example truncated: restore a backup with trainbooking restore, which keeps this file", path)
	case sqlite3.SQLITE_READONLY:
		return of(ErrSettings, "%s cannot be written: make its file system and directory writable for this user", path)
	}
	switch {
	case errors.Is(err, errForeign):
		return of(ErrSettings, "%s is the SQLite database of another application: move it away, or use another path", path)
	case errors.Is(err, errEmpty):
		return of(ErrSettings, "%s has no tables: no service has used it yet", path)
	case errors.Is(err, errNewer):
		return of(ErrSettings, "%s %v: use the newer program", path, err)
	case errors.Is(err, errInUse):
		return of(ErrSettings, "%s is in use by a service: back it up with trainbooking backup", path)
	case errors.Is(err, fs.ErrNotExist):
		return of(ErrSettings, "there is no file %s", path)
	}
	return fmt.Errorf("sqlite: %s: %s: %w", operation, path, translate(err))
}

// notPermitted reports whether err is caused by the permissions of the file. SQLite returns
// SQLITE_CANTOPEN for this and for many other errors.
func notPermitted(path string, err error) bool {
	if errors.Is(err, fs.ErrPermission) {
		return true
	}
	code, ok := codeOf(err)
	return ok && code&0xff == sqlite3.SQLITE_CANTOPEN &&
		errors.Is(syscall.Access(path, 0x4|0x2), fs.ErrPermission) // R_OK and W_OK
}

// describeDir is describeFile for a data directory.
func describeDir(dir string, err error) error {
	message := ""
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		message = "the data directory " + dir + " is a file, or is below one: set --data-dir to a directory"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		message = "this user may not write to the data directory " + dir +
			": run the program as its owner, or set --data-dir to another directory"
	default:
		return fmt.Errorf("sqlite: %w", err)
	}
	return &fileError{message: message, kind: ErrSettings, cause: err}
}

var (
	errForeign = errors.New("the database has the tables of another application")
	errEmpty   = errors.New("the database has no tables")
	errNewer   = errors.New("was written by a newer version of this program")
	errInUse   = errors.New("the database is in use")
)

// requireOurs returns errForeign if the database has tables, but not those that every version of
// Trainbooking has. Goose creates its table first, so a new database may have only that one.
func requireOurs(ctx context.Context, c *conn) error {
	const find = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	tables, err := all(ctx, c, scalar[string], find)
	if err != nil {
		return err
	}
	tables = slices.DeleteFunc(tables, func(name string) bool { return name == versionTable })
	if len(tables) == 0 {
		return nil
	}
	for _, name := range []string{"users", "trains", "seats", "bookings", "holds"} {
		if !slices.Contains(tables, name) {
			return errForeign
		}
	}
	return nil
}

// versionTable is the table of goose.
const versionTable = "goose_db_version"
