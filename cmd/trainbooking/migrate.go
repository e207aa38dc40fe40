package main

import (
	"context"
	"errors"
	"fmt"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence/sqlite"
)

type migrate struct {
	config.Store
}

// Run brings the store up to date, for those who serve with --migrate=false.
func (c *migrate) Run(ctx context.Context, sources *config.Sources, std streams) (err error) {
	if problems := sources.Problems(); len(problems) > 0 {
		return usageError{problems}
	}
	db, err := sqlite.Open(ctx, c.DataDir, sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	version, _, err := db.Version(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "The store in %s has version %d, the newest.\n", c.DataDir, version)
	return err
}

// requireVersion says what to do when the store is not the one that this program knows.
func requireVersion(ctx context.Context, db *sqlite.DB, dir string) error {
	current, newest, err := db.Version(ctx)
	switch {
	case err != nil:
		return err
	case current < newest:
		return fmt.Errorf("the store in %s has version %d, this program needs %d: run trainbooking migrate --data-dir %s",
			dir, current, newest, dir)
	case current > newest:
		return fmt.Errorf("the store in %s has version %d, this program knows %d: use the newer program that made it",
			dir, current, newest)
	}
	return nil
}
