package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/persistence"
)

// exportBatch is the number of rows in a batch.
const exportBatch = 1000

// Exists reports whether dir has a database. Unlike Open, it does not create one.
func Exists(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, describeDir(dir, err)
	}
	return true, nil
}

// Export calls fn with every row of persistence.Tables, in that order and in batches, from one
// snapshot, and returns the numbers of rows. It omits replies that have expired at now. It stops
// at the first error of fn.
func (db *DB) Export(ctx context.Context, now time.Time, fn func(persistence.Rows) error) (counts persistence.Counts, err error) {
	counts = persistence.Counts{}
	err = db.read(ctx, "export", func(ctx context.Context, c *conn) error {
		e := export{ctx, c, counts, fn}
		for _, table := range []func() error{
			e.users, e.schedules, e.formerSchedules, e.trains, e.formerTrains, e.seats, e.bookings,
			func() error { return e.replies(now) },
		} {
			if err := table(); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// HasAll reports whether the table, which must be users, schedules, trains or bookings, has a row
// for every id.
func (db *DB) HasAll(ctx context.Context, table persistence.Table, ids []uuid.UUID) (has bool, err error) {
	query, ok := map[persistence.Table]string{
		persistence.TableUsers:     `SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)`,
		persistence.TableSchedules: `SELECT EXISTS (SELECT 1 FROM schedules WHERE id = ?)`,
		persistence.TableTrains:    `SELECT EXISTS (SELECT 1 FROM trains WHERE id = ?)`,
		persistence.TableBookings:  `SELECT EXISTS (SELECT 1 FROM bookings WHERE id = ?)`,
	}[table]
	if !ok {
		return false, errors.New("sqlite: table " + string(table) + " has no column id")
	}
	err = db.read(ctx, "has all", func(ctx context.Context, c *conn) error {
		for _, id := range ids {
			if has, err = first(ctx, c, scalar[bool], query, id[:]); err != nil || !has {
				return err
			}
		}
		has = true
		return nil
	})
	return has, err
}

// export reads the tables, each in the order of its key.
type export struct {
	ctx    context.Context
	c      *conn
	counts persistence.Counts
	fn     func(persistence.Rows) error
}

// exportTable calls fn with batches of rows. Each batch begins after the last key of the one
// before it.
func exportTable[T any](
	e export, table persistence.Table, scan func(row) (T, error), rowsOf func([]T) persistence.Rows,
	key func(T) []any, text string, from ...any,
) error {
	e.counts[table] += 0 // for a table without rows
	for {
		items, err := all(e.ctx, e.c, scan, text, append(from, exportBatch)...)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return nil
		}
		if err := e.fn(rowsOf(items)); err != nil {
			return err
		}
		e.counts[table] += int64(len(items))
		from = key(items[len(items)-1])
	}
}
