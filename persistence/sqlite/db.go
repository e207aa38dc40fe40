package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"trainbooking.dev/persistence"
)

// The defaults of Options.
const (
	DefaultReaders = 4
	// DefaultBusyTimeout is shorter than the five seconds that a request may take
	// (API.md, 504), so that the request fails with a known outcome.
	DefaultBusyTimeout = 3 * time.Second
)

// fileName is the name of the database in the data directory.
const fileName = "trainbooking.db"

// readerCache bounds the cache of each reader to 512 KiB of pages. The default is 2 MB, which a read
// of all trains fills at each reader, with pages that the cache of the file system has too. Each page
// of 4 KiB takes 8 KiB, because the allocator of modernc.org rounds up to powers of two.
const readerCache = `PRAGMA cache_size = -512`

// Options tune a DB. The zero value means the defaults.
type Options struct {
	Readers     int              // connections that read
	BusyTimeout time.Duration    // how long to wait for another process that writes
	Now         func() time.Time // decides which rows have expired and are deleted
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dir     string
	options Options
	handle  *sql.DB
	writer  *pool
	lazy    *pool // for whoever has the writer: commits without waiting for the disk
	readers *pool
	close   func() error

	backupSettings []string // more pragmas of the file of a backup, for tests
}

var (
	_ persistence.Store = (*DB)(nil)
	_ persistence.Holds = (*DB)(nil)
)

// Open opens the database trainbooking.db in dir and creates both if they are missing,
// readable only by their owner. It does not create the tables: see Migrate. Errors: ErrSettings if
// the file is not a Trainbooking database, which is then left unchanged, or not accessible; ErrDamaged.
func Open(ctx context.Context, dir string, options Options) (*DB, error) {
	if options.Readers <= 0 {
		options.Readers = DefaultReaders
	}
	if options.BusyTimeout <= 0 {
		options.BusyTimeout = DefaultBusyTimeout
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	path, err := createFile(dir)
	if err != nil {
		return nil, describeDir(dir, err)
	}
	handle, err := sql.Open("sqlite", dataSource(path, options.BusyTimeout))
	if err != nil {
		return nil, fmt.Errorf("sqlite: open: %w", err)
	}
	db := &DB{dir: dir, options: options, handle: handle}
	db.close = sync.OnceValue(db.closeAll)
	if err := db.connect(ctx); err != nil {
		return nil, errors.Join(describeFile("open", path, err), db.Close())
	}
	return db, nil
}

// Close waits for calls in flight and closes the database. Later calls fail. It may be called
// twice.
func (db *DB) Close() error { return db.close() }

// Ping returns an error if a write would fail: it commits a value that is not used and never
// changes.
func (db *DB) Ping(ctx context.Context) error {
	const touch = `PRAGMA user_version = 0`
	return db.write(ctx, "ping", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, touch)
		return err
	})
}

// write runs fn in a transaction on the writer and commits it unless fn fails. The end of
// ctx only ends the wait for the writer, so that the outcome is known. BusyTimeout limits the
// wait for the lock; a slow disk is not limited.
func (db *DB) write(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.wrap(operation, db.writer.lend(ctx, func(c *conn) error {
		return c.transact(context.WithoutCancel(ctx), fn)
	}))
}

// writeLazily is write without a sync of the file. The next write that is synced makes this one
// durable too, since both are in one log. Until then a loss of power loses it, a kill does not.
func (db *DB) writeLazily(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.wrap(operation, db.writer.lend(ctx, func(*conn) error {
		ctx := context.WithoutCancel(ctx)
		return db.lazy.lend(ctx, func(c *conn) error { return c.transact(ctx, fn) })
	}))
}

// read runs fn on a reader, in one snapshot.
func (db *DB) read(ctx context.Context, operation string, fn func(context.Context, *conn) error) error {
	return db.wrap(operation, db.readers.lend(ctx, func(c *conn) error {
		return c.snapshot(ctx, fn)
	}))
}

// The settings of connections that write. The sales and holds of a few hundred trains change the same
// pages again and again. A checkpoint after 16 MB of log, instead of 4, writes each of them less often,
// and the writer's cache of 16 MiB has room for them. With 32 MB of log, a tenth to a fifth more holds
// a second were measured.
const (
	checkpointPages = `PRAGMA wal_autocheckpoint = 4000`
	writerCache     = `PRAGMA cache_size = -16384`
)

// writeAhead changes the header of the file, so it follows identify.
const writeAhead = `PRAGMA journal_mode = WAL`

func (db *DB) connect(ctx context.Context) (err error) {
	busy := db.options.BusyTimeout
	if err := db.identify(ctx); err != nil {
		return err
	}
	if db.writer, err = newPool(ctx, db.handle, 1, busy, writeAhead, checkpointPages, writerCache); err != nil {
		return err
	}
	if db.lazy, err = newPool(ctx, db.handle, 1, busy, checkpointPages, `PRAGMA synchronous = NORMAL`); err != nil {
		return err
	}
	db.readers, err = newPool(ctx, db.handle, db.options.Readers, busy, `PRAGMA query_only = 1`, readerCache)
	return err
}

// identify returns ErrSettings if the file has tables, but not those of a Trainbooking database.
func (db *DB) identify(ctx context.Context) error {
	c, err := dial(ctx, db.handle, db.options.BusyTimeout, requireOurs)
	if err != nil {
		return err
	}
	return c.raw.Close()
}

func (db *DB) closeAll() error {
	return errors.Join(db.readers.close(), db.writer.close(), db.lazy.close(), db.handle.Close())
}

// wrap adds the operation to an error, and what to do if the file is damaged.
func (db *DB) wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	if isDamage(err) {
		return describeFile(operation, filepath.Join(db.dir, fileName), err)
	}
	return fmt.Errorf("sqlite: %s: %w", operation, err)
}

// createFile creates the directory and an empty file, because SQLite would make the file
// readable for all; the -wal and -shm files get its permissions. It does not open an existing
// file: closing it would drop the POSIX locks of other DBs of this process.
func createFile(dir string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if path, err = filepath.Abs(filepath.Join(dir, fileName)); err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	return path, file.Close()
}

// dataSource returns the data source name of the file at path. _txlock is for the
// transactions of goose; those of this package begin with BEGIN IMMEDIATE.
func dataSource(path string, busy time.Duration) string {
	query := url.Values{
		"_busy_timeout": {fmt.Sprint(busy.Milliseconds())},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_txlock":       {"immediate"},
		"_dqs":          {"0"},
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}
