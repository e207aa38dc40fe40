package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// rotation is a database whose URL is replaced.
type rotation struct {
	*testing.T
	admin *session
	tcp   string
	log   *lockedBuffer
	db    *postgres.DB

	mu  sync.Mutex
	url string
	err error
}

// newRotation opens a database over TLS as the role asha, with the password "first".
func newRotation(t *testing.T) *rotation {
	t.Helper()
	server, tcp, files := servers.StartPostgresWithTLS(t)
	r := &rotation{
		T: t, admin: connect(t, server.Address), log: &lockedBuffer{},
		tcp: tcp + "?sslmode=verify-full&sslrootcert=" + url.QueryEscape(files.Authority),
	}
	r.admin.do(`CREATE ROLE asha LOGIN SUPERUSER PASSWORD 'first'`)
	r.set(r.as("asha:first"), nil)
	// On a busy machine a connection can take longer than its timeout.
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		db, err := postgres.Open(t.Context(), r.url, postgres.Options{Reread: r.reread, Logger: slog.New(slog.NewTextHandler(r.log, nil))})
		require.NoError(c, err)
		r.db = db
	}, 20*time.Second, 5*time.Millisecond)
	t.Cleanup(func() { require.NoError(t, r.db.Close()) })
	require.EventuallyWithT(t, func(c *assert.CollectT) { require.NoError(c, r.db.Migrate(t.Context())) }, 20*time.Second, 5*time.Millisecond)
	r.log.Reset()
	return r
}

func (r *rotation) as(user string) string { return strings.Replace(r.tcp, servers.TLSUser, user, 1) }

func (r *rotation) set(url string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.url, r.err = url, err
}

func (r *rotation) reread() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url, r.err
}

// terminate ends all sessions of a role.
func (r *rotation) terminate(role string) {
	r.Helper()
	r.admin.do(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1`, role)
}

// requireWorks waits until every pool has connections and uses them.
func (r *rotation) requireWorks(role string) {
	r.Helper()
	require.EventuallyWithT(r, func(c *assert.CollectT) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		for _, pool := range []string{"", "sales", "changes", "adoptions"} {
			user, err := r.db.CurrentUser(ctx, pool)
			require.NoError(c, err)
			require.Equal(c, role, user)
		}
	}, 20*time.Second, 5*time.Millisecond)
}

func TestNewPasswordIsUsedUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	guard := adopt(t, r.db, booking.NewTrainID())
	stop, sold := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for seat := 1; ; seat++ {
			select {
			case <-stop:
				sold <- n
				return
			default:
				ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
				if bookOne(ctx, r.db, saleOf(guard, seat%booking.MaxCapacity+1)) == nil {
					n++
				}
				cancel()
			}
		}
	}()
	for i := range 3 {
		password := fmt.Sprintf("password-%d", i)
		r.admin.do(`ALTER ROLE asha PASSWORD '` + password + `'`)
		r.terminate("asha") // before the URL is replaced
		r.set(r.as("asha:"+password), nil)
		r.requireWorks("asha")
	}
	close(stop)
	require.Positive(t, <-sold)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		require.NoError(c, r.db.Migrate(t.Context()), "its connection is new")
	}, 20*time.Second, 5*time.Millisecond)
	require.Empty(t, r.log.String())
}

func TestNewRoleIsUsed(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	r.admin.do(`CREATE ROLE ravi LOGIN SUPERUSER PASSWORD 'second'`)
	r.set(r.as("ravi:second"), nil)
	r.terminate("asha")
	r.requireWorks("ravi")
}

func TestURLThatCannotBeReadOrIsOfAnotherServerIsNotUsed(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	for _, c := range []struct {
		url    string
		err    error
		logged string
	}{
		{"", errors.New("the file is empty"), "the file is empty"},
		{"postgres://asha:" + canary + "/@host/db", nil, "percent-encoded"},
		{strings.Replace(r.as("asha:first"), "127.0.0.1", "192.0.2.1", 1), nil, "another host, database or parameter"},
		{strings.Replace(r.as("asha:first"), "/postgres", "/template1", 1), nil, "another host, database or parameter"},
		{strings.Replace(r.as("asha:first"), "verify-full", "disable", 1), nil, "another host, database or parameter"},
		{strings.Replace(r.as("asha:first"), "verify-full", "require", 1), nil, "another host, database or parameter"},
		{r.as("asha:first") + "&channel_binding=disable", nil, "another host, database or parameter"},
	} {
		r.set(c.url, c.err)
		r.terminate("asha")
		r.requireWorks("asha")
		require.Equal(t, 1, strings.Count(r.log.String(), c.logged), "once: %s", r.log)
		require.Zero(t, r.admin.count(`SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'asha' AND NOT ssl`))
		r.set(r.as("asha:first"), nil)
		r.terminate("asha")
		r.requireWorks("asha")
		r.log.Reset()
	}
	// The password of another host is used.
	r.admin.do(`ALTER ROLE asha PASSWORD 'second'`)
	r.set(strings.Replace(r.as("asha:second"), "127.0.0.1", "192.0.2.1", 1), nil)
	r.terminate("asha")
	r.requireWorks("asha")
}

func TestFilesForTLSAreReadForEachConnection(t *testing.T) {
	t.Parallel()
	_, other := servers.StartRedisWithTLS(t)
	authority := filepath.Join(t.TempDir(), "ca.crt")
	require.NoError(t, os.Symlink(other.Authority, authority))
	server, tcp, files := servers.StartPostgresWithTLS(t)
	both := servers.TLSFiles{Authority: authority, Certificate: files.Certificate, Key: files.Key}
	require.ErrorIs(t, openTLS(t, tcp, "", both), postgres.ErrSettings)
	replace := func(target string) {
		require.NoError(t, os.Symlink(target, authority+".next"))
		require.NoError(t, os.Rename(authority+".next", authority))
	}
	replace(files.Authority)
	admin, log := connect(t, server.Address), &lockedBuffer{}
	db, err := postgres.Open(t.Context(), tcp, postgres.Options{TLS: persistence.TLSFiles(both), Logger: slog.New(slog.NewTextHandler(log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	r := &rotation{T: t, admin: admin, db: db}
	reconnect := func() {
		admin.do(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = $1`, servers.TLSUser)
	}
	replace("/missing")
	reconnect()
	r.requireWorks(servers.TLSUser)
	require.Contains(t, log.String(), "--database-tls-ca (sslrootcert) cannot be read")

	replace(other.Authority)
	reconnect()
	require.Error(t, db.Ping(t.Context()), "the server has no certificate of the new authority")
	replace(files.Authority)
	r.requireWorks(servers.TLSUser)
}

// lockedBuffer is a bytes.Buffer that is safe for concurrent use.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func (b *lockedBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buffer.Reset()
}
