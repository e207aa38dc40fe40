package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/postgres"
)

// session is a connection of the test, which can block others.
type session struct {
	*testing.T
	conn *pgx.Conn
}

func connect(t *testing.T, url string) *session {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return &session{t, conn}
}

func (s *session) do(text string, args ...any) {
	s.Helper()
	_, err := s.conn.Exec(s.Context(), text, args...)
	require.NoError(s, err)
}

// count returns the number that a query returns.
func (s *session) count(text string, args ...any) (n int) {
	s.Helper()
	require.NoError(s, s.conn.QueryRow(s.Context(), text, args...).Scan(&n))
	return n
}

// blockSeat begins a transaction that sells a seat. Other sales of it wait until the transaction
// ends.
func (s *session) blockSeat(guard persistence.Guard, seat int) {
	s.Helper()
	s.do(`BEGIN`)
	s.sellSeat(guard, seat)
}

// sellSeat sells a seat on leg 5 in the current transaction.
func (s *session) sellSeat(guard persistence.Guard, seat int) {
	s.Helper()
	s.do(`INSERT INTO seats VALUES ($1, $2, 32)
		ON CONFLICT (train_id, seat_number) DO UPDATE SET legs = seats.legs | 32`, [16]byte(guard.Train), seat)
}

// awaitBlocked waits until n sessions of the database wait for a lock.
func (s *session) awaitBlocked(n int) {
	s.Helper()
	require.Eventually(s, func() bool {
		return n == s.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	}, 10*time.Second, 5*time.Millisecond)
}

// openWaiting opens the database at url, whose sales wait for locks without a limit.
func openWaiting(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db := openAt(t, url)
	awaitSettled(t, db)
	require.NoError(t, db.WaitForLocks(t.Context()))
	return db
}

// inBackground runs do in a goroutine and returns a channel that gets its error.
func inBackground(do func() error) <-chan error {
	failed := make(chan error, 1)
	go func() { failed <- do() }()
	return failed
}

// bookOne books a sale and returns its result or the error of the batch.
func bookOne(ctx context.Context, store persistence.Store, sale persistence.Sale) error {
	results, err := store.Book(ctx, []persistence.Sale{sale})
	if err != nil {
		return err
	}
	return results[0]
}
