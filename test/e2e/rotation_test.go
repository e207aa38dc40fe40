//go:build e2e

package e2e_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// rotate changes the passwords of Postgres and Redis and the service token, each in its server or
// Secret only, and closes all connections. No pod may restart, and all must be ready again.
func (r *release) rotate() {
	r.t.Helper()
	restarts := r.restarts()
	password := rand.Text()
	r.sql("ALTER ROLE booking PASSWORD '" + password + "'")
	require.Equal(r.t, "OK", r.redisCLI(r.secret("redis", "password"), "CONFIG", "SET", "requirepass", password))
	r.patchSecret("postgres", "url", "postgres://booking:"+password+"@postgres:5432/booking")
	r.patchSecret("redis", "url", "redis://:"+password+"@redis:6379")
	token := r.fullname() + "-service-token"
	r.patchSecret(token, "token", rand.Text()+rand.Text()+"\n"+r.secret(token, "token"))
	// The kubelet updates the files of a pod when the pod changes, otherwise within a minute or two.
	r.kubectl("annotate", "pods", "--selector", "app.kubernetes.io/instance="+r.name, "--overwrite", "rotated="+password[:8])

	r.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'booking' AND pid <> pg_backend_pid()")
	r.redisCLI(password, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	pods := len(r.pods())
	require.Eventually(r.t, func() bool { return r.connectedPods(password) == pods }, timeout, time.Second,
		"the pods do not connect with the new passwords")
	r.kubectl("wait", "pods", "--selector", r.serverPods(), "--for", "condition=Ready", "--timeout", timeout.String())
	require.Equal(r.t, restarts, r.restarts(), "a pod restarted")
}

// connectedPods returns from how many addresses there are connections to Postgres, or to Redis if that is
// less.
func (r *release) connectedPods(redisPassword string) int {
	r.t.Helper()
	var postgres int
	_, err := fmt.Sscan(r.sql("SELECT count(DISTINCT client_addr) FROM pg_stat_activity WHERE usename = 'booking'"), &postgres)
	require.NoError(r.t, err)
	redis := map[string]bool{}
	for _, client := range strings.Split(r.redisCLI(redisPassword, "CLIENT", "LIST", "TYPE", "normal"), "\n") {
		_, address, _ := strings.Cut(client, " addr=")
		if host, _, found := strings.Cut(address, ":"); found && host != "127.0.0.1" {
			redis[host] = true
		}
	}
	return min(postgres, len(redis))
}

// restarts returns how often each container of the release was restarted, by pod.
func (r *release) restarts() string {
	r.t.Helper()
	return r.kubectl("get", "pods", "--selector", "app.kubernetes.io/instance="+r.name, "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[*].restartCount}{"\n"}{end}`)
}

func (r *release) sql(statement string) string {
	r.t.Helper()
	return r.kubectl("exec", "deployment/postgres", "--", "psql", "--username", "booking", "--tuples-only", "--no-align", "--command", statement)
}

func (r *release) redisCLI(password string, args ...string) string {
	r.t.Helper()
	return r.kubectl(append([]string{
		"exec", "deployment/redis", "--", "redis-cli", "--no-auth-warning", "-a", password,
	}, args...)...)
}

func (r *release) secret(name, key string) string {
	r.t.Helper()
	value, err := base64.StdEncoding.DecodeString(r.kubectl("get", "secret", name, "-o", "jsonpath={.data."+key+"}"))
	require.NoError(r.t, err)
	return string(value)
}

func (r *release) patchSecret(name, key, value string) {
	r.t.Helper()
	r.kubectl("patch", "secret", name, "-p", fmt.Sprintf(`{"stringData": {%q: %q}}`, key, value))
}
