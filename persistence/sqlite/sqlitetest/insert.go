// Package sqlitetest writes rows into a database of package sqlite, for tests that need more than
// its API can write in time.
package sqlitetest

import (
	"database/sql"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver
)

// Insert inserts rows into columns, "a, b", of a table of the database in a directory, in one
// transaction.
func Insert(tb testing.TB, dir, table, columns string, rows iter.Seq[[]any]) {
	tb.Helper()
	// A million rows in the order of random ids need more cache than the 2 MB that are the default.
	const settings = "?_pragma=cache_size(-500000)&_pragma=synchronous(off)"
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "trainbooking.db")+settings)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, db.Close()) }()
	tx, err := db.BeginTx(tb.Context(), nil)
	require.NoError(tb, err)
	defer tx.Rollback() // after a commit it does nothing
	places := "?" + strings.Repeat(", ?", strings.Count(columns, ","))
	//nolint:gosec,sqlclosecheck // the names are those of a test; it is closed below
	insert, err := tx.PrepareContext(tb.Context(), "INSERT INTO "+table+" ("+columns+") VALUES ("+places+")")
	require.NoError(tb, err)
	defer insert.Close()
	for row := range rows {
		_, err := insert.ExecContext(tb.Context(), row...)
		require.NoError(tb, err)
	}
	require.NoError(tb, tx.Commit())
}
