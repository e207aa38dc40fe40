package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"trainbooking.dev/persistence"
)

var (
	TranslateCommit = translateCommit
	Translate       = translate
)

// Check returns what is wrong with a URL.
func Check(url string) error {
	_, _, err := parse(url, persistence.TLSFiles{}, configure)
	return err
}

// MigrateTo is Migrate up to an earlier version.
func (db *DB) MigrateTo(ctx context.Context, version int64) (err error) {
	handle := stdlib.OpenDB(*db.migration.next())
	defer func() { err = errors.Join(err, handle.Close()) }()
	provider, err := newProvider(handle)
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}

// LockTimeout is how long a statement waits for a lock.
const LockTimeout = 3 * time.Second

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

// The numbers of connections.
const (
	SalesConns    = salesConns
	ChangeConns   = changeConns
	AdoptionConns = adoptionConns
)

// Setting returns the value of a setting on a connection of a pool: "sales", "changes", "adoptions" or "".
func (db *DB) Setting(ctx context.Context, name, pool string) (value string, err error) {
	pools := map[string]*pgxpool.Pool{"": db.pool, "sales": db.sales, "changes": db.changes, "adoptions": db.adoptions}
	err = lend(ctx, pools[pool], func(raw *pgx.Conn) (err error) {
		value, err = first(ctx, &conn{raw, translate}, scalar[string], `SELECT current_setting($1)`, name)
		return err
	})
	return value, err
}

// Exec runs a statement on the connection that the next sale uses, once the DB is Settled.
func (db *DB) Exec(ctx context.Context, text string) error {
	return db.sell(ctx, "exec", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, text)
		return err
	})
}

// WaitForLocks lets the sales wait for locks without a limit, once the DB is Settled.
func (db *DB) WaitForLocks(ctx context.Context) (err error) {
	for _, c := range db.sales.AcquireAllIdle(ctx) {
		_, failed := c.Exec(ctx, `SET lock_timeout = 0; SET statement_timeout = 0`)
		err = errors.Join(err, failed)
		c.Release()
	}
	return err
}

// SetLastUse makes the DB regard every idle connection as used last at a time.
func (db *DB) SetLastUse(ctx context.Context, at time.Time) {
	for _, pool := range db.pools() {
		for _, c := range slices.Backward(pool.AcquireAllIdle(ctx)) { // so that the next call uses the same one
			c.Conn().PgConn().CustomData()[lastUse] = at
			c.Release()
		}
	}
}

// PlansOfAdoptions returns the plan of each prepared statement of the connections for adoptions, by
// the text of the statement.
func (db *DB) PlansOfAdoptions(ctx context.Context) (map[string]string, error) {
	return plansOf(ctx, db.adoptions)
}

// PlansOfReads is PlansOfAdoptions for the connections for all that has no other.
func (db *DB) PlansOfReads(ctx context.Context) (map[string]string, error) {
	return plansOf(ctx, db.pool)
}

// PlansOfSales is PlansOfAdoptions for the connections for sales and changes.
func (db *DB) PlansOfSales(ctx context.Context) (map[string]string, error) {
	return plansOf(ctx, db.sales, db.changes)
}

// plansOf asks every idle connection, since a pool may take any of them.
func plansOf(ctx context.Context, pools ...*pgxpool.Pool) (plans map[string]string, err error) {
	plans = map[string]string{}
	for _, pool := range pools {
		for _, c := range pool.AcquireAllIdle(ctx) {
			err = errors.Join(err, addPlans(ctx, &conn{c.Conn(), translate}, plans))
			c.Release()
		}
	}
	return plans, err
}

func addPlans(ctx context.Context, c *conn, plans map[string]string) error {
	type statement struct{ name, text, parameters string }
	const find = `
		SELECT name, statement, array_to_string(array_fill('NULL'::text, ARRAY[cardinality(parameter_types)]), ', ')
		FROM pg_prepared_statements WHERE cardinality(parameter_types) > 0`
	scan := func(r row) (s statement, err error) {
		err = r.Scan(&s.name, &s.text, &s.parameters)
		return s, err
	}
	statements, err := all(ctx, c, scan, find)
	for _, s := range statements {
		steps, err := all(ctx, c, scalar[string], `EXPLAIN EXECUTE `+s.name+`(`+s.parameters+`)`)
		if err != nil {
			return err
		}
		plans[s.text] = strings.Join(steps, "\n")
	}
	return err
}

// Settled reports whether the connections that are kept are open and no other is being opened.
func (db *DB) Settled() bool {
	for pool, conns := range map[*pgxpool.Pool]int32{db.sales: salesConns, db.changes: changeConns, db.adoptions: adoptionConns} {
		if pool.Stat().IdleConns() != conns || pool.Stat().ConstructingConns() != 0 {
			return false
		}
	}
	return db.pool.Stat().ConstructingConns() == 0
}

// CurrentUser returns the role of a connection of a pool; see Setting.
func (db *DB) CurrentUser(ctx context.Context, pool string) (user string, err error) {
	pools := map[string]*pgxpool.Pool{"": db.pool, "sales": db.sales, "changes": db.changes, "adoptions": db.adoptions}
	err = lend(ctx, pools[pool], func(raw *pgx.Conn) (err error) {
		user, err = first(ctx, &conn{raw, translate}, scalar[string], `SELECT current_user::text`)
		return err
	})
	return user, err
}
