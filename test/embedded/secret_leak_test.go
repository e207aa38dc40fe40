package embedded_test

import (
	"bytes"
	"net/url"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// marker is part of every secret of these tests, so that one search finds any of them.
const marker = "marker-7d1f0a"

// wrongDatabaseURLs returns URLs of Postgres with one mistake each.
func wrongDatabaseURLs(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"scheme":           "http://asha:" + marker + "@localhost/trains",
		"no scheme":        "asha:" + marker + "@localhost/trains",
		"port":             "postgres://asha:" + marker + "@localhost:port/trains",
		"port in password": "postgres://asha:" + marker + "/@localhost:5432/trains",
		"slash":            "postgres://asha:12/" + marker + "@localhost/trains",
		"question mark":    "postgres://asha:12/x?" + marker + "@localhost/trains",
		"space":            "postgres://asha:12 " + marker + "@localhost:port/trains",
		"unicode":          "postgres://asha:ключ/" + marker + "@localhost/trains",
		"parameter":        "postgres://localhost/trains?password=x&" + marker + "=1",
		"escape":           "postgres://asha:" + marker + "%zz@localhost/trains",
		"sslmode":          "postgres://asha:" + marker + "@localhost/trains?sslmode=perhaps",
		"certificate":      "postgres://asha:" + marker + "@localhost/trains?sslmode=verify-full&sslrootcert=/nowhere",
		"words":            "host=localhost user=asha password=" + marker + " sslmode=perhaps",
		"words, open":      "host=localhost user=asha password='" + marker,
		"words, timeout":   "host=localhost user=asha password=" + marker + " connect_timeout=x",
		"words, spaces":    "host=localhost user=asha password = " + marker + " sslmode=perhaps",
		"words, escaped":   "host=localhost user=asha password=a\\ " + marker + " sslmode=perhaps",
		"@ in password":    "postgres://asha:ca@" + marker + "@localhost:x/t",
		"no such database": missingDatabase(t, servers.Postgres(t)),
	}
}

// wrongRedisURLs returns URLs of Redis with one mistake each.
func wrongRedisURLs(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"scheme":    "http://:" + marker + "@localhost",
		"no scheme": ":" + marker + "@localhost",
		"port":      "redis://:" + marker + "@localhost:port",
		"escape":    "redis://:" + marker + "%zz@localhost",
		"control":   "redis://:" + marker + "\x7f@localhost",
		"database":  "redis://:" + marker + "@localhost/x",
		"option":    "redis://:" + marker + "@localhost?nonsense=1",
		"slash":     "redis://:s3cr/" + marker + "@localhost",
		"number":    "redis://:12/" + marker + "@localhost",
		"question":  "redis://:12?" + marker + "@localhost",
		"hash":      "redis://:12#" + marker + "@localhost",
		"space":     "redis://:12 /" + marker + "@localhost",
		"unicode":   "redis://:ключ/" + marker + "@localhost",
		"sentinel":  "redis://localhost?master_name=m&password=x&" + marker,
	}
}

// missingDatabase returns the URL of a database that does not exist, with a password that the
// server does not require.
func missingDatabase(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(u.User.Username(), marker), "/nowhere"
	return u.String()
}

// clusterArgs returns the arguments of a process of a cluster.
func clusterArgs(t *testing.T, args ...string) []string {
	t.Helper()
	return append([]string{
		"serve", "--advertise", "127.0.0.1:8090", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
		"--jwt-secret-file", processtest.TempFile(t, marker+" is a signing key of 32 bytes or more"), "--log-level", "debug",
	}, args...)
}

// requireRefused runs a command that must fail with a message, and print no secret.
func requireRefused(t *testing.T, message string, environ []string, args ...string) {
	t.Helper()
	c := processtest.Command(t, args...)
	c.Env = append(c.Env, environ...)
	got := processtest.RunToEnd(t, c)
	require.Equal(t, 2, got.Code, got.Err)
	require.NotContains(t, got.Out+got.Err, marker)
	require.Contains(t, got.Err, message)
}

