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
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/persistence"
)

// The permanent errors of Open.
var (
	// ErrSettings means that the arguments are wrong: the URL or a file is malformed, or the server
	// refuses them.
	ErrSettings = errors.New("wrong settings")
	// ErrPassword is the ErrSettings for a wrong password. The file may not have the new one yet.
	ErrPassword = errors.New("wrong password")
	// ErrServer means that the service cannot work with the settings of the server.
	ErrServer = errors.New("unsuitable server")
)

const (
	// DefaultConns is the number of connections for what has no others. With those a process has
	// 14, and Postgres accepts 100 by default.
	DefaultConns = 5
	// SaleWriters is the number of partitions in which sales should be written: that many calls of
	// Book, and one more for a train that somebody else has locked, have a connection each.
	SaleWriters = 3
)

const (
	salesConns = SaleWriters + 1
	// changeConns is for exchanges, cancellations, changes and deletions, which do not wait for the row of a
	// train that somebody else has locked.
	changeConns = 2
	// adoptionConns is one for each step of loads: the epochs, the adoptions and the trains.
	adoptionConns = 3
	// connectTimeout is for each host of a URL. A request that pings a silent server, gives up the
	// first host and connects to the second one has more than half of its 5 s left.
	connectTimeout = 1500 * time.Millisecond
	// aheadTimeout bounds a step that a request waits for. A step that is silent for so long leaves
	// time for another attempt on a new connection.
	aheadTimeout = 3 * time.Second
	// loadTimeout bounds a load, which may take longer: a little more than statement_timeout.
	loadTimeout = 6 * time.Second
	// reopenEvery is how often a pool that keeps its connections replaces those that it has lost.
	reopenEvery = time.Second
	// noLimit is the lifetime of a connection that is never closed for its age.
	noLimit = time.Duration(math.MaxInt64)
)

// Options tune a DB. The zero value means the defaults.
type Options struct {
	Conns      int                  // connections, not counting those for sales and adoptions; 0: DefaultConns
	MigrateURL string               // of the same database without a pooler; "": the URL of Open
	TLS        persistence.TLSFiles // added to the parameters of both URLs, and read for each connection
	// Reread and RereadMigrate return the URLs as they are now, with another user or password. They are
	// called for each connection. nil: the URL does not change.
	Reread, RereadMigrate func() (string, error)
	Logger                *slog.Logger // gets warnings about settings that can lose data; nil: slog.Default
	// Traces gets a child span for each statement whose context has a span; nil: no spans.
	Traces trace.TracerProvider
}

// DB is a database. It is safe for concurrent use.
type DB struct {
	pool      *pgxpool.Pool // for all that has no other
	sales     *pgxpool.Pool // for Book
	changes   *pgxpool.Pool // for the other guarded writes of trains
	adoptions *pgxpool.Pool // for Epochs, Adopt, LoadTrains and what else a sale waits for
	migration *source       // of the connections of Migrate
	traced    bool
	close     func()
}

var _ persistence.Store = (*DB)(nil)

// Open connects to the database at url, which is a postgres:// URL or a keyword/value
// string of libpq, with any number of hosts. It does not create the tables: see Migrate.
// An error that is not ErrSettings may be temporary, for example while the server starts.
func Open(ctx context.Context, url string, options Options) (*DB, error) {
	if options.Conns <= 0 {
		options.Conns = DefaultConns
	}
	if options.MigrateURL == "" {
		options.MigrateURL, options.RereadMigrate = url, options.Reread
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	db := &DB{traced: options.Traces != nil}
	db.close = sync.OnceFunc(db.closeAll)
	warnings, err := db.connect(ctx, url, options)
	if err == nil {
		err = translateOpen(db.checkSettings(ctx, options.Logger), url)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: open: %w", err), db.Close())
	}
	for _, warning := range warnings {
		options.Logger.WarnContext(ctx, warning)
	}
	return db, nil
}

// Close waits for calls in flight and closes the database. Later calls fail. It may be called
// twice.
func (db *DB) Close() error {
	db.close()
	return nil
}

// Ping returns an error if an adoption would fail: it commits a record to the write-ahead log that
// is not used.
func (db *DB) Ping(ctx context.Context) error {
	const touch = `SELECT pg_logical_emit_message(true, 'trainbooking', 'ping')::text`
	return db.adopt(ctx, "ping", func(ctx context.Context, c *conn) error {
		_, err := first(ctx, c, scalar[string], touch)
		return err
	})
}

// write runs fn outside of a transaction, so that each statement commits.
func (db *DB) write(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translateCommit})
	})
}

