package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/cpu"
	"trainbooking.dev/bench/report"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// server is one of those that are compared, which may be several processes with stores.
type server struct {
	name      string
	admin     string // the token that may create trains
	urls      []string
	metrics   []string // the URLs of the service's metrics and profiles
	logs      []string
	processes []int // their ids, and those of the stores, 0 for none
	postgres  int
	redis     int
	database  string // the URL of Postgres
	settings  string // how durable its stores are
	fixtures  map[string]*fixture
}

func (b *bench) newServer(name string) *server {
	return &server{name: name, admin: b.serviceToken, fixtures: map[string]*fixture{}}
}

// startServer starts a server with stores of its own.
func (b *bench) startServer(t *testing.T, name string) *server {
	t.Helper()
	s := b.newServer(name)
	switch name {
	case report.Limit, report.PeerA, report.PeerB:
		s.admin = b.tokens[0]
		serve := []string{"--jwt-secret-file", b.secretFile, "--kind", map[string]string{
			report.Limit: "limit", report.PeerA: "postgres", report.PeerB: "redis",
		}[name]}
		if name != report.Limit {
			s.startPostgres(t)
			serve = append(serve, "--database-url", s.database)
			if *pool > 0 {
				serve = append(serve, "--connections", strconv.Itoa(*pool))
			}
		}
		if name == report.PeerB {
			serve = append(serve, "--redis", s.startRedis(t, "appendonly no", `save "3600 1 300 100 60 10000"`))
		}
		s.start(t, exec.CommandContext(t.Context(), b.peer, serve...))
	case report.Embedded:
		b.startEmbedded(t, s, t.TempDir())
	default:
		s.startPostgres(t)
		store := []string{"--database-url", s.database, "--redis-url", "redis://" + s.startRedis(t, "appendfsync "+*appendSync)}
		for range map[string]int{report.Clustered: 1, report.Three: 3}[name] {
			b.startService(t, s, append(store, "--advertise", processtest.FreeAddress(t))...)
		}
	}
	return s
}

// startEmbedded starts the service on the data of a directory. The returned function stops it.
func (b *bench) startEmbedded(t *testing.T, s *server, dir string) (stop func()) {
	t.Helper()
	s.settings = "SQLite as the service sets it (synchronous=FULL)"
	return b.startService(t, s, "--data-dir", dir)
}

// startService starts a process of the service. The returned function stops it.
func (b *bench) startService(t *testing.T, s *server, store ...string) (stop func()) {
	t.Helper()
	metrics := processtest.FreeAddress(t)
	s.metrics = append(s.metrics, "http://"+metrics)
	return s.start(t, processtest.Command(t, append([]string{
		"serve", "--service-token-file", b.serviceTokenFile, "--jwt-secret-file", b.secretFile,
		"--metrics-listen", metrics, "--pprof",
	}, store...)...))
}

// start starts a process and waits until it is ready. Its log goes to a file, as that of a service
// does which writes a line for each request. The returned function stops it.
func (s *server) start(t *testing.T, command *exec.Cmd) (stop func()) {
	t.Helper()
	address := processtest.FreeAddress(t)
	command.Args = append(command.Args, "--listen", address)
	log, err := os.OpenFile(filepath.Join(t.TempDir(), "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	command.Stdout, command.Stderr = log, log
	require.NoError(t, command.Start())
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = command.Wait() // it is killed at the end
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-exited
		assert.NoError(t, log.Close())
	})
	s.urls, s.logs = append(s.urls, "http://"+address), append(s.logs, log.Name())
	s.processes = append(s.processes, command.Process.Pid)
	ready := func() bool {
		status, _, err := get(t.Context(), "http://"+address+"/readyz", "")
		return err == nil && status == http.StatusOK
	}
	require.Eventually(t, ready, processtest.Timeout, 10*time.Millisecond, "%s is not ready: %s", s.name, tail(log.Name()))
	return func() {
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		select {
		case <-exited:
		case <-time.After(processtest.Timeout):
			require.Fail(t, "the service does not stop after SIGTERM", tail(log.Name()))
		}
	}
}

// startPostgres starts a Postgres with the settings of its packages.
func (s *server) startPostgres(t *testing.T) {
	t.Helper()
	s.database = servers.StartPostgres(t).Address
	at, err := url.Parse(s.database)
	require.NoError(t, err)
	pid, err := os.ReadFile(filepath.Join(at.Query().Get("host"), "pid"))
	require.NoError(t, err)
	s.postgres, err = strconv.Atoi(strings.TrimSpace(string(pid)))
	require.NoError(t, err)
	row := servers.Query(t, s.database, `SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
		WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size')`)[0]
	s.settings = "Postgres " + row[0]
}

// startRedis starts a Redis, applies settings and returns its address.
func (s *server) startRedis(t *testing.T, settings ...string) string {
	t.Helper()
	address := servers.Redis(t)
	for _, setting := range settings {
		_, err := processtest.RedisCommand(address, "CONFIG SET "+setting)
		require.NoError(t, err)
	}
	client := redis.NewClient(&redis.Options{Addr: address})
	defer func() { _ = client.Close() }() // nothing is lost
	info, err := client.Info(t.Context(), "server").Result()
	require.NoError(t, err)
	_, after, _ := strings.Cut(info, "process_id:")
	_, err = fmt.Sscan(after, &s.redis)
	require.NoError(t, err)
	s.settings += "; Redis"
	for _, name := range []string{"appendonly", "appendfsync", "save"} {
		value, err := client.ConfigGet(t.Context(), name).Result()
		require.NoError(t, err)
		s.settings += fmt.Sprintf(" %s=%q", name, value[name])
	}
	return address
}

// spent is the processor time that the processes of a server have used, and all on the machine.
type spent struct{ server, postgres, redis, all time.Duration }

func (s *server) spent(t *testing.T) (sum spent) {
	t.Helper()
	for _, pid := range s.processes {
		used, err := cpu.Of(pid)
		require.NoError(t, err, "%s has ended: %s", s.name, s.tails())
		sum.server += used
	}
	var err error
	sum.all, err = cpu.Busy()
	require.NoError(t, err)
	if s.postgres != 0 {
		sum.postgres, err = cpu.WithChildren(s.postgres)
		require.NoError(t, err)
	}
	if s.redis != 0 {
		sum.redis, err = cpu.Of(s.redis)
		require.NoError(t, err)
	}
	return sum
}

// tails returns the ends of the logs.
func (s *server) tails() string {
	all := ""
	for _, log := range s.logs {
		all += tail(log)
	}
	return all
}

// emptyLogs keeps the logs short. They are opened for appending.
func (s *server) emptyLogs(t *testing.T) {
	t.Helper()
	for _, log := range s.logs {
		require.NoError(t, os.Truncate(log, 0))
	}
}

// tailLines is how much of a log a failure shows.
const tailLines = 5

// tail returns the last lines of a log that are not of successful requests.
func tail(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	var notable []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, `"level":"INFO","msg":"request"`) {
			notable = append(notable, line)
		}
	}
	return "\n" + strings.Join(notable[max(0, len(notable)-tailLines):], "")
}

// killAfter bounds what a process may take to answer the harness.
const killAfter = 30 * time.Second

var client = &http.Client{Timeout: killAfter, Transport: &http.Transport{MaxIdleConnsPerHost: setupClients}}

func get(ctx context.Context, address, token string) (status int, body []byte, err error) {
	return send(ctx, http.MethodGet, address, token, nil)
}
