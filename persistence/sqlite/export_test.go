package sqlite

import (
	"context"
	"strconv"
)

// TranslateCommit is translateCommit.
var TranslateCommit = translateCommit

// LimitPages limits the database to a number of pages, as a full disk would; 0: as many as it
// has.
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

// Pragma returns the value of a setting on a connection that writes or one that reads.
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
