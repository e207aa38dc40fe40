package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

var errClosed = errors.New("the database is closed")

// pool lends connections, each to one borrower at a time.
type pool struct {
	free      chan *conn
	closed    chan struct{}
	closeOnce sync.Once
}

// newPool opens size connections and runs the statements of setup on each.
func newPool(ctx context.Context, handle *sql.DB, size int, busy time.Duration, setup ...string) (*pool, error) {
	p := &pool{free: make(chan *conn, size), closed: make(chan struct{})}
	for range size {
		c, err := dial(ctx, handle, busy, statements(setup))
		if err != nil {
			for range len(p.free) {
				err = errors.Join(err, (<-p.free).raw.Close())
			}
			return nil, err
		}
		p.free <- c
	}
	return p, nil
}

// dial opens a connection and calls setup with it. While another connection switches the file to
// WAL mode, recovers it, or closes it as the last one, SQLite returns SQLITE_BUSY at once
// (https://www.sqlite.org/wal.html#busy). So dial retries, for as long as a writer would wait.
func dial(
	ctx context.Context, handle *sql.DB, busy time.Duration, setup func(context.Context, *conn) error,
) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, busy)
	defer cancel()
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		c, err := dialOnce(ctx, handle, setup)
		if !isBusy(err) {
			return c, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// retryEvery is the interval at which a lock or connection is retried, when processes start at
// the same time.
const retryEvery = 20 * time.Millisecond

func dialOnce(ctx context.Context, handle *sql.DB, setup func(context.Context, *conn) error) (*conn, error) {
	raw, err := handle.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{raw: raw, prepared: map[string]*sql.Stmt{}}
	if err := setup(ctx, c); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return c, nil
}

// statements returns a setup that executes them.
func statements(texts []string) func(context.Context, *conn) error {
	return func(ctx context.Context, c *conn) error {
		for _, text := range texts {
			if _, err := c.exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}
}

// lend waits for a connection and calls fn with it. The error is that of fn, or, if fn was
// not called, that of ctx or errClosed.
func (p *pool) lend(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-p.closed:
		return errClosed
	default:
	}
	select {
	case c := <-p.free:
		defer func() { p.free <- c }()
		return fn(c)
	case <-p.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close waits for every connection to be returned and closes it. A nil pool has none.
func (p *pool) close() (err error) {
	if p == nil {
		return nil
	}
	p.closeOnce.Do(func() {
		close(p.closed)
		for range cap(p.free) {
			err = errors.Join(err, (<-p.free).raw.Close())
		}
	})
	return err
}
