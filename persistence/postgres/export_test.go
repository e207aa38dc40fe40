package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

var (
	TranslateCommit = translateCommit
	Translate       = translate
)

// MigrationLock is the advisory lock of a migration.
const MigrationLock = migrationLock

// CheckServer returns why a server with this version and lock_timeout is refused.
func CheckServer(version int, lockTimeout string) error {
	return server{version: version, lockTimeout: lockTimeout}.check()
}

// Warnings returns the warnings about a server with these settings.
func Warnings(synchronousCommit, fsync string) []string {
	return server{synchronousCommit: synchronousCommit, fsync: fsync}.warnings()
}

// Setting returns the value of a setting on a connection, which may be a reserved one.
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

// Exec runs a statement on the connection of the pool that was used last.
func (db *DB) Exec(ctx context.Context, text string) error {
	return db.read(ctx, "exec", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, text)
		return err
	})
}

// Settled reports whether the reserved connections are open and no other is being opened.
func (db *DB) Settled() bool {
	reserved := db.reserved.Stat()
	return reserved.IdleConns() == reservedConns && reserved.ConstructingConns() == 0 && db.pool.Stat().ConstructingConns() == 0
}
