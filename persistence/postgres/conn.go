package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"trainbooking.dev/persistence"
)

// conn is a connection, for one borrower at a time. Its methods translate the errors of
// Postgres as the kind of borrowing needs it. The driver prepares each statement once.
type conn struct {
	raw       *pgx.Conn
	translate func(error) error
}

// lend waits for a connection and gives it to fn. The error is fn's, or that of waiting
// or connecting when fn was not called.
func lend(ctx context.Context, pool *pgxpool.Pool, fn func(*pgx.Conn) error) error {
	borrowed, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer borrowed.Release()
	err = fn(borrowed.Conn())
	if codeOf(err) == readOnlyTransaction {
		// The server became a standby. The pool drops what is closed, and the next
		// connection finds the one that takes writes.
		_ = borrowed.Conn().Close(ctx)
	}
	return err
}

// transact runs fn between BEGIN and COMMIT, or ROLLBACK when it fails. A connection
// that is lost on the way is as good as a rollback.
func transact(ctx context.Context, raw *pgx.Conn, fn func(context.Context, *conn) error) error {
	if _, err := raw.Exec(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			rollback(ctx, raw)
		}
	}()
	if err := fn(ctx, &conn{raw, translate}); err != nil {
		return err
	}
	_, err := (&conn{raw, translateCommit}).exec(ctx, "COMMIT")
	committed = err == nil
	return err
}

// snapshot runs fn, which only reads, so that it sees one state of the database.
func snapshot(ctx context.Context, raw *pgx.Conn, fn func(context.Context, *conn) error) error {
	if _, err := raw.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
		return err
	}
	defer rollback(ctx, raw)
	return fn(ctx, &conn{raw, translate})
}

// rollback fails on a connection that is lost or that ctx has ended, which is as good:
// the pool drops it.
func rollback(ctx context.Context, raw *pgx.Conn) {
	_, _ = raw.Exec(context.WithoutCancel(ctx), "ROLLBACK")
}

// exec runs a statement and returns how many rows it changed. It goes by way of Query,
// since Exec sends a statement without parameters by the simple protocol. There pgx
// (5.12) calls an error safe to retry when the connection is lost after the result and
// before the end of the answer, as that of a COMMIT which was done.
func (c *conn) exec(ctx context.Context, text string, args ...any) (rows int64, err error) {
	answer, err := c.raw.Query(ctx, text, args...)
	if err != nil {
		return 0, c.translate(err)
	}
	answer.Close()
	return answer.CommandTag().RowsAffected(), c.translate(answer.Err())
}

// row is what a scanning function reads: a pgx.Row or one of pgx.Rows.
type row interface{ Scan(dest ...any) error }

// all reads every row of a query. No rows are an empty slice.
func all[T any](ctx context.Context, c *conn, scan func(row) (T, error), text string, args ...any) ([]T, error) {
	rows, err := c.raw.Query(ctx, text, args...)
	if err != nil {
		return nil, c.translate(err)
	}
	items, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (T, error) { return scan(r) })
	return items, c.translate(err)
}

// first reads the first row of a query. ErrNotFound when there is none.
func first[T any](ctx context.Context, c *conn, scan func(row) (T, error), text string, args ...any) (T, error) {
	item, err := scan(c.raw.QueryRow(ctx, text, args...))
	if errors.Is(err, pgx.ErrNoRows) {
		return item, persistence.ErrNotFound
	}
	return item, c.translate(err)
}

// scalar scans a row of one column.
func scalar[T any](r row) (value T, err error) {
	err = r.Scan(&value)
	return value, err
}
