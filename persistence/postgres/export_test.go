package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"trainbooking.dev/booking"
)

// What becomes of an error of a statement that commits, and of one that does not.
var (
	TranslateCommit = translateCommit
	Translate       = translate
)

// MigrationLock is the advisory lock of the one who migrates.
const MigrationLock = migrationLock

// Refusal says why a server of this version and lock_timeout is refused.
func Refusal(version int, lockTimeout string) error {
	return server{version: version, lockTimeout: lockTimeout}.refusal()
}

// Warnings are what is said about a server that forgets.
func Warnings(synchronousCommit, fsync string) []string {
	return server{synchronousCommit: synchronousCommit, fsync: fsync}.warnings()
}

// Setting returns the value that a setting has on a connection, a reserved one or not.
func (db *DB) Setting(ctx context.Context, name string, reserved bool) (value string, err error) {
	pool := db.pool
	if reserved {
		pool = db.reserved
	}
	err = lend(ctx, pool, func(raw *pgx.Conn) (err error) {
		value, err = first(ctx, &conn{raw, translate}, scalar[string], `SELECT current_setting($1)`, name)
		return err
	})
	return value, err
}

// Exec runs a statement on a connection of the pool, the one that was used last.
func (db *DB) Exec(ctx context.Context, text string) error {
	return db.read(ctx, "exec", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, text)
		return err
	})
}

// Settled reports whether the reserved connections are there and no other is being made.
func (db *DB) Settled() bool {
	reserved := db.reserved.Stat()
	return reserved.IdleConns() == reservedConns && reserved.ConstructingConns() == 0 && db.pool.Stat().ConstructingConns() == 0
}

// The reading of columns that hold a list, for fuzzing.
var (
	List      = list[booking.Stop]
	FromStops = fromList[booking.Stop]
)