func TestErrorAboutADatabaseURLDoesNotContainThePassword(t *testing.T) {
	t.Parallel()
	database, redis := servers.Postgres(t), "redis://"+servers.Redis(t)
	for name, url := range wrongDatabaseURLs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, "postgres: open: wrong settings", nil, clusterArgs(t, "--redis-url", redis, "--database-url", url)...)
			requireRefused(t, "postgres: open: wrong settings", nil, "migrate", "--database-url-file", processtest.TempFile(t, url))
			requireRefused(t, "postgres: ", []string{"TRAINBOOKING_DATABASE_URL=" + url}, "migrate")
			requireRefused(t, "postgres: ", nil, "migrate", "--database-url", database, "--migrate-url", url)
		})
	}
}

// Every command that opens the database says the same.
func TestEveryCommandRefusesAMalformedURL(t *testing.T) {
	t.Parallel()
	url := "postgres://asha:" + marker + "/@localhost/trains"
	data := t.TempDir()
	s := start(t, data)
	s.Stop()
	for _, args := range [][]string{
		{"createsuperuser", "--username", "asha", "--email", "asha@example.org", "--password-stdin"},
		{"set-password", "--username", "asha", "--password-stdin"},
		{"copy", "--data-dir", data},
	} {
		requireRefused(t, "percent-encoded", nil, append(args, "--database-url", url)...)
		requireRefused(t, "cannot be read", nil, append(args, "--database-url", "postgres://localhost/x", "--database-tls-ca", "/missing/"+marker)...)
		requireRefused(t, "--database-url-file: no such file", nil, append(args, "--database-url-file", url)...)
	}
}

// A mistake in the URL is found before anything waits for Postgres.
func TestErrorAboutARedisURLDoesNotContainThePassword(t *testing.T) {
	t.Parallel()
	unreachable := "postgres://127.0.0.1:1/trains"
	for name, url := range wrongRedisURLs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, "redis: open", nil, clusterArgs(t, "--database-url", unreachable, "--redis-url", url)...)
		})
	}
	url := wrongRedisURLs(t)["slash"]
	args := clusterArgs(t, "--database-url", unreachable)
	requireRefused(t, "redis: open", []string{"TRAINBOOKING_REDIS_URL=" + url}, args...)
	requireRefused(t, "redis: open", nil, append(args, "--redis-url-file", processtest.TempFile(t, url))...)
	requireRefused(t, "--redis-url-file: no such file", nil, append(args, "--redis-url-file", url)...)
	requireRefused(t, "cannot be read", nil, append(args, "--redis-url", "rediss://localhost", "--redis-tls-ca", "/missing/"+marker)...)
	requireRefused(t, "percent-encoded", nil, append(args, "--redis-url", "redis://localhost", "--database-url", "postgres://u:1/"+marker+"@h/db")...)
	wrong := "redis://asha:" + marker + "@" + servers.Redis(t)
	requireRefused(t, "WRONGPASS", nil, clusterArgs(t, "--database-url", servers.Postgres(t), "--redis-url", wrong)...)
}

