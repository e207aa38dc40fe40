package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"trainbooking.dev/persistence"
)

// conn is a connection, for one borrower at a time. Its methods translate the errors of
// Postgres, depending on whether a statement commits. The driver prepares each statement once.
type conn struct {
	raw       *pgx.Conn
	translate func(error) error
}

// lend waits for a connection and calls fn with it. The error is that of fn, or, if fn was not
// called, that of waiting or connecting.
func lend(ctx context.Context, pool *pgxpool.Pool, fn func(*pgx.Conn) error) error {
	borrowed, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer borrowed.Release()
	return fn(borrowed.Conn())
}

// transact runs fn between BEGIN and COMMIT, or ROLLBACK if it fails. A connection that is lost
// before COMMIT is rolled back too.
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

// snapshot runs fn, which only reads, in one snapshot of the database.
func snapshot(ctx context.Context, raw *pgx.Conn, fn func(context.Context, *conn) error) error {
	if _, err := raw.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
		return err
	}
	defer rollback(ctx, raw)
	return fn(ctx, &conn{raw, translate})
}

// rollback ignores errors: the pool drops a connection that is lost or closed.
func rollback(ctx context.Context, raw *pgx.Conn) {
	_, _ = raw.Exec(context.WithoutCancel(ctx), "ROLLBACK")
}

// exec runs a statement and returns the number of changed rows. It uses Query, since Exec sends
// a statement without parameters by the simple protocol. If the connection is then lost after
// the result and before the end of the reply, pgx (5.12) reports that it is safe to retry, even
// for a COMMIT that was executed.
func (c *conn) exec(ctx context.Context, text string, args ...any) (rows int64, err error) {
	reply, err := c.raw.Query(ctx, text, args...)
	if err != nil {
		return 0, c.translate(err)
	}
	reply.Close()
	return reply.CommandTag().RowsAffected(), c.translate(reply.Err())
}

// row is a pgx.Row or pgx.Rows.
type row interface{ Scan(dest ...any) error }

// all returns every row of a query. The slice is never nil.
func all[T any](ctx context.Context, c *conn, scan func(row) (T, error), text string, args ...any) ([]T, error) {
	rows, err := c.raw.Query(ctx, text, args...)
	if err != nil {
		return nil, c.translate(err)
	}
	items, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (T, error) { return scan(r) })
	return items, c.translate(err)
}

// first returns the first row of a query. Error: ErrNotFound if there is none.
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
