package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence/sqlite"
)

type backupStore struct {
	config.Store

	Path string
	Keep int
}

// AddFlags implements action.
func (c *backupStore) AddFlags(f *pflag.FlagSet) {
	c.Store.AddFlags(f)
	f.IntVar(&c.Keep, "keep", 0, "`NUMBER` of backups to keep in the directory PATH. Older ones are deleted after a successful backup. 0 keeps all.")
}

// Operand implements operand.
func (c *backupStore) Operand() (name string, value *string) { return "PATH", &c.Path }

// Run copies the data directory's database, while a service may be using it, to a new file.
func (c *backupStore) Run(ctx context.Context, sources *config.Sources, std stdio) (err error) {
	if problems := append(sources.Problems(), c.problems()...); len(problems) > 0 {
		return usageError{problems}
	}
	path, inDir, err := c.target(time.Now())
	if err != nil {
		return err
	}
	if err := requireData(c.DataDir); err != nil {
		return err
	}
	db, err := openSQLite(ctx, c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	contents, err := db.Backup(ctx, path)
	if err != nil {
		return settingsError(err)
	}
	fmt.Fprintf(std.out, "%s has %s.\n", path, describeContents(contents))
	if inDir {
		return c.prune(path, std.out)
	}
	return nil
}

func (c *backupStore) problems() config.Problems {
	problems := requireEmbedded(&c.Store, "back it up with pg_dump")
	if c.Keep < 0 {
		problems = append(problems, fmt.Sprintf("--keep %d is out of range; set it to the number of backups to keep, or to 0 for all", c.Keep))
	}
	return problems
}

// requireEmbedded returns the problems of the settings of a store that must be a data directory.
func requireEmbedded(c *config.Store, instead string) config.Problems {
	if c.HasDatabase() {
		return config.Problems{"--database-url is set, so the data is in Postgres: " + instead + " (docs/operations.md, section 5), or unset it"}
	}
	return c.Validate()
}

// target returns the path of the new file, and whether PATH is a directory.
func (c *backupStore) target(now time.Time) (path string, inDir bool, err error) {
	info, err := os.Stat(c.Path)
	if err == nil && info.IsDir() {
		return filepath.Join(c.Path, "trainbooking-"+now.UTC().Format(sqlite.TimeFormat)+".db"), true, nil
	}
	if c.Keep > 0 {
		return "", false, usageError{fmt.Errorf("--keep requires a directory, but %s is not one: create it, or omit --keep", c.Path)}
	}
	if _, err := os.Stat(filepath.Dir(c.Path)); err != nil {
		return "", false, usageError{fmt.Errorf("cannot write to %s: %w", c.Path, err)}
	}
	return c.Path, false, nil
}

// backupPattern matches the names of backups in a directory. Their order is that of their times.
const backupPattern = "trainbooking-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.db"

// abandonedAfter is how long an incomplete backup has not been written to if its process is gone.
const abandonedAfter = time.Hour

// prune deletes incomplete backups of killed processes, and the oldest backups beyond --keep. It never deletes
// newest, which is not the last by name if the clock was set back.
func (c *backupStore) prune(newest string, out io.Writer) error {
	if c.Keep == 0 {
		return nil
	}
	entries, err := os.ReadDir(c.Path) // by name, so backups are in the order of their time
	if err != nil {
		return err
	}
	var backups, old []string
	for _, entry := range entries {
		path := filepath.Join(c.Path, entry.Name())
		if isBackup, _ := filepath.Match(backupPattern, entry.Name()); isBackup && path != newest {
			backups = append(backups, path)
		}
		if isAbandoned(entry) {
			old = append(old, path)
		}
	}
	old = append(old, backups[:max(0, len(backups)-(c.Keep-1))]...)
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("the backup is complete, but an old one could not be deleted: %w", err)
		}
		fmt.Fprintf(out, "Deleted %s.\n", path)
	}
	return nil
}

// isAbandoned reports whether the file is an incomplete backup of a killed process.
func isAbandoned(entry os.DirEntry) bool {
	partial, _ := filepath.Match(sqlite.PartialPattern, entry.Name())
	info, err := entry.Info()
	return partial && err == nil && time.Since(info.ModTime()) > abandonedAfter
}
