package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

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

const (
	// maxIdle is how long a connection may be idle before it is pinged on its next use.
	maxIdle = time.Second
	// pingTimeout is short, since a request must find another connection within its 5 s.
	pingTimeout = 500 * time.Millisecond
	// rollbackTimeout bounds a ROLLBACK. The connection is closed after it.
	rollbackTimeout = time.Second
)

// lend waits for a connection and calls fn with it. The error is that of fn, or, if fn was not
// called, that of waiting or connecting.
func lend(ctx context.Context, pool *pgxpool.Pool, fn func(*pgx.Conn) error) error {
	borrowed, err := borrow(ctx, pool)
	if err != nil {
		return err
	}
	defer giveBack(borrowed)
	return fn(borrowed.Conn())
}

// borrow returns a connection that answers, or that was used a moment ago. If one does not answer,
// neither do those that have been idle for longer: they are all replaced.
func borrow(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	for {
		c, err := pool.Acquire(ctx)
		if err != nil || answers(ctx, c.Conn()) {
			return c, err
		}
		discard(c)
		for _, idle := range pool.AcquireAllIdle(ctx) {
			discard(idle)
		}
	}
}

func giveBack(c *pgxpool.Conn) {
	if c.Conn().IsClosed() {
		discard(c)
		return
	}
	markUsed(c.Conn())
	c.Release()
}

// discard closes a connection and removes it from its pool at once. After a timeout the pool would
// count it for up to 15 s more, while the driver tries to have its statement cancelled by a server
// that is perhaps silent.
func discard(c *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
	defer cancel()
	_ = c.Hijack().Close(ctx)
}

// lastUse is the key of the time at which a connection was used last.
const lastUse = "trainbooking.dev/last use"

func markUsed(raw *pgx.Conn) { raw.PgConn().CustomData()[lastUse] = time.Now() }

// answers reports whether a connection that was idle for long answers a ping.
func answers(ctx context.Context, raw *pgx.Conn) bool {
	if used, ok := raw.PgConn().CustomData()[lastUse].(time.Time); ok && time.Since(used) <= maxIdle {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return raw.Ping(ctx) == nil
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

// rollback ignores errors: a connection that is lost or closed is discarded.
func rollback(ctx context.Context, raw *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, _ = raw.Exec(ctx, "ROLLBACK")
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

// statement is the text of a statement with its parameters.
type statement struct {
	text string
	args []any
}

// writeAndLook runs a write that returns a result, and then a statement that sees what was committed
// while the write waited for locks. If that contradicts the write, it fails with a division by zero, which
// undoes the write, and the error is conflict. Both are one transaction and sent together: nobody waits for
// this process.
func (c *conn) writeAndLook(ctx context.Context, conflict error, write, look statement) error {
	batch := new(pgx.Batch)
	batch.Queue(write.text, write.args...)
	batch.Queue(look.text, look.args...)
	replies := c.raw.SendBatch(ctx, batch)
	result, err := scalar[string](replies.QueryRow())
	if err == nil {
		_, err = replies.Exec()
	}
	if failed := replies.Close(); err == nil {
		err = failed
	}
	switch {
	case result != "" && result != resultDone && (err == nil || codeOf(err) == divisionByZero):
		return resultError(result) // and nothing was written
	case codeOf(err) == divisionByZero:
		return fmt.Errorf("%w: %w", conflict, err)
	case err != nil:
		return c.translate(err)
	}
	return resultError(result)
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