// A secret that is given in a wrong place is not printed either.
func TestSecretInAWrongPlaceIsNotPrinted(t *testing.T) {
	t.Parallel()
	data := []string{"serve", "--data-dir", t.TempDir()}
	feed, err := filepath.Abs("../../gtfs/testdata/small")
	require.NoError(t, err)
	importArgs := []string{"import", "gtfs", feed, "--capacity", "1", "--today", "2026-06-18", "--token-file", tokenFile(t)}
	requireRefused(t, "unexpected argument", nil, append(data, "--database-url", "host=localhost", "password="+marker)...)
	requireRefused(t, "--jwt-secret-file: no such file", nil, append(data, "--jwt-secret-file", marker)...)
	requireRefused(t, "--service-token-file: no such file", nil, append(data, "--service-token-file", marker)...)
	requireRefused(t, "OTEL_EXPORTER_OTLP_HEADERS is not", []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:1", "OTEL_EXPORTER_OTLP_HEADERS=Bearer " + marker,
	}, data...)
	requireRefused(t, "OTEL_EXPORTER_OTLP_ENDPOINT is not a URL", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://u:" + marker + "%zz@localhost"}, data...)
	url, wrongURL := "http://localhost:1", "http://u:"+marker+"%zz@localhost"
	for _, args := range [][]string{{"healthcheck"}, {"smoke"}, importArgs} {
		requireRefused(t, "--url: ", nil, append(args, "--url", wrongURL)...)
		requireRefused(t, "--url: ", nil, append(args, "--url", "ftp://"+marker)...)
		requireRefused(t, "--ca: no such file", nil, append(args, "--url", url, "--ca", marker)...)
	}
	requireRefused(t, "--service-token-file: no such file", nil, "smoke", "--url", url, "--service-token-file", marker)
	requireRefused(t, "--token-file: no such file", nil, append(importArgs, "--url", url, "--token-file", marker)...)
	a := processtest.NewAuthority(t)
	certificate, key := a.Issue(t)
	for _, flag := range []string{"--cluster-tls-cert", "--cluster-tls-key", "--cluster-tls-ca"} {
		requireRefused(t, flag+": no such file", nil, clusterArgs(t, "--database-url", servers.Postgres(t), "--redis-url", "redis://"+servers.Redis(t),
			"--cluster-tls-cert", certificate, "--cluster-tls-key", key, "--cluster-tls-ca", a.File, flag, marker)...)
	}
}

func TestWaitForAnUnreachableStoreDoesNotLogThePassword(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ database, redis, message string }{
		"Postgres": {"postgres://asha:" + marker + "@127.0.0.1:1/trains", "redis://127.0.0.1:1", "waiting for Postgres"},
		"Redis":    {servers.Postgres(t), "redis://asha:" + marker + "@127.0.0.1:1", "waiting for Redis"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := processtest.Launch(t, clusterArgs(t, "--database-url", c.database, "--redis-url", c.redis)[1:]...)
			s.Await(c.message)
			s.Signal(syscall.SIGTERM)
			s.Wait()
			require.NotContains(t, s.Log.String(), marker)
		})
	}
}

func TestNoSecretIsLoggedOrReturned(t *testing.T) {
	t.Parallel()
	token := marker + "-is-a-service-token-of-32-bytes"
	s := start(t, t.TempDir(), "--log-level", "debug", "--log-format", "json",
		"--jwt-secret-file", processtest.TempFile(t, marker+" is a signing key of 32 bytes or more"), "--service-token-file", processtest.TempFile(t, token))
	user := map[string]any{"username": "asha", "email": "asha@example.org", "password": marker, "password2": marker}
	var responses bytes.Buffer
	for _, r := range []struct {
		method, path, token string
		body                any
	}{
		{"POST", "/user/register/", "", user},
		{"POST", "/user/register/", "", user}, // the username is taken
		{"POST", "/user/register/", "", map[string]any{"username": "ravi", "email": "x", "password": marker, "password2": marker + "x"}},
		{"POST", "/user/login/", "", map[string]any{"username": "asha", "password": marker + "x"}},
		{"POST", "/user/login/", "", map[string]any{"username": "asha", "password": map[string]any{"a": marker}}},
		{"POST", "/user/token/refresh/", "", map[string]any{"refresh": marker}},
		{"POST", "/user/change-password/", marker, map[string]any{"old_password": marker}},
		{"POST", "/v1/trains", token, map[string]any{"name": 1}},
		{"POST", "/v1/holds", token, map[string]any{}},
		{"GET", "/v1/trains?access_token=" + marker, token, nil},
		{"GET", "/v1/users", marker, nil},
	} {
		c := processtest.NewClient(s.URL)
		c.Token = r.token
		response, err := c.Send(r.method, r.path, r.body)
		require.NoError(t, err)
		responses.Write(response.Body)
	}
	s.Stop()
	require.NotContains(t, responses.String(), marker)
	require.NotContains(t, s.Log.String(), marker)
	require.Contains(t, s.Log.String(), "/user/login/")
}
