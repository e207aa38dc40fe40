package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/persistence"
)

// ErrSettings says that what Open was given, or what the server is, must be changed by
// somebody: to wait and try again does not help.
var ErrSettings = errors.New("wrong settings")

// DefaultConns is enough for a node: sales go out one batch at a time, and reads are
// short. Postgres takes 100 connections unless it is told otherwise, and each node has
// two more than these.
const DefaultConns = 10

const (
	// reservedConns are for adoptions: one that waits for a sale in flight does not stop
	// another.
	reservedConns = 2
	// connectTimeout is short beside the 5 s that a request may take.
	connectTimeout = 3 * time.Second
	// oldest stands for connections that are not given up for their age.
	oldest = time.Duration(math.MaxInt64)
)

// settings are those of every session (RELIABILITY.md 2).
var settings = map[string]string{
	"default_transaction_isolation":       "read committed",
	"lock_timeout":                        "3s",
	"statement_timeout":                   "5s",
	"idle_in_transaction_session_timeout": "2s",
}

// plans are settings of every session that sells. Each statement here finds its rows by
// an index, whatever its parameters, so that a plan is made once and not each time: that
// halves the time of a sale by itself (1.0 to 0.5 ms). Without the second a plan that
// was made when there were three trains would read all of them when there are thousands.
// The planner overestimates Book, and compiling it takes longer than it.
var plans = map[string]string{
	"plan_cache_mode": "force_generic_plan",
	"enable_seqscan":  "off",
	"jit":             "off",
}

// Options tune a DB. The zero value means the defaults.
type Options struct {
	Conns      int          // connections beside the two that are reserved for adoptions
	MigrateURL string       // leads to the same database without a pooler between; "": the URL itself
	Logger     *slog.Logger // is told once what makes the database forgetful; nil: slog.Default
	// Traces gets a span for each statement on behalf of somebody who has one; nil: there
	// are none.
	Traces trace.TracerProvider
}

// DB is a database. It is safe for concurrent use.
type DB struct {
	pool      *pgxpool.Pool
	reserved  *pgxpool.Pool // for Epoch and Adopt
	migration *pgx.ConnConfig
	traced    bool
	close     func()
}

var _ persistence.Store = (*DB)(nil)

// Open connects to the database at url, which is a postgres:// URL or a keyword/value
// string of libpq, with any number of hosts. It does not create the tables: see Migrate.
// An error that is not ErrSettings may go away by itself, as when the server is not up
// yet.
func Open(ctx context.Context, url string, options Options) (*DB, error) {
	if options.Conns <= 0 {
		options.Conns = DefaultConns
	}
	if options.MigrateURL == "" {
		options.MigrateURL = url
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	db := &DB{traced: options.Traces != nil}
	db.close = sync.OnceFunc(db.closeAll)
	if err := errors.Join(db.connect(ctx, url, options), db.inspect(ctx, options.Logger)); err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: open: %w", translateOpen(err)), db.Close())
	}
	return db, nil
}

// Close waits for the callers that have a connection and closes the database. Those
// that come later get an error. It may be called twice.
func (db *DB) Close() error {
	db.close()
	return nil
}

// Ping writes, so that it fails when writing would: a record in the log of the server
// that means nothing and whose commit is real.
func (db *DB) Ping(ctx context.Context) error {
	const touch = `SELECT pg_logical_emit_message(true, 'trainbooking', 'ping')::text`
	return db.write(ctx, "ping", func(ctx context.Context, c *conn) error {
		_, err := first(ctx, c, scalar[string], touch)
		return err
	})
}

// write runs fn, each of whose statements commits by itself.
func (db *DB) write(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translateCommit})
	})
}

// adopt is write on a reserved connection.
func (db *DB) adopt(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.reserved, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translateCommit})
	})
}

// transact runs fn in a transaction and commits it unless fn fails. It is not for what
// is written on behalf of a train.
func (db *DB) transact(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return transact(ctx, raw, fn)
	})
}

// read runs fn, which only reads. Each of its statements sees a snapshot of its own.
func (db *DB) read(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translate})
	})
}

// snapshot is read with one snapshot for all statements.
func (db *DB) snapshot(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return snapshot(ctx, raw, fn)
	})
}

func (db *DB) lend(ctx context.Context, operation string, pool *pgxpool.Pool, fn func(context.Context, *pgx.Conn) error) error {
	ctx = db.named(ctx, operation)
	return wrap(operation, lend(ctx, pool, func(raw *pgx.Conn) error { return fn(ctx, raw) }))
}

func (db *DB) connect(ctx context.Context, url string, options Options) (err error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	configure(config.ConnConfig)
	maps.Copy(config.ConnConfig.RuntimeParams, plans)
	if db.traced {
		config.ConnConfig.Tracer = tracer(options.Traces)
	}
	config.MaxConns = int32(min(options.Conns, math.MaxInt32)) //nolint:gosec // just bounded
	if db.migration, err = migrationConfig(options.MigrateURL); err != nil {
		return err
	}
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	// Those for adoptions are made now and kept: later the server may have no more.
	reserved := config.Copy()
	reserved.MaxConns, reserved.MinConns = reservedConns, reservedConns
	reserved.MaxConnLifetime, reserved.MaxConnIdleTime = oldest, oldest
	db.reserved, err = pgxpool.NewWithConfig(ctx, reserved)
	return err
}

func (db *DB) closeAll() {
	for _, pool := range []*pgxpool.Pool{db.pool, db.reserved} {
		if pool != nil {
			pool.Close()
		}
	}
}

// configure gives a connection the settings of every session. It is refused by a server that takes
// no writes: decisions never come from a standby.
func configure(config *pgx.ConnConfig) {
	maps.Copy(config.RuntimeParams, settings)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "trainbooking"
	}
	if config.ConnectTimeout == 0 || config.ConnectTimeout > connectTimeout {
		config.ConnectTimeout = connectTimeout
	}
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
}

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("postgres: %s: %w", operation, err)
}
