package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/pressly/goose/v3"
)

// The files are append-only: a change of the schema is a new file. Their numbers are
// the same for every engine.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables to the newest version that this program supports. It is
// idempotent and safe for concurrent use by several processes.
func (db *DB) Migrate(ctx context.Context) (err error) {
	unlock, err := awaitLock(ctx, filepath.Join(db.dir, "migrate.lock"))
	if err != nil {
		return fmt.Errorf("sqlite: migrate: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	provider, err := db.provider()
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return db.wrap("migrate", translate(err))
	}
	return nil
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
// program supports.
func (db *DB) Version(ctx context.Context) (current, newest int64, err error) {
	provider, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	current, newest, err = provider.GetVersions(ctx)
	if err != nil {
		return 0, 0, db.wrap("version", translate(err))
	}
	return current, newest, nil
}

// provider uses a connection of its own, which database/sql opens.
func (db *DB) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("sqlite: migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.handle, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("sqlite: migrations: %w", err)
	}
	return provider, nil
}
