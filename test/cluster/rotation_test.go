package cluster_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// The processes of a cluster get the files of a rotation one after the other, in the order of
// operations.md 7, while clients buy tickets at all of them.
func TestSigningSecretIsReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	c := newCluster(t, servers.Postgres(t), servers.Redis(t))
	old, replacement := c.oldSecret(), strings.Repeat("the secret that replaces it ", 2)
	secrets := make([]string, 3) // each process has a file of its own
	for i := range secrets {
		secrets[i] = processtest.TempFile(t, old)
		c.secret = secrets[i]
		c.start(processtest.FreeAddress(t))
	}
	c.admin = processtest.CreateAdmin(t, c.url, "--database-url", c.database)
	c.service = c.serviceAt(c.url)
	trains := c.admin.AddTrains(t, 6, 100)
	session := processtest.SignUp(t, c.url, "asha") // during the whole rotation
	refresh := c.logIn(0)
	load, selling := c.startLoad(trains, 100), true
	load.awaitSales(5)

	// step replaces the files, and after each one uses a token of that process at all of them.
	step := func(signs string, accepts ...string) {
		t.Helper()
		kids := make([]string, len(accepts))
		for i, key := range accepts {
			kids[i] = fmt.Sprintf("%q", kid(key))
		}
		for i, n := range c.nodes {
			processtest.ReplaceFile(t, secrets[i], strings.Join(append([]string{signs}, accepts...), "\n"))
			n.Await(fmt.Sprintf(`"signs":%q,"accepts":[%s]`, kid(signs), strings.Join(kids, ",")))
			refreshed := processtest.NewClient(n.URL).Must(t, http.StatusOK, "POST", "/user/token/refresh/", map[string]any{"refresh": refresh})
			refresh = refreshed.Refresh
			for _, other := range c.nodes {
				fresh := session.At(other.URL)
				fresh.Token = refreshed.Access
				fresh.Must(t, http.StatusOK, "GET", "/v1/users/me", nil)
			}
			if selling {
				load.awaitSales(2)
			}
		}
	}
	step(old, replacement)
	step(replacement, old)
	load.requireNoFailure()
	load.finish() // its tokens are signed with the old secret
	selling = false
	for _, n := range c.nodes {
		session.At(n.URL).Must(t, http.StatusOK, "GET", "/v1/users/me", nil)
	}
	step(replacement)
	for _, n := range c.nodes {
		session.At(n.URL).Must(t, http.StatusUnauthorized, "GET", "/v1/users/me", nil)
		require.NotContains(t, n.Log.String(), replacement)
	}
}

// oldSecret returns the secret of newCluster.
func (c *cluster) oldSecret() string {
	c.t.Helper()
	return strings.TrimSpace(processtest.ReadFile(c.t, c.secret))
}

// logIn returns a refresh token of asha.
func (c *cluster) logIn(node int) string {
	c.t.Helper()
	return processtest.NewClient(c.nodes[node].URL).Must(c.t, http.StatusOK, "POST", "/user/login/", map[string]any{
		"username": "asha", "password": processtest.Password,
	}).Token.Refresh
}

// kid returns the documented name of a key.
func kid(key string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(key)))
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// Processes that run get certificates of another authority, and then work with one that has never
// seen the first.
func TestCertificatesOfPeersAreReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	first, second := processtest.NewAuthority(t), processtest.NewAuthority(t)
	c := newCluster(t, servers.Postgres(t), servers.Redis(t))
	var files [][]string // flag and path
	for range 2 {
		files = append(files, peerFlags(t, first))
		files[len(files)-1][5] = processtest.TempFile(t, processtest.ReadFile(t, first.File))
		c.args = files[len(files)-1]
		c.start(processtest.FreeAddress(t))
	}
	c.admin = processtest.CreateAdmin(t, c.url, "--database-url", c.database)
	both := processtest.ReadFile(t, first.File) + processtest.ReadFile(t, second.File)
	changes := 0
	for _, change := range []func(paths []string){
		func(paths []string) { processtest.ReplaceFile(t, paths[5], both) },
		func(paths []string) {
			next := peerFlags(t, second)
			processtest.ReplaceFile(t, paths[1], processtest.ReadFile(t, next[1]))
			processtest.ReplaceFile(t, paths[3], processtest.ReadFile(t, next[3]))
		},
		func(paths []string) { processtest.ReplaceFile(t, paths[5], processtest.ReadFile(t, second.File)) },
	} {
		changes++
		for i, n := range c.nodes {
			change(files[i])
			await(t, timeout, func() bool {
				return strings.Count(n.Log.String(), "a file changed and is in use") == changes
			}, "the change of a file")
		}
	}

	c.args = peerFlags(t, second)
	c.start(processtest.FreeAddress(t))
	user := processtest.SignUp(t, c.url, "asha")
	for _, train := range c.admin.AddTrains(t, 6, 10) {
		for i, n := range c.nodes {
			user.At(n.URL).MustLock(t, http.StatusOK, train.ID.String(), i+1)
		}
	}
}
