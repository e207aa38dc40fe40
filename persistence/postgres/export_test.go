package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

var (
	TranslateCommit = translateCommit
	Translate       = translate
)

// MigrateTo is Migrate up to an earlier version.
func (db *DB) MigrateTo(ctx context.Context, version int64) (err error) {
	handle := stdlib.OpenDB(*db.migration)
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
	AdoptionConns = adoptionConns
)

// Setting returns the value of a setting on a connection of a pool: "sales", "adoptions" or "".
func (db *DB) Setting(ctx context.Context, name, pool string) (value string, err error) {
	pools := map[string]*pgxpool.Pool{"": db.pool, "sales": db.sales, "adoptions": db.adoptions}
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

// PlansOfAdoptions returns the plan of each prepared statement of the connection for adoptions that
// was used last, by the text of the statement.
func (db *DB) PlansOfAdoptions(ctx context.Context) (map[string]string, error) {
	return plansOf(ctx, db.readAhead)
}

// PlansOfReads is PlansOfAdoptions for a connection for all that has no other.
func (db *DB) PlansOfReads(ctx context.Context) (map[string]string, error) {
	return plansOf(ctx, db.read)
}

// PlansOfSales is PlansOfAdoptions for a connection for sales.
func (db *DB) PlansOfSales(ctx context.Context) (map[string]string, error) {
	return plansOf(ctx, db.sell)
}

func plansOf(
	ctx context.Context, read func(context.Context, string, func(context.Context, *conn) error) error,
) (plans map[string]string, err error) {
	type statement struct{ name, text, parameters string }
	const find = `
		SELECT name, statement, array_to_string(array_fill('NULL'::text, ARRAY[cardinality(parameter_types)]), ', ')
		FROM pg_prepared_statements WHERE cardinality(parameter_types) > 0`
	scan := func(r row) (s statement, err error) {
		err = r.Scan(&s.name, &s.text, &s.parameters)
		return s, err
	}
	plans = map[string]string{}
	err = read(ctx, "plans", func(ctx context.Context, c *conn) error {
		statements, err := all(ctx, c, scan, find)
		for _, s := range statements {
			steps, err := all(ctx, c, scalar[string], `EXPLAIN EXECUTE `+s.name+`(`+s.parameters+`)`)
			if err != nil {
				return err
			}
			plans[s.text] = strings.Join(steps, "\n")
		}
		return err
	})
	return plans, err
}

// Settled reports whether the connections that are kept are open and no other is being opened.
func (db *DB) Settled() bool {
	return db.sales.Stat().IdleConns() == salesConns && db.adoptions.Stat().IdleConns() == adoptionConns &&
		db.sales.Stat().ConstructingConns()+db.adoptions.Stat().ConstructingConns()+db.pool.Stat().ConstructingConns() == 0
}
