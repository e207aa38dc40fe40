package servers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
	return c.started(tb)
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
	port     int    // that it listens on, 0: only the socket of the default port
	process  *process
}

// newCluster creates a cluster without starting it. It listens only on a socket in a directory
// that other users cannot enter, so it needs no password.
func newCluster(ctx context.Context, settings ...string) (*cluster, error) {
	c, err := noCluster(settings...)
	if err != nil {
		return nil, err
	}
	err = c.execute(ctx, "initdb", "--pgdata", c.data(), "--auth", "trust", "--username", "postgres",
		"--encoding", "UTF8", "--locale", "C", "--no-sync")
	return c, err
}

// noCluster is newCluster without the data.
func noCluster(settings ...string) (*cluster, error) {
	programs, err := findPostgres()
	if err != nil {
		return nil, err
	}
	dir, owner, err := newDir()
	if err != nil {
		return nil, err
	}
	c := &cluster{programs: programs, process: &process{dir: dir, owner: owner, stop: "QUIT"}}
	c.process.command = []string{filepath.Join(programs, "postgres"), "-D", c.data(), "-k", dir, "-c", "listen_addresses="}
	c.process.ready = func(ctx context.Context) error { return c.run(ctx, "SELECT 1") }
	for _, setting := range settings {
		c.process.command = append(c.process.command, "-c", setting)
	}
	return c, nil
}

func (c *cluster) data() string { return filepath.Join(c.process.dir, "data") }

// execute runs a program of Postgres as the user of the server.
func (c *cluster) execute(ctx context.Context, program string, args ...string) error {
	command := exec.CommandContext(ctx, filepath.Join(c.programs, program), args...) //nolint:gosec // found by findPostgres
	command.Dir = c.process.dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: c.process.owner}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
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
	if c.port != 0 {
		query.Set("port", strconv.Itoa(c.port))
	}
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

// Hold executes a statement in a transaction of a database, as someone with psql might, and keeps the
// transaction open until release is called.
func Hold(tb testing.TB, url, statement string) (release func()) {
	tb.Helper()
	programs, err := findPostgres()
	require.NoError(tb, err)
	psql := exec.CommandContext(tb.Context(), filepath.Join(programs, "psql"), "--no-psqlrc", url) //nolint:gosec // found above
	in, err := psql.StdinPipe()
	require.NoError(tb, err)
	out, err := psql.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, psql.Start())
	_, err = fmt.Fprintf(in, "BEGIN;\n%s;\n\\echo held\n", statement)
	require.NoError(tb, err)
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "held" {
		continue
	}
	require.Equal(tb, "held", lines.Text())
	return func() {
		_ = in.Close() // psql ends, and its transaction with it
		_ = psql.Wait()
	}
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

// Copy inserts rows into columns, "a, b", of a table of the database at a URL. A row has the values
// in the text format of COPY, separated by tabs.
func Copy(tb testing.TB, url, table, columns string, rows iter.Seq[string]) {
	tb.Helper()
	programs, err := findPostgres()
	require.NoError(tb, err)
	psql := exec.CommandContext(tb.Context(), filepath.Join(programs, "psql"), //nolint:gosec // found above
		"--no-psqlrc", "--quiet", "--command", fmt.Sprintf("COPY %s (%s) FROM STDIN", table, columns), url)
	psql.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=10")
	var failed bytes.Buffer
	psql.Stderr = &failed
	input, err := psql.StdinPipe()
	require.NoError(tb, err)
	require.NoError(tb, psql.Start())
	w := bufio.NewWriter(input)
	for row := range rows {
		_, _ = w.WriteString(row) // an error is returned by Flush
		_ = w.WriteByte('\n')
	}
	err = errors.Join(w.Flush(), input.Close())
	require.NoError(tb, errors.Join(psql.Wait(), err), "%s", &failed)
}