// sell is write on a connection for sales. The caller bounds it.
func (db *DB) sell(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.sales, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translateCommit})
	})
}

// change is write on a connection for changes.
func (db *DB) change(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.changes, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translateCommit})
	})
}

// adopt is write on a connection for adoptions.
func (db *DB) adopt(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, aheadTimeout)
	defer cancel()
	return db.lend(ctx, operation, db.adoptions, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translateCommit})
	})
}

// transact runs fn in a transaction and commits it unless fn fails. It is not for writes on
// behalf of a train.
func (db *DB) transact(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return transact(ctx, raw, fn)
	})
}

// read runs fn, which only reads. Each statement sees its own snapshot.
func (db *DB) read(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translate})
	})
}

// readAhead is read on a connection for adoptions. It is for what a sale waits for.
func (db *DB) readAhead(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, aheadTimeout)
	defer cancel()
	return db.lend(ctx, operation, db.adoptions, func(ctx context.Context, raw *pgx.Conn) error {
		return fn(ctx, &conn{raw, translate})
	})
}

// snapshot is read with one snapshot for all statements.
func (db *DB) snapshot(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.lend(ctx, operation, db.pool, func(ctx context.Context, raw *pgx.Conn) error {
		return snapshot(ctx, raw, fn)
	})
}

// snapshotAhead is snapshot on a connection for adoptions.
func (db *DB) snapshotAhead(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return db.lend(ctx, operation, db.adoptions, func(ctx context.Context, raw *pgx.Conn) error {
		return snapshot(ctx, raw, fn)
	})
}

func (db *DB) lend(ctx context.Context, operation string, pool *pgxpool.Pool, fn func(context.Context, *pgx.Conn) error) error {
	ctx = db.named(ctx, operation)
	err := lend(ctx, pool, func(raw *pgx.Conn) error { return fn(ctx, raw) })
	if codeOf(err) == readOnlyTransaction {
		db.reconnect()
	}
	return wrap(operation, err)
}

// reconnect replaces every connection, also those that only read. The server became read-only, so
// it is no longer the primary and its data may be old. New connections find the one that accepts
// writes.
func (db *DB) reconnect() {
	for _, pool := range db.pools() {
		pool.Reset()
	}
}

func (db *DB) pools() []*pgxpool.Pool {
	return []*pgxpool.Pool{db.pool, db.sales, db.changes, db.adoptions}
}

// connect parses the URLs and creates the pools. The warnings are about the URLs.
func (db *DB) connect(ctx context.Context, url string, options Options) (warnings []string, err error) {
	from, config, warnings, err := newSource(url, options.Reread, options, func(c *pgx.ConnConfig) {
		configure(c)
		maps.Copy(c.RuntimeParams, plans)
		if db.traced {
			c.Tracer = tracer(options.Traces)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%w: the URL of Postgres: %w", ErrSettings, err)
	}
	if db.migration, _, _, err = newSource(options.MigrateURL, options.RereadMigrate, options, configureMigration); err != nil {
		return nil, fmt.Errorf("%w: the URL of Postgres for migrations: %w", ErrSettings, err)
	}
	config.BeforeConnect = from.refresh
	config.MaxConns = int32(min(options.Conns, math.MaxInt32))                                //nolint:gosec // just bounded
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // see borrow
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	if db.sales, err = kept(ctx, config, salesConns, saleSettings); err != nil {
		return nil, err
	}
	if db.changes, err = kept(ctx, config, changeConns, changeSettings); err != nil {
		return nil, err
	}
	db.adoptions, err = kept(ctx, config, adoptionConns, adoptionSettings)
	return warnings, err
}

// kept returns a pool that opens its connections now and never closes them for their age, because
// later the server may have none left. set changes the settings of their sessions.
func kept(ctx context.Context, config *pgxpool.Config, conns int32, set string) (*pgxpool.Pool, error) {
	config = config.Copy()
	config.AfterConnect = func(ctx context.Context, raw *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		_, err := raw.Exec(ctx, set)
		markUsed(raw)
		return err
	}
	config.HealthCheckPeriod = reopenEvery
	config.MaxConns, config.MinConns, config.MinIdleConns = conns, conns, 0
	config.MaxConnLifetime, config.MaxConnIdleTime = noLimit, noLimit
	return pgxpool.NewWithConfig(ctx, config)
}

func (db *DB) closeAll() {
	for _, pool := range db.pools() {
		if pool != nil {
			pool.Close()
		}
	}
}

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("postgres: %s: %w", operation, err)
}
