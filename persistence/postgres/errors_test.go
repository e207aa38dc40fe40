package postgres_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/postgres"
)

// unsent is an error of the driver before it has sent anything.
type unsent struct{}

func (unsent) Error() string     { return "broken pipe" }
func (unsent) SafeToRetry() bool { return true }

func TestErrorDeterminesTheOutcomeOfAWrite(t *testing.T) {
	t.Parallel()
	reported := func(severity, code string) error {
		return fmt.Errorf("wrapped: %w", &pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: severity, Code: code})
	}
	for _, c := range []struct {
		name string
		err  error
		want error // nil: none of the sentinels, not executed
	}{
		{"unique_violation", reported("ERROR", "23505"), persistence.ErrExists},
		{"disk_full", reported("ERROR", "53100"), persistence.ErrFull},
		{"query_canceled by statement_timeout", reported("ERROR", "57014"), nil},
		{"lock_not_available", reported("ERROR", "55P03"), persistence.ErrLocked},
		{"deadlock_detected", reported("ERROR", "40P01"), persistence.ErrLocked},
		{"read_only_sql_transaction", reported("ERROR", "25006"), nil},
		{"insufficient_resources", reported("ERROR", "53000"), nil},
		{"nothing was sent", unsent{}, nil},
		{"admin_shutdown", reported("FATAL", "57P01"), persistence.ErrUnknown},
		{"crash_shutdown", reported("WARNING", "57P02"), persistence.ErrUnknown},
		{"disk_full of the log", reported("PANIC", "53100"), persistence.ErrUnknown},
		{"statement_completion_unknown", reported("ERROR", "40003"), persistence.ErrUnknown},
		{"connection_failure behind a pooler", reported("ERROR", "08006"), persistence.ErrUnknown},
		{"connection lost", io.ErrUnexpectedEOF, persistence.ErrUnknown},
	} {
		got := postgres.TranslateCommit(c.err)
		require.ErrorIs(t, got, c.err, c.name)
		for _, sentinel := range []error{persistence.ErrFull, persistence.ErrUnknown, persistence.ErrExists, persistence.ErrLocked} {
			require.Equal(t, c.want != nil && errors.Is(sentinel, c.want), errors.Is(got, sentinel), "%s, %v", c.name, sentinel)
		}
		require.NotErrorIs(t, postgres.Translate(c.err), persistence.ErrUnknown, c.name)
	}
	require.NoError(t, postgres.TranslateCommit(nil))
}

// TestSeverityOfAnOldPoolerIsUnderstood sends the severity only in the field that is localized.
func TestSeverityOfAnOldPoolerIsUnderstood(t *testing.T) {
	t.Parallel()
	err := postgres.TranslateCommit(&pgconn.PgError{Severity: "ERROR", Code: "55P03"})
	require.NotErrorIs(t, err, persistence.ErrUnknown)
}
