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
	divisionByZero      = "22012" // the clash of confirm.sql's kind, see book.go
	notText             = "22021" // a NUL, or no UTF-8
	uniqueViolation     = "23505"
	readOnlyTransaction = "25006"
	completionUnknown   = "40003"
	deadlockDetected    = "40P01"
	diskFull            = "53100"
	invalidCatalogName  = "3D000"
	connectionException = "08" // the class: a pooler lost its server
	notAuthorized       = "28" // the class: no such user, wrong password, refused by pg_hba.conf
)

// translate turns an error of a statement that commits nothing (a read, a statement
// inside a transaction) into what persistence names. After it nothing was done.
//
// What is not named here was refused and may be tried again: 55P03 and 57014 mean that
// lock_timeout or statement_timeout was over, 40P01 a deadlock, 25006 that the server
// is a standby now.
func translate(err error) error {
	switch codeOf(err) {
	case uniqueViolation:
		return fmt.Errorf("%w: %w", persistence.ErrExists, err)
	case diskFull:
		return fmt.Errorf("%w: %w", persistence.ErrFull, err)
	}
	return err
}

// translateCommit turns an error of a statement that commits, by itself or because it
// is COMMIT, into what persistence names.
//
// Postgres reports an ERROR only before it commits: from then on a failure is a PANIC,
// and a request to cancel waits. (statement_timeout is off during a commit.) A FATAL
// may come after it: a session that is told to end (57P01) commits, ends, and sends
// that instead of its answer. So does one whose server crashes (57P02). And of a
// connection that was lost nobody can tell, unless nothing had been sent.
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

// translateOpen tells what waiting cannot help from what it can.
func translateOpen(err error) error {
	if malformed, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		return fmt.Errorf("%w: the address is not postgres://user:password@host:port/database, with %%40 for an @ in the password: %s",
			ErrSettings, reason(malformed))
	}
	code := codeOf(err)
	if code == invalidCatalogName || strings.HasPrefix(code, notAuthorized) {
		return fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return err
}

// reason is what the driver finds wrong with an address. The rest of its message quotes the
// address, and its way to leave out the password knows only some forms of it.
func reason(malformed *pgconn.ParseConfigError) string {
	text := malformed.Error()
	text = text[strings.LastIndex(text, "`: ")+len("`: "):]
	text, _, _ = strings.Cut(text, " (")
	return text
}

// codeOf returns the SQLSTATE of an error, or "".
func codeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// severity is ERROR, FATAL or PANIC, in English whatever the server speaks. Poolers do
// not all send the field for that.
func severity(e *pgconn.PgError) string {
	if e.SeverityUnlocalized != "" {
		return e.SeverityUnlocalized
	}
	return e.Severity
}
