package sqlite

import (
	"context"
	"strconv"

	"trainbooking.dev/booking"
)

// TranslateCommit is what becomes of an error of COMMIT.
var TranslateCommit = translateCommit

// LimitPages lets the database grow to that many pages and no further, as a full disk
// would. 0 means as many as it has.
func (db *DB) LimitPages(ctx context.Context, pages int) error {
	return db.writer.lend(ctx, func(c *conn) error {
		_, err := first(ctx, c, scalar[int], `PRAGMA max_page_count = `+strconv.Itoa(max(pages, 1)))
		return err
	})
}

// Count counts the rows of a table.
func (db *DB) Count(ctx context.Context, table string) (rows int, err error) {
	err = db.read(ctx, "count", func(ctx context.Context, c *conn) error {
		rows, err = first(ctx, c, scalar[int], `SELECT count(*) FROM `+table)
		return err
	})
	return rows, err
}

// Pragma returns the value that a setting has on a connection that writes or reads.
func (db *DB) Pragma(ctx context.Context, name string, writes bool) (value string, err error) {
	lender := db.readers
	if writes {
		lender = db.writer
	}
	err = lender.lend(ctx, func(c *conn) error {
		value, err = first(ctx, c, scalar[string], `PRAGMA `+name)
		return err
	})
	return value, err
}

// The reading of columns that hold a list, for fuzzing.
var (
	List      = list[booking.Stop]
	FromStops = fromList[booking.Stop]
	FromSeats = fromList[int]
)
