package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/sqlite"
)

type copyStore struct {
	config.Store
	config.Redis
}

// AddFlags implements action.
func (c *copyStore) AddFlags(f *pflag.FlagSet) {
	c.Store.AddFlags(f)
	c.Redis.AddFlags(f)
}

// Run copies the data directory into the database. It is idempotent and may be interrupted
// and run again. It locks the data directory, so that no service changes the data.
func (c *copyStore) Run(ctx context.Context, sources *config.Sources, std stdio) (err error) {
	if problems := append(sources.Problems(), c.problems()...); len(problems) > 0 {
		return usageError{problems}
	}
	if err := requireData(c.DataDir); err != nil {
		return err
	}
	unlock, err := lockData(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := c.copy(ctx, std); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: run the command again to finish: %w", ctx.Err())
		}
		return err
	}
	return nil
}

// problems returns the problems of the settings. Unlike serve, copy needs both stores.
func (c *copyStore) problems() config.Problems {
	problems := append(c.Store.Validate(), c.Redis.Validate()...)
	if !c.HasDatabase() {
		problems = append(problems, "--database-url is not set; set it to the Postgres to copy the data into")
	} else if c.DataDir == "" {
		problems = append(problems, "--data-dir is empty; set it to the directory to copy")
	}
	return problems
}

func (c *copyStore) copy(ctx context.Context, std stdio) (err error) {
	log := commandLogger(std)
	from, err := openSQLite(ctx, c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := requireVersion(ctx, from, &config.Store{DataDir: c.DataDir}); err != nil {
		return err
	}
	if c.HasRedis() {
		if err := checkRedis(&c.Redis); err != nil {
			return err
		}
	}
	to, err := openPostgres(ctx, &c.Store, postgres.Options{Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := migrateNew(ctx, to, &c.Store); err != nil {
		return err
	}
	now := time.Now()
	read, written, err := copyRows(ctx, from, to, now)
	if read != nil {
		printCounts(std.out, read, written)
	}
	if err != nil {
		return err
	}
	if err := c.copyHolds(ctx, from, log, std.out, now); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "All data of %s is in the database, except logins: all users must log in again.\n", c.DataDir)
	return err
}

// errNotCopy is returned for a database with data that is not from the data directory.
var errNotCopy = errors.New("copy into an empty database, or into one that contains only an earlier copy of the same data")

// copyRows copies all tables and compares the numbers of rows. It returns the numbers if it
// has counted them.
func copyRows(
	ctx context.Context, from *sqlite.DB, to *postgres.DB, now time.Time,
) (read, written persistence.Counts, err error) {
	if err := requireCopy(ctx, from, to); err != nil {
		return nil, nil, err
	}
	read, err = from.Export(ctx, now, func(rows persistence.Rows) error { return to.Import(ctx, rows) })
	if err != nil {
		return nil, nil, err
	}
	if written, err = to.Count(ctx, now); err != nil {
		return nil, nil, err
	}
	for _, table := range persistence.Tables {
		if read[table] != written[table] {
			return read, written, fmt.Errorf("the numbers of %s differ, because another program writes to the database; %w", table, errNotCopy)
		}
	}
	return read, written, requireUnserved(ctx, to)
}

// requireCopy returns an error if a service has used the database, or if it has rows that
// are not in the data directory: the copy would mix them.
func requireCopy(ctx context.Context, from *sqlite.DB, to *postgres.DB) error {
	if err := requireUnserved(ctx, to); err != nil {
		return err
	}
	for _, table := range []persistence.Table{
		persistence.TableUsers, persistence.TableSchedules, persistence.TableTrains, persistence.TableBookings,
	} {
		err := to.EachID(ctx, table, func(ids []uuid.UUID) error {
			has, err := from.HasAll(ctx, table, ids)
			if err == nil && !has {
				err = fmt.Errorf("the database has %s that are not in the data directory: %w", table, errNotCopy)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func requireUnserved(ctx context.Context, to *postgres.DB) error {
	served, err := to.Served(ctx)
	if err == nil && served {
		err = fmt.Errorf("a service has used the database: %w", errNotCopy)
	}
	return err
}

func printCounts(out io.Writer, read, written persistence.Counts) {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tdata directory\tdatabase\t")
	for _, name := range persistence.Tables {
		fmt.Fprintf(table, "%s\t%d\t%d\t\n", name, read[name], written[name])
	}
	_ = table.Flush() // the copy succeeds even if it cannot be printed
}

// copyHolds copies the live holds if Redis is set. Otherwise it prints how many trains lose
// their holds.
func (c *copyStore) copyHolds(ctx context.Context, from *sqlite.DB, log *slog.Logger, out io.Writer, now time.Time) error {
	trains, err := from.TrainsWithHolds(ctx, now)
	if err != nil {
		return err
	}
	if !c.HasRedis() {
		if len(trains) > 0 {
			fmt.Fprintf(out, "The holds of %d trains are not copied, because --redis-url is not set.\n", len(trains))
		}
		return nil
	}
	written, err := c.writeHolds(ctx, from, trains, log, now)
	if err == nil {
		fmt.Fprintf(out, "%d holds are in Redis.\n", written)
	}
	return err
}
