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

// transact runs fn between BEGIN and COMMIT, or ROLLBACK if it fails or panics. ctx must not
// end, since an interrupted COMMIT would be ErrUnknown.
func (c *conn) transact(ctx context.Context, fn func(context.Context, *conn) error) error {
	if _, err := c.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// Fails if SQLite has rolled back already.
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

// snapshot runs fn, which only reads, in one snapshot of the database. The end of ctx ends
// the queries of fn, but not BEGIN and ROLLBACK, since a connection that stays inside a
// transaction could not be used again.
func (c *conn) snapshot(ctx context.Context, fn func(context.Context, *conn) error) error {
	always := context.WithoutCancel(ctx)
	if _, err := c.exec(always, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		_, _ = c.exec(always, "ROLLBACK") // nothing was written
	}()
	return fn(ctx, c)
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

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

// all returns every row of a query. The slice is never nil.
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

// first returns the first row of a query. Error: ErrNotFound if there is none.
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

// with calls use with the statement for text, which is prepared once per connection.
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
