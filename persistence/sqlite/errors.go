package sqlite

import (
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"

	"trainbooking.dev/persistence"
)

// coded is an error of the driver, whose Code is the extended result code
// (https://www.sqlite.org/rescode.html).
type coded interface {
	error
	Code() int
}

// translate converts an error of any statement but COMMIT to a sentinel of package
// persistence. After such an error SQLite or conn.transact rolls back the transaction, so
// nothing was written.
//
// A full disk is SQLITE_FULL. SQLite reports an exhausted quota (EDQUOT) as
// SQLITE_IOERR_WRITE, and a disk without room for the index of the WAL as
// SQLITE_IOERR_SHMSIZE. A broken disk has the same codes, and takes no writes either.
func translate(err error) error {
	code, ok := codeOf(err)
	if !ok {
		return err
	}
	switch code {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE:
		return fmt.Errorf("%w: %w", persistence.ErrFull, err)
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return fmt.Errorf("%w: %w", persistence.ErrExists, err)
	}
	return err
}

// translateCommit converts an error of COMMIT to a sentinel of package persistence. The
// transaction is rolled back after it too, but may still take effect later:
//
// COMMIT appends the changed pages to the WAL, the last of them marked as the end of the
// transaction, then syncs the file, then publishes the new end in shared memory. If the
// append fails, the mark is incomplete and its checksum wrong: SQLITE_FULL and
// SQLITE_IOERR_WRITE mean that nothing was written, as does SQLITE_BUSY, which is returned
// before the first step. If a later step fails, the mark is in the file. No reader sees it, and the next
// commit overwrites it; but if the process or the machine stops before that, the recovery of
// the WAL finds a complete transaction and keeps it. So every other failure is ErrUnknown. A
// later successful write (Adopt) decides: what a read then finds is final.
func translateCommit(err error) error {
	if err == nil {
		return nil
	}
	code, ok := codeOf(err)
	if ok && (code == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_WRITE) || isBusy(err) {
		return translate(err)
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnknown, err)
}

// isRefusal reports whether err refuses one write of a batch, rather than being a failure of
// the store.
func isRefusal(err error) bool {
	return errors.Is(err, persistence.ErrFenced) || errors.Is(err, persistence.ErrNotFound) ||
		errors.Is(err, persistence.ErrConflict) || errors.Is(err, persistence.ErrStale)
}

// isBusy reports whether another connection had the lock, so that nothing was done.
func isBusy(err error) bool {
	code, ok := codeOf(err)
	return ok && code&0xff == sqlite3.SQLITE_BUSY // the higher bits have the reason
}

// isDamage reports whether err means that the file is corrupt.
func isDamage(err error) bool {
	code, ok := codeOf(err)
	return ok && (code&0xff == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB)
}

func codeOf(err error) (int, bool) {
	e, ok := errors.AsType[coded](err)
	if !ok {
		return 0, false
	}
	return e.Code(), true
}
