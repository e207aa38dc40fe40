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

// translate turns an error of any statement but COMMIT into what persistence names.
// After such an error the transaction is rolled back, by SQLite or by conn.transact,
// so nothing was done.
//
// A full disk is SQLITE_FULL. SQLite reports a quota that is used up (EDQUOT) as an
// error of writing, and a disk without room for the index of the WAL as one of its
// size; a disk that breaks says the same, and to it too nothing can be written.
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

// translateCommit turns an error of COMMIT into what persistence names. After it the
// transaction is rolled back too, yet that does not always mean that it never was:
//
// COMMIT appends the changed pages to the WAL, the last of them marked as the end of a
// transaction, then syncs the file, then publishes the new end in shared memory. If
// the appending fails, the mark is not whole and its checksum does not fit:
// SQLITE_FULL and SQLITE_IOERR_WRITE mean not done, as does SQLITE_BUSY, which comes
// before everything. If a later step fails, the mark is there. No reader sees it, and
// the next transaction that commits writes over it; but should the process or the
// machine stop before that, the recovery of the WAL finds a whole transaction and
// keeps it. So every other failure is ErrUnknown. Whoever then writes with success
// (Adopt) and reads, knows: the lost transaction is either there or never will be.
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

// refusal reports whether err is the store's answer to one of several things asked for,
// and not a failure of the store.
func refusal(err error) bool {
	return errors.Is(err, persistence.ErrFenced) || errors.Is(err, persistence.ErrNotFound) ||
		errors.Is(err, persistence.ErrConflict)
}

// isBusy reports whether another connection was in the way, and nothing was done.
func isBusy(err error) bool {
	code, ok := codeOf(err)
	return ok && code&0xff == sqlite3.SQLITE_BUSY // whatever the reason, in the higher bits
}

func codeOf(err error) (int, bool) {
	e, ok := errors.AsType[coded](err)
	if !ok {
		return 0, false
	}
	return e.Code(), true
}
