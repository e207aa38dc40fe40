package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/postgres"
)

// template is a migrated database. Copying it is several times faster than migrating each
// database.
const template = "migrated"

// Postgres returns the URL of a new migrated database on the server of the test binary. It is
// removed when the test ends.
func Postgres(tb testing.TB) (url string) {
	tb.Helper()
	return newDatabase(tb, template)
}

// EmptyPostgres is Postgres with an empty database.
func EmptyPostgres(tb testing.TB) (url string) {
	tb.Helper()
	return newDatabase(tb, "template0")
}

// StartPostgres starts a server with the durability of production. The database of its Address is
// empty. A setting is name=value.
func StartPostgres(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	c, err := newCluster(tb.Context(), settings...)
	require.NoError(tb, err)
	return started(tb, c.process, c.url("postgres"))
}

// shared returns the server of this test binary.
var shared = sync.OnceValues(func() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c, err := newCluster(ctx, "fsync=off", "full_page_writes=off", "max_connections=500")
	if err != nil {
		return nil, err
	}
	if err := c.process.start(); err != nil {
		return nil, err
	}
	return c, c.makeTemplate(ctx)
})

var databases atomic.Int64

func newDatabase(tb testing.TB, from string) string {
	tb.Helper()
	c, err := shared()
	require.NoError(tb, err)
	name := fmt.Sprintf("test%d", databases.Add(1))
	require.NoError(tb, c.run(tb.Context(), fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, from)))
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context()) // the context is done by now
		require.NoError(tb, c.run(ctx, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)))
	})
	return c.url(name)
}

// cluster is a Postgres server (Postgres calls its data a cluster).
type cluster struct {
	programs string // where initdb, postgres and psql are
	process  *process
}

// newCluster creates a cluster without starting it. It listens only on a socket in a directory
// that other users cannot enter, so it needs no password.
func newCluster(ctx context.Context, settings ...string) (*cluster, error) {
	programs, err := findPostgres()
	if err != nil {
		return nil, err
	}
	dir, owner, err := newDir()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), //nolint:gosec // found above
		"--pgdata", data, "--auth", "trust", "--username", "postgres", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	c := &cluster{programs: programs}
	c.process = &process{
		dir: dir, owner: owner, stop: "QUIT",
		command: []string{filepath.Join(programs, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses="},
		ready:   func(ctx context.Context) error { return c.run(ctx, "SELECT 1") },
	}
	for _, setting := range settings {
		c.process.command = append(c.process.command, "-c", setting)
	}
	return c, nil
}

func (c *cluster) makeTemplate(ctx context.Context) error {
	if err := c.run(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	db, err := postgres.Open(ctx, c.url(template), postgres.Options{Conns: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return db.Close()
}

// run runs a statement with psql, since only package postgres may import the driver.
func (c *cluster) run(ctx context.Context, statement string) error {
	psql := exec.CommandContext(ctx, filepath.Join(c.programs, "psql"), //nolint:gosec // found above
		"--no-psqlrc", "--quiet", "--command", statement, c.url("postgres"))
	psql.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=10")
	if out, err := psql.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %s: %w\n%s", statement, err, out)
	}
	return nil
}

// url returns the URL of a database.
func (c *cluster) url(name string) string {
	query := url.Values{"host": {c.process.dir}}
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + name, RawQuery: query.Encode()}).String()
}

// Begin runs a statement in a transaction of a session of its own, which keeps the locks until the
// returned function ends it. The function may be called twice.
func Begin(tb testing.TB, url, statement string) (rollback func()) {
	tb.Helper()
	programs, err := findPostgres()
	require.NoError(tb, err)
	psql := exec.CommandContext(tb.Context(), filepath.Join(programs, "psql"), //nolint:gosec // found above
		"--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", url)
	psql.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=10")
	in, err := psql.StdinPipe()
	require.NoError(tb, err)
	out, err := psql.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, psql.Start())
	rollback = sync.OnceFunc(func() {
		_ = in.Close()
		_ = psql.Wait()
	})
	tb.Cleanup(rollback)
	const done = "the statement has been run"
	_, err = fmt.Fprintf(in, "BEGIN;\n%s;\n\\echo %s\n", statement, done)
	require.NoError(tb, err)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == done {
			return rollback
		}
	}
	require.Fail(tb, "psql", "cannot run %s", statement)
	return rollback
}

// Query returns the rows and columns that a statement selects from the database at a URL, in the
// format of psql.
func Query(tb testing.TB, url, statement string) (rows [][]string) {
	tb.Helper()
	programs, err := findPostgres()
	require.NoError(tb, err)
	psql := exec.CommandContext(tb.Context(), filepath.Join(programs, "psql"), //nolint:gosec // found above
		"--no-psqlrc", "--no-align", "--tuples-only", "--field-separator", "\t", "--command", statement, url)
	psql.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=10")
	out, err := psql.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		require.Failf(tb, "psql", "%s: %s", statement, failed.Stderr)
	}
	require.NoError(tb, err)
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimRight(line, "\n"), "\t"))
	}
	return rows
}
