package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// The files are append-only: a change of the schema is a new file. Their numbers are
// the same for every engine.
//
//go:embed migrations/*.sql
var migrations embed.FS

const (
	// migrationLock is the advisory lock of a migration: the first eight bytes of SHA-256 of
	// "trainbooking.dev/persistence/postgres".
	migrationLock int64 = 0x4e1ff4d56c5b730e
	// retryEvery is the interval at which the lock is tried. A statement that waits for it would
	// keep a snapshot, and CREATE INDEX CONCURRENTLY in the migration would wait for that.
	retryEvery = 100 * time.Millisecond
)

// Migrate brings the tables to the newest version that this program supports. It is
// idempotent and safe for concurrent use by several processes. The errors are those of Open.
func (db *DB) Migrate(ctx context.Context) (err error) {
	handle := stdlib.OpenDB(*db.migration.next(), stdlib.OptionBeforeConnect(db.migration.refresh))
	defer func() { err = errors.Join(err, handle.Close()) }()
	session, err := awaitLock(ctx, handle)
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", translateOpen(err, db.migration.url))
	}
	// Closing the session releases the lock.
	defer session.Close()
	provider, err := newProvider(handle)
	if err != nil {
		return fmt.Errorf("postgres: migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("postgres: migrate: %w", translate(err))
	}
	return nil
}

func newProvider(handle *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, handle, files, goose.WithDisableGlobalRegistry(true))
}

// NewestVersion returns the newest version of the tables that this program supports.
func NewestVersion() int64 {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		panic("no migrations are compiled in")
	}
	newest, err := goose.NumericComponent(files[len(files)-1])
	if err != nil {
		panic(err)
	}
	return newest
}

// Version returns the version of the tables (0: no tables) and the newest one that this
// program supports. It only reads.
func (db *DB) Version(ctx context.Context) (current, newest int64, err error) {
	const (
		exists = `SELECT to_regclass('goose_db_version') IS NOT NULL`
		find   = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	)
	err = db.read(ctx, "version", func(ctx context.Context, c *conn) error {
		migrated, err := first(ctx, c, scalar[bool], exists)
		if err == nil && migrated {
			current, err = first(ctx, c, scalar[int64], find)
		}
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	newest, err = newestVersion()
	return current, newest, err
}

func newestVersion() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("postgres: no migrations: %w", err)
	}
	return goose.NumericComponent(files[len(files)-1])
}

// awaitLock waits for the advisory lock, or returns the error of ctx.
func awaitLock(ctx context.Context, handle *sql.DB) (*sql.Conn, error) {
	session, err := handle.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		var locked bool
		err := session.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, migrationLock).Scan(&locked)
		if err == nil && locked {
			return session, nil
		}
		if err != nil {
			return nil, errors.Join(err, session.Close())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), session.Close())
		}
	}
}

// configureMigration completes the configuration of Migrate's connections. A migration has no
// statement_timeout, but keeps lock_timeout, so that sales do not wait behind it for the lock of
// a table. What is built CONCURRENTLY sets lock_timeout to 0: no sale waits behind that.
func configureMigration(config *pgx.ConnConfig) {
	configure(config)
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "1min"
}
