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

// exportBatch rows at a time are read, so that a store of any size can be.
const exportBatch = 1000

// Exists reports whether there is a database in dir, which Open would create.
func Exists(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, "trainbooking.db"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Export gives every row that is worth keeping at now to fn, in batches, in the order of
// persistence.Tables, from one snapshot, and returns how many there were. It ends with
// the first error of fn.
func (db *DB) Export(ctx context.Context, now time.Time, fn func(persistence.Rows) error) (counts persistence.Counts, err error) {
	counts = persistence.Counts{}
	err = db.read(ctx, "export", func(ctx context.Context, c *conn) error {
		e := export{ctx, c, counts, fn}
		for _, table := range []func() error{
			e.users, e.trains, e.seats, e.bookings, func() error { return e.replies(now) },
		} {
			if err := table(); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// HasAll reports whether every one of the ids is a row of the table, which is that of users,
// trains or bookings.
func (db *DB) HasAll(ctx context.Context, table persistence.Table, ids []uuid.UUID) (has bool, err error) {
	query, ok := map[persistence.Table]string{
		persistence.TableUsers:    `SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)`,
		persistence.TableTrains:   `SELECT EXISTS (SELECT 1 FROM trains WHERE id = ?)`,
		persistence.TableBookings: `SELECT EXISTS (SELECT 1 FROM bookings WHERE id = ?)`,
	}[table]
	if !ok {
		return false, errors.New("sqlite: no ids in table " + string(table))
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

// export reads the tables one after another, each in the order of its key.
type export struct {
	ctx    context.Context
	c      *conn
	counts persistence.Counts
	fn     func(persistence.Rows) error
}

// exportTable reads the rows after a key, again and again, and gives each batch to fn.
func exportTable[T any](
	e export, table persistence.Table, scan func(row) (T, error), rowsOf func([]T) persistence.Rows,
	key func(T) []any, text string, from ...any,
) error {
	e.counts[table] = 0
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
