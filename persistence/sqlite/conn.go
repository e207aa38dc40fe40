package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"trainbooking.dev/persistence"
)

// conn is a connection with its prepared statements, for one borrower at a time. Its
// methods translate the errors of SQLite.
type conn struct {
	raw      *sql.Conn
	prepared map[string]*sql.Stmt // by their text
}

// transact runs fn between BEGIN and COMMIT, or ROLLBACK when it fails or panics. ctx
// must be one that is never done: an interrupted COMMIT would be ErrUnknown.
func (c *conn) transact(ctx context.Context, fn func(context.Context, *conn) error) error {
	if _, err := c.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// Fails when SQLite has rolled back by itself, which is as good.
			_, _ = c.exec(ctx, "ROLLBACK")
		}
	}()
	if err := fn(ctx, c); err != nil {
		return err
	}
	err := c.with(ctx, "COMMIT", func(stmt *sql.Stmt) error {
		_, err := stmt.ExecContext(ctx)
		return err
	})
	committed = err == nil
	return translateCommit(err)
}

// snapshot runs fn, which only reads, so that it sees one state of the database.
// The caller's ctx ends what fn asks, never what is around it: a connection that was left
// inside a transaction could not be lent again.
func (c *conn) snapshot(ctx context.Context, fn func(context.Context, *conn) error) error {
	always := context.WithoutCancel(ctx)
	if _, err := c.exec(always, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		_, _ = c.exec(always, "ROLLBACK") // there is nothing to lose
	}()
	return fn(ctx, c)
}

// savepoint runs fn so that what it wrote is undone when it refuses (see refusal) and
// the transaction goes on. After any other error the transaction must be given up:
// SQLite may have rolled it back.
func (c *conn) savepoint(ctx context.Context, fn func() error) error {
	if _, err := c.exec(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	refused := fn()
	if refused != nil && !refusal(refused) {
		return refused
	}
	if refused != nil {
		if _, err := c.exec(ctx, "ROLLBACK TO one"); err != nil {
			return err
		}
	}
	if _, err := c.exec(ctx, "RELEASE one"); err != nil {
		return err
	}
	return refused
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(ctx context.Context, text string, args ...any) (rows int64, err error) {
	err = c.with(ctx, text, func(stmt *sql.Stmt) error {
		result, err := stmt.ExecContext(ctx, args...)
		if err == nil {
			rows, err = result.RowsAffected()
		}
		return err
	})
	return rows, translate(err)
}

// row is what a scanning function reads: *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// all reads every row of a query. No rows are an empty slice.
func all[T any](ctx context.Context, c *conn, scan func(row) (T, error), text string, args ...any) ([]T, error) {
	items := []T{}
	err := c.with(ctx, text, func(stmt *sql.Stmt) error {
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			item, err := scan(rows)
			if err != nil {
				return err
			}
			items = append(items, item)
		}
		return rows.Err()
	})
	return items, translate(err)
}

// first reads the first row of a query. ErrNotFound when there is none.
func first[T any](ctx context.Context, c *conn, scan func(row) (T, error), text string, args ...any) (item T, err error) {
	err = c.with(ctx, text, func(stmt *sql.Stmt) (err error) {
		item, err = scan(stmt.QueryRowContext(ctx, args...))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return item, persistence.ErrNotFound
	}
	return item, translate(err)
}

// scalar scans a row of one column.
func scalar[T any](r row) (value T, err error) {
	err = r.Scan(&value)
	return value, err
}

// with gives use the statement for text, which is prepared the first time and stays so
// as long as the connection.
func (c *conn) with(ctx context.Context, text string, use func(*sql.Stmt) error) error {
	stmt, ok := c.prepared[text]
	if !ok {
		var err error
		if stmt, err = c.raw.PrepareContext(ctx, text); err != nil {
			return err
		}
		c.prepared[text] = stmt
	}
	return use(stmt)
}
