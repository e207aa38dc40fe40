package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"trainbooking.dev/config"
)

type migrate struct {
	config.Store
}

// Run migrates the store, for services that run with --migrate=false.
func (c *migrate) Run(ctx context.Context, sources *config.Sources, std stdio) (err error) {
	if problems := append(sources.Problems(), c.Validate()...); len(problems) > 0 {
		return usageError{problems}
	}
	db, err := openStore(ctx, &c.Store, commandLogger(std))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	version, newest, err := db.Version(ctx)
	if err != nil {
		return err
	}
	which := "the newest"
	if version > newest {
		which = fmt.Sprintf("newer than the %d of this program, which works only if that is at most one release newer", newest)
	}
	name := nameOf(&c.Store)
	_, err = fmt.Fprintf(std.out, "%s%s has version %d, %s.\n", strings.ToUpper(name[:1]), name[1:], version, which)
	return err
}
