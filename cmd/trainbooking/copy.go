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

	"trainbooking.dev/config"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/sqlite"
)

type copyStore struct {
	config.Store
	config.Redis
}

// Run copies the data directory into the database, whole however often it is broken off
// and run again: what is there already is not written twice. The data directory's lock
// is held, so that no service changes what is copied.
func (c *copyStore) Run(ctx context.Context, sources *config.Sources, std streams) (err error) {
	if problems := append(sources.Problems(), c.problems()...); len(problems) > 0 {
		return usageError{problems}
	}
	there, err := sqlite.Exists(c.DataDir)
	if err != nil {
		return err
	}
	if !there {
		return usageError{fmt.Errorf("there is no data in %s; set --data-dir to the directory that the service has used", c.DataDir)}
	}
	unlock, err := sqlite.Lock(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := c.copy(ctx, std); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("broken off: run it again to finish, nothing is written twice: %w", ctx.Err())
		}
		return err
	}
	return nil
}

// problems are those of serve, but both stores are named here.
func (c *copyStore) problems() config.Problems {
	problems := append(c.Store.Validate(), c.Redis.Validate()...)
	if !c.Database() {
		problems = append(problems, "--database-url is not set; set it to the Postgres to copy the data into")
	} else if c.DataDir == "" {
		problems = append(problems, "--data-dir is empty; set it to the directory to copy")
	}
	return problems
}

func (c *copyStore) copy(ctx context.Context, std streams) (err error) {
	log := commandLogger(std)
	from, err := sqlite.Open(ctx, c.DataDir, sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := requireVersion(ctx, from, &config.Store{DataDir: c.DataDir}); err != nil {
		return err
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
	_, err = fmt.Fprintf(std.out, "All of %s is in the database. Logins stay behind: everyone logs in again.\n", c.DataDir)
	return err
}

// errOther says that the database is not the copy's own.
var errOther = errors.New("copy into an empty database, or into one that holds nothing but an earlier copy of the same data")

// copyRows copies every table and compares how much there is of each. It returns what it
// counted when it came that far.
func copyRows(
	ctx context.Context, from *sqlite.DB, to *postgres.DB, now time.Time,
) (read, written persistence.Counts, err error) {
	if err := refuseOther(ctx, from, to); err != nil {
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
			return read, written, fmt.Errorf("the numbers of %s differ: something else writes to the database; %w", table, errOther)
		}
	}
	return read, written, refuseServed(ctx, to)
}

// refuseOther refuses a database that a service has worked on, or that has rows which
// the data directory has not: they would become one with its own.
func refuseOther(ctx context.Context, from *sqlite.DB, to *postgres.DB) error {
	if err := refuseServed(ctx, to); err != nil {
		return err
	}
	for _, table := range []persistence.Table{persistence.TableUsers, persistence.TableTrains, persistence.TableBookings} {
		err := to.EachID(ctx, table, func(ids []uuid.UUID) error {
			has, err := from.HasAll(ctx, table, ids)
			if err == nil && !has {
				err = fmt.Errorf("the database has %s that are not in the data directory: %w", table, errOther)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func refuseServed(ctx context.Context, to *postgres.DB) error {
	served, err := to.Served(ctx)
	if err == nil && served {
		err = fmt.Errorf("a service has worked on the database: %w", errOther)
	}
	return err
}

func printCounts(out io.Writer, read, written persistence.Counts) {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tdata directory\tdatabase\t")
	for _, name := range persistence.Tables {
		fmt.Fprintf(table, "%s\t%d\t%d\t\n", name, read[name], written[name])
	}
	_ = table.Flush() // as little can be done as about the line after it
}

// copyHolds carries the live holds over where Redis is named, and otherwise says how
// many trains lose theirs.
func (c *copyStore) copyHolds(ctx context.Context, from *sqlite.DB, log *slog.Logger, out io.Writer, now time.Time) error {
	trains, err := from.TrainsWithHolds(ctx, now)
	if err != nil {
		return err
	}
	if !c.Given() {
		if len(trains) > 0 {
			fmt.Fprintf(out, "Seats on hold on %d trains are let go: no --redis-url is set to keep them in.\n", len(trains))
		}
		return nil
	}
	carried, err := c.carryHolds(ctx, from, trains, log, now)
	if err == nil {
		fmt.Fprintf(out, "%d holds are in Redis.\n", carried)
	}
	return err
}
