package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence/sqlite"
)

type restoreStore struct {
	config.Store

	File  string
	Force bool
}

// AddFlags implements action.
func (c *restoreStore) AddFlags(f *pflag.FlagSet) {
	c.Store.AddFlags(f)
	f.BoolVar(&c.Force, "force", false, "Replace the existing database of the data directory. It is kept under another name.")
}

// Operand implements operand.
func (c *restoreStore) Operand() (name string, value *string) { return "FILE", &c.File }

// Run makes a backup the database of the data directory, which no service may be using.
func (c *restoreStore) Run(ctx context.Context, sources *config.Sources, std stdio) (err error) {
	problems := append(sources.Problems(), requireEmbedded(&c.Store, "restore it with pg_restore")...)
	if len(problems) > 0 {
		return usageError{problems}
	}
	unlock, err := lockData(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	restored, err := sqlite.Restore(ctx, c.File, c.DataDir, c.Force, time.Now())
	if err != nil {
		return settingsError(err)
	}
	fmt.Fprintf(std.out, "Restored: %s has %s. All users must log in again.\n", nameOf(&c.Store), describeContents(restored.Contents))
	if restored.Former != "" {
		fmt.Fprintf(std.out, "The previous database was kept as %s.\n", restored.Former)
	}
	return nil
}

func describeContents(c sqlite.Contents) string {
	return fmt.Sprintf("%d bookings, %d trains and %d users, schema version %d", c.Bookings, c.Trains, c.Users, c.Version)
}
