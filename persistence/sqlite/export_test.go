package sqlite

import (
	"context"
	"strconv"
)

// TranslateCommit is translateCommit.
var TranslateCommit = translateCommit

// MigrateTo is Migrate up to an earlier version.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	provider, err := db.provider()
	if err == nil {
		_, err = provider.UpTo(ctx, version)
	}
	return err
}

// Exec executes a statement.
func (db *DB) Exec(ctx context.Context, text string, args ...any) error {
	return db.write(ctx, "exec", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, text, args...)
		return err
	})
}

// LimitPages limits the database to a number of pages, as a full disk would; 0: as many as it
// has.
func (db *DB) LimitPages(ctx context.Context, pages int) error {
	return db.writer.lend(ctx, func(c *conn) error {
		_, err := first(ctx, c, scalar[int], `PRAGMA max_page_count = `+strconv.Itoa(max(pages, 1)))
		return err
	})
}

// Queries are those that must read only the rows that they return or delete.
var Queries = map[string]string{
	"findLive": findLive, "findCancelled": findCancelled, "findSeats": findSeats, "findCancelledOfUser": findCancelledOfUser,
	"findBooking": findBooking, "findBookings": findBookings, "findOldestOfUser": findOfUser + isConfirmed + oldestFirst, "findNewestOfUser": findOfUser + isConfirmed + newestFirst,
	"findOldestCancelled": findOfUser + isCancelled + oldestFirst, "findNewestCancelled": findOfUser + isCancelled + newestFirst,
	"findOfTrain": findOfTrain + isConfirmed + oldestFirst, "findCancelledOfTrain": findOfTrain + isCancelled + oldestFirst,
	"findFormerTrain": findFormerTrain,
	"findSeatsOf":     findSeatsOf, "loadHolds": loadHolds, "userHolds": userHolds, "holdsOfUser": holdsOfUser, "trimHolds": trimHolds,
	"endHolds": endHolds, "purgeHolds": purgeHolds,
	"listSchedules": listSchedules, "changedSchedules": changedSchedules, "findFormerSchedule": findFormerSchedule,
	"countBooked": countBooked, "findOwnTrain": findOwnTrain,
}

// Plan returns how SQLite executes a query, one step per line.
func (db *DB) Plan(ctx context.Context, query string, parameters int) (steps []string, err error) {
	scan := func(r row) (step string, err error) {
		var id, parent, unused int
		err = r.Scan(&id, &parent, &unused, &step)
		return step, err
	}
	err = db.read(ctx, "plan", func(ctx context.Context, c *conn) error {
		steps, err = all(ctx, c, scan, `EXPLAIN QUERY PLAN `+query, make([]any, parameters)...)
		return err
	})
	return steps, err
}

// Count counts the rows of a table.
func (db *DB) Count(ctx context.Context, table string) (rows int, err error) {
	err = db.read(ctx, "count", func(ctx context.Context, c *conn) error {
		rows, err = first(ctx, c, scalar[int], `SELECT count(*) FROM `+table)
		return err
	})
	return rows, err
}

// Pragma returns the value of a setting on a connection of the pool writer, lazy or readers.
func (db *DB) Pragma(ctx context.Context, name, lender string) (value string, err error) {
	pools := map[string]*pool{"writer": db.writer, "lazy": db.lazy, "readers": db.readers}
	err = pools[lender].lend(ctx, func(c *conn) error {
		value, err = first(ctx, c, scalar[string], `PRAGMA `+name)
		return err
	})
	return value, err
}

// BreakReferences writes a booking of a train that does not exist.
func (db *DB) BreakReferences(ctx context.Context) error {
	return db.writer.lend(ctx, func(c *conn) error {
		for _, text := range []string{
			`PRAGMA foreign_keys = 0`,
			`INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at) VALUES (x'01', x'02', x'03', 1, '[1]', 1, 0)`,
			`PRAGMA foreign_keys = 1`,
		} {
			if _, err := c.exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// LimitBackups limits each backup to a number of pages, as a full disk would.
func (db *DB) LimitBackups(pages int) {
	db.backupSettings = []string{"max_page_count(" + strconv.Itoa(pages) + ")"}
}
