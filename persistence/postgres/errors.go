package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"trainbooking.dev/persistence"
)

// SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	divisionByZero      = "22012" // a conflict in a batch, see bookBatch
	notText             = "22021" // a NUL, or not UTF-8
	uniqueViolation     = "23505"
	readOnlyTransaction = "25006"
	completionUnknown   = "40003"
	deadlockDetected    = "40P01"
	lockNotAvailable    = "55P03" // at once with NOWAIT, otherwise after lock_timeout
	diskFull            = "53100"
	connectionException = "08" // the class: a pooler lost its server
)

// translate converts an error of a statement that does not commit (a read, or a statement
// inside a transaction) to a sentinel of package persistence. The error means that nothing was
// written.
//
// A deadlock is a foreign lock too: the statements of this package acquire locks in one order.
//
// Other errors may be retried: 57014 means that statement_timeout has passed, 25006 that the server
// became a standby.
func translate(err error) error {
	switch codeOf(err) {
	case uniqueViolation:
		return fmt.Errorf("%w: %w", persistence.ErrExists, err)
	case diskFull:
		return fmt.Errorf("%w: %w", persistence.ErrFull, err)
	case lockNotAvailable, deadlockDetected:
		return fmt.Errorf("%w: %w", persistence.ErrLocked, err)
	}
	return err
}

// translateCommit converts an error of COMMIT, or of a statement outside of a transaction, to
// a sentinel of package persistence.
//
// Postgres reports an ERROR only before it commits: later a failure is a PANIC, and a cancel
// request waits. (statement_timeout is off during a commit.) A FATAL may follow the commit: a
// session that is terminated (57P01), or whose server crashes (57P02), may commit and send the
// FATAL instead of its reply. If the connection is lost, the outcome is unknown unless nothing
// was sent.
func translateCommit(err error) error {
	if err == nil || pgconn.SafeToRetry(err) {
		return err
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	if ok && severity(e) == "ERROR" && e.Code != completionUnknown && !strings.HasPrefix(e.Code, connectionException) {
		return translate(err)
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnknown, err)
}

// codeOf returns the SQLSTATE of an error, or "".
func codeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// severity returns ERROR, FATAL or PANIC, in English if the server or pooler sends that.
func severity(e *pgconn.PgError) string {
	if e.SeverityUnlocalized != "" {
		return e.SeverityUnlocalized
	}
	return e.Severity
}
