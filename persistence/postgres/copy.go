package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/persistence"
)

// idBatch is the number of ids in a batch.
const idBatch = 1000

// Import inserts or replaces rows by their keys, in one transaction. It is idempotent, and does
// not write rows that are equal. It leaves trains without an owner. Do not call it on a database
// that a service uses.
func (db *DB) Import(ctx context.Context, rows persistence.Rows) error {
	return db.transact(ctx, "import", func(ctx context.Context, c *conn) error {
		for _, write := range []func(context.Context, *conn, persistence.Rows) error{
			importUsers, importSchedules, importFormerSchedules, importTrains, importFormerTrains, importSeats, importBookings,
			importReplies,
		} {
			if err := write(ctx, c, rows); err != nil {
				return err
			}
		}
		return nil
	})
}

// Count returns the number of rows of each table, without replies that have expired at now.
func (db *DB) Count(ctx context.Context, now time.Time) (counts persistence.Counts, err error) {
	const count = `
		SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM schedules), (SELECT count(*) FROM former_schedules),
			(SELECT count(*) FROM trains), (SELECT count(*) FROM former_trains), (SELECT count(*) FROM seats),
			(SELECT count(*) FROM bookings), (SELECT count(*) FROM idempotency_keys WHERE expires_at > $1)`
	err = db.offline(ctx, "count", func(ctx context.Context, c *conn) error {
		counts, err = first(ctx, c, scanCounts, count, now)
		return err
	})
	return counts, err
}

// Served reports whether a service has used the database: a train has an owner or a user has a
// refresh token. Import makes neither.
func (db *DB) Served(ctx context.Context) (served bool, err error) {
	const find = `
		SELECT EXISTS (SELECT 1 FROM trains WHERE owner IS NOT NULL) OR EXISTS (SELECT 1 FROM refresh_tokens)`
	err = db.offline(ctx, "served", func(ctx context.Context, c *conn) error {
		served, err = first(ctx, c, scalar[bool], find)
		return err
	})
	return served, err
}

// EachID calls fn with every id of a table, which must be users, schedules, trains or bookings, in batches.
// It stops at the first error of fn.
func (db *DB) EachID(ctx context.Context, table persistence.Table, fn func([]uuid.UUID) error) error {
	query, ok := map[persistence.Table]string{
		persistence.TableUsers:     `SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2`,
		persistence.TableSchedules: `SELECT id FROM schedules WHERE id > $1 ORDER BY id LIMIT $2`,
		persistence.TableTrains:    `SELECT id FROM trains WHERE id > $1 ORDER BY id LIMIT $2`,
		persistence.TableBookings:  `SELECT id FROM bookings WHERE id > $1 ORDER BY id LIMIT $2`,
	}[table]
	if !ok {
		return errors.New("postgres: table " + string(table) + " has no column id")
	}
	scan := func(r row) (u uuid.UUID, err error) {
		err = r.Scan((*[16]byte)(&u))
		return u, err
	}
	var after uuid.UUID
	for {
		var ids []uuid.UUID
		err := db.read(ctx, "ids", func(ctx context.Context, c *conn) (err error) {
			ids, err = all(ctx, c, scan, query, id(after), idBatch)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := fn(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// offline runs fn in a transaction without statement_timeout, since it reads whole tables.
func (db *DB) offline(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.transact(ctx, operation, func(ctx context.Context, c *conn) error {
		if _, err := c.exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		return fn(ctx, c)
	})
}

func scanCounts(r row) (persistence.Counts, error) {
	numbers := make([]int64, len(persistence.Tables))
	dest := make([]any, len(numbers))
	for i := range numbers {
		dest[i] = &numbers[i]
	}
	err := r.Scan(dest...)
	counts := persistence.Counts{}
	for i, table := range persistence.Tables {
		counts[table] = numbers[i]
	}
	return counts, err
}
