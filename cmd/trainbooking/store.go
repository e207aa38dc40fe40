package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/sqlite"
)

// store is a persistence.Store with the methods that the commands need.
type store interface {
	persistence.Store
	Migrate(ctx context.Context) error
	Version(ctx context.Context) (current, newest int64, err error)
	Close() error
}

// openStore opens the store of the settings: SQLite or Postgres.
func openStore(ctx context.Context, c *config.Store, log *slog.Logger) (store, error) {
	if !c.HasDatabase() {
		return openSQLite(ctx, c.DataDir)
	}
	return openPostgres(ctx, c, postgres.Options{Logger: log})
}

// openSQLite opens the database of a data directory.
func openSQLite(ctx context.Context, dir string) (*sqlite.DB, error) {
	db, err := sqlite.Open(ctx, dir, sqlite.Options{})
	return db, settingsError(err)
}

// lockData locks a data directory, which no service may be using.
func lockData(dir string) (unlock func() error, err error) {
	unlock, err = sqlite.Lock(dir)
	return unlock, settingsError(err)
}

// settingsError makes an error about the path of a file a usage error.
func settingsError(err error) error {
	if errors.Is(err, sqlite.ErrSettings) {
		return usageError{err}
	}
	return err
}

// openPostgres opens the database of the settings. It waits until it is reachable.
func openPostgres(ctx context.Context, c *config.Store, options postgres.Options) (*postgres.DB, error) {
	database := urlSetting{"--database-url", c.DatabaseURL, c.DatabaseURLFile}
	migrations := urlSetting{"--migrate-url", c.MigrateURL, c.MigrateURLFile}
	options.Reread, options.RereadMigrate = database.reread(), migrations.reread()
	options.TLS = filesOf(c.DatabaseTLS)
	return await(ctx, options.Logger, dependency{
		name: "Postgres", url: database,
		settings: postgres.ErrSettings, password: postgres.ErrPassword, server: postgres.ErrServer,
	}, func(ctx context.Context) (*postgres.DB, error) {
		url, err := database.read()
		if err != nil {
			return nil, err
		}
		options := options
		if options.MigrateURL, err = migrations.read(); err != nil {
			return nil, err
		}
		return postgres.Open(ctx, url, options)
	})
}

// openMigrated opens the store for a command, and creates the tables of an empty one. It
// returns an error for a store of another version, because a service may be using it.
func openMigrated(ctx context.Context, c *config.Store, log *slog.Logger) (store, error) {
	db, err := openStore(ctx, c, log)
	if err != nil {
		return nil, err
	}
	if err := migrateNew(ctx, db, c); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func migrateNew(ctx context.Context, db store, c *config.Store) error {
	current, _, err := db.Version(ctx)
	if err == nil && current == 0 {
		err = db.Migrate(ctx)
	}
	if err != nil {
		return err
	}
	return requireVersion(ctx, db, c)
}

// requireData returns an error if a data directory has no database, which opening it would create.
func requireData(dir string) error {
	exists, err := sqlite.Exists(dir)
	if err == nil && !exists {
		err = usageError{fmt.Errorf("there is no data in %s; set --data-dir to the directory of the service", dir)}
	}
	return settingsError(err)
}

// requireVersion returns an error with instructions if the store has another version than
// this program.
func requireVersion(ctx context.Context, db store, c *config.Store) error {
	current, newest, err := db.Version(ctx)
	switch {
	case err != nil:
		return err
	case current < newest:
		return fmt.Errorf("%s has version %d, this program needs %d: run trainbooking migrate %s",
			nameOf(c), current, newest, flagOf(c))
	case current > newest:
		return fmt.Errorf("%s has version %d, this program supports %d: use the newer program that migrated it",
			nameOf(c), current, newest)
	}
	return nil
}

// nameOf returns a name of the store for messages. It does not contain the URL of the
// database, which has a password.
func nameOf(c *config.Store) string {
	if c.HasDatabase() {
		return "the database"
	}
	return "the store in " + c.DataDir
}

// flagOf returns the flag that selects the store.
func flagOf(c *config.Store) string {
	switch {
	case c.DatabaseURLFile != "":
		return "--database-url-file " + c.DatabaseURLFile
	case c.DatabaseURL != "":
		return "--database-url …"
	}
	return "--data-dir " + c.DataDir
}
