package embedded_test

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// canary is in every secret of the tests below, so that one search finds any of them.
const canary = "canary-7d1f0a"

// secretFile is a file of one line.
func secretFile(t *testing.T, line string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(line+"\n"), 0o600))
	return path
}

// The URLs of a database and of a Redis that are wrong in one thing.
func wrongURLs(t *testing.T) (databases, caches map[string]string) {
	t.Helper()
	redis := servers.Redis(t)
	databases = map[string]string{
		"scheme":           "http://asha:" + canary + "@localhost/trains",
		"no scheme":        "asha:" + canary + "@localhost/trains",
		"port":             "postgres://asha:" + canary + "@localhost:port/trains",
		"port in password": "postgres://asha:" + canary + "/@localhost:5432/trains",
		"escape":           "postgres://asha:" + canary + "%zz@localhost/trains",
		"sslmode":          "postgres://asha:" + canary + "@localhost/trains?sslmode=perhaps",
		"certificate":      "postgres://asha:" + canary + "@localhost/trains?sslmode=verify-full&sslrootcert=/nowhere",
		"words":            "host=localhost user=asha password=" + canary + " sslmode=perhaps",
		"words, open":      "host=localhost user=asha password='" + canary,
		"words, timeout":   "host=localhost user=asha password=" + canary + " connect_timeout=x",
		"words, spaces":    "host=localhost user=asha password = " + canary + " sslmode=perhaps",
		"words, escaped":   "host=localhost user=asha password=a\\ " + canary + " sslmode=perhaps",
		"@ in password":    "postgres://asha:ca@" + canary + "@localhost:x/t",
		"no such database": nowhere(t, servers.Postgres(t)),
	}
	caches = map[string]string{
		"scheme":    "http://:" + canary + "@localhost",
		"no scheme": ":" + canary + "@localhost",
		"port":      "redis://:" + canary + "@localhost:port",
		"escape":    "redis://:" + canary + "%zz@localhost",
		"control":   "redis://:" + canary + "\x7f@localhost",
		"database":  "redis://:" + canary + "@localhost/x",
		"option":    "redis://:" + canary + "@localhost?nonsense=1",
		"password":  "redis://somebody:" + canary + "@" + redis,
	}
	return databases, caches
}

// nowhere is a database that is not there, with a password that the server does not ask for.
func nowhere(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(u.User.Username(), canary), "/nowhere"
	return u.String()
}

// clusterOf are the arguments of a process of a cluster.
func clusterOf(t *testing.T, args ...string) []string {
	t.Helper()
	return append([]string{
		"serve", "--advertise", "127.0.0.1:8090", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
		"--jwt-secret-file", secretFile(t, canary+" is the key that signs, and long"), "--log-level", "debug",
	}, args...)
}

// requireRefused checks that a command ends by itself, says which URL is wrong, and tells
// no secret.
func requireRefused(t *testing.T, says string, environ []string, args ...string) {
	t.Helper()
	c := processtest.Command(t, args...)
	c.Env = append(c.Env, environ...)
	got := processtest.RunToEnd(t, c)
	require.NotZero(t, got.Code)
	require.NotContains(t, got.Out+got.Err, canary)
	require.Contains(t, got.Err, says)
}

func TestWrongURLOfADatabaseIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	databases, _ := wrongURLs(t)
	database, redis := servers.Postgres(t), "redis://"+servers.Redis(t)
	for name, url := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, "postgres: open", nil, clusterOf(t, "--redis-url", redis, "--database-url", url)...)
			requireRefused(t, "postgres: open", nil, clusterOf(t, "--redis-url", redis, "--database-url-file", secretFile(t, url))...)
			requireRefused(t, "postgres: ", []string{"TRAINBOOKING_DATABASE_URL=" + url}, "migrate")
			requireRefused(t, "postgres: ", nil, "migrate", "--database-url", database, "--migrate-url", url)
		})
	}
}

func TestWrongURLOfARedisIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	_, caches := wrongURLs(t)
	database := servers.Postgres(t)
	for name, url := range caches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, "redis: open", nil, clusterOf(t, "--database-url", database, "--redis-url", url)...)
			requireRefused(t, "redis: open", []string{"TRAINBOOKING_REDIS_URL=" + url}, clusterOf(t, "--database-url", database)...)
		})
	}
}

func TestWhatIsOutOfReachIsWaitedForWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ database, redis, waits string }{
		"Postgres": {"postgres://asha:" + canary + "@127.0.0.1:1/trains", "redis://127.0.0.1:1", "waiting for Postgres"},
		"Redis":    {servers.Postgres(t), "redis://asha:" + canary + "@127.0.0.1:1", "waiting for Redis"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := processtest.Launch(t, clusterOf(t, "--database-url", c.database, "--redis-url", c.redis)[1:]...)
			s.Await(c.waits)
			s.Signal(syscall.SIGTERM)
			s.Wait()
			require.NotContains(t, s.Log.String(), canary)
		})
	}
}

// A service that works tells nothing of what it was given, whatever is asked of it.
func TestNoSecretIsLoggedOrAnswered(t *testing.T) {
	t.Parallel()
	token := canary + "-of-a-machine-of-at-least-32-bytes"
	s := start(t, t.TempDir(), "--log-level", "debug", "--log-format", "json",
		"--jwt-secret-file", secretFile(t, canary+" is the key that signs, and long"), "--service-token-file", secretFile(t, token))
	user := object{"username": "asha", "email": "asha@example.org", "password": canary, "password2": canary}
	var answers bytes.Buffer
	for _, r := range []struct {
		method, path, token string
		body                any
	}{
		{"POST", "/user/register/", "", user},
		{"POST", "/user/register/", "", user}, // taken by now
		{"POST", "/user/register/", "", object{"username": "ravi", "email": "x", "password": canary, "password2": canary + "x"}},
		{"POST", "/user/login/", "", object{"username": "asha", "password": canary + "x"}},
		{"POST", "/user/login/", "", object{"username": "asha", "password": object{"a": canary}}},
		{"POST", "/user/token/refresh/", "", object{"refresh": canary}},
		{"POST", "/user/change-password/", canary, object{"old_password": canary}},
		{"POST", "/v1/trains", token, object{"name": 1}},
		{"POST", "/v1/holds", token, object{}},
		{"GET", "/v1/trains?access_token=" + canary, token, nil},
		{"GET", "/v1/users", canary, nil},
	} {
		c := processtest.NewClient(s.URL)
		c.Token = r.token
		answer, err := c.Send(r.method, r.path, r.body)
		require.NoError(t, err)
		answers.Write(answer.Body)
	}
	s.Stop()
	require.NotContains(t, answers.String(), canary)
	require.NotContains(t, s.Log.String(), canary)
	require.Contains(t, s.Log.String(), "/user/login/")
}
