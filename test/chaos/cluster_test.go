//go:build chaos

package chaos_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

const (
	holdTTL  = 5 * time.Second
	pollTime = 50 * time.Millisecond
	// exitFenced is the exit code of a process that its peers went on without.
	exitFenced = 3
	// maxConnections is some more than three processes use.
	maxConnections = 60
)

// cluster is three processes and all that lies around them.
type cluster struct {
	t               *testing.T
	postgres, redis *servers.Server
	postgresSocket  string
	exhaustion      *exhaustion   // has all connections of Postgres
	clock           time.Duration // by how much Redis's differs
	secret          string        // the file
	balancer        *processtest.Balancer
	nodes           []*node
	admin           *processtest.Client
	logs            []namedLog
	restarts        int // of processes that ended with exitFenced
}

// node is a place for a process, under one address for all those that follow each other.
type node struct {
	*processtest.Server
	c                      *cluster
	name                   string
	listen                 string // for peers, who come by a link
	peers, redis, postgres *processtest.Link
	backend                *processtest.Backend
	starts                 int
	down                   bool // it was ended on purpose
	mayEnd                 bool // it may find that its peers have gone on without it
}

type namedLog struct {
	name string
	log  *processtest.Lines
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{
		t: t, redis: startRedis(t), secret: filepath.Join(t.TempDir(), "secret"), balancer: processtest.NewBalancer(t),
		// The order of commits is looked at in the end.
		postgres: servers.StartPostgres(t, "track_commit_timestamp=on", fmt.Sprintf("max_connections=%d", maxConnections)),
	}
	require.NoError(t, os.WriteFile(c.secret, []byte(strings.Repeat("the secret of a test ", 3)), 0o600))
	database, err := url.Parse(c.postgres.Address)
	require.NoError(t, err)
	c.postgresSocket = filepath.Join(database.Query().Get("host"), ".s.PGSQL.5432")
	for i := range 3 {
		n := &node{c: c, name: string(rune('a' + i)), listen: processtest.FreeAddress(t)}
		n.peers = processtest.NewLink(t, "tcp", n.listen)
		n.redis = processtest.NewLink(t, "tcp", c.redis.Address)
		n.postgres = processtest.NewLink(t, "unix", c.postgresSocket)
		c.nodes = append(c.nodes, n)
		n.start()
		n.awaitReady()
	}
	c.admin = processtest.CreateAdmin(t, c.balancer.URL, "--database-url", c.postgres.Address)
	return c
}

func startRedis(t *testing.T) *servers.Server {
	t.Helper()
	if clocksMove {
		return servers.StartRedisWithClock(t)
	}
	return servers.StartRedis(t)
}

// start starts a process and does not wait until it is ready.
func (n *node) start() {
	c := n.c
	c.t.Helper()
	n.starts++
	n.Server = processtest.Start(c.t,
		"--database-url", "postgres://postgres@"+n.postgres.Address+"/postgres?sslmode=disable",
		"--redis-url", "redis://"+n.redis.Address, "--jwt-secret-file", c.secret,
		"--advertise", n.peers.Address, "--cluster-listen", n.listen, "--shutdown-delay", "1s",
		"--hold-ttl", holdTTL.String(), "--max-holds-per-user", "1000", "--access-ttl", "24h", "--log-format", "json")
	c.logs = append(c.logs, namedLog{fmt.Sprintf("%s-%d.log", n.name, n.starts), n.Log})
	n.backend = c.balancer.Add(n.URL)
	n.down = false
}

// end ends the process with a signal that it may handle, or not.
func (n *node) end(signal syscall.Signal) (code int) {
	n.c.t.Helper()
	n.down = true
	n.Signal(signal)
	code = n.Wait()
	n.c.balancer.Remove(n.backend)
	return code
}

// awaitReady waits until the balancer gives requests to the process. One that ended
// because its peers went on without it is started again, as a supervisor does.
func (n *node) awaitReady() {
	n.c.t.Helper()
	for begun := time.Now(); !n.backend.Ready() || n.hasEnded(); <-time.After(pollTime) {
		if n.hasEnded() {
			n.restart()
		}
		require.Less(n.c.t, time.Since(begun), 2*processtest.Timeout, "%s is not ready:\n%s", n.name, n.Log)
	}
}

// restart starts the process again after it ended by itself, which it may do only after its
// peers went on without it.
func (n *node) restart() {
	n.c.t.Helper()
	code := n.Wait()
	n.c.balancer.Remove(n.backend)
	if code != exitFenced || !n.mayEnd {
		n.c.t.Errorf("process %s ended by itself with %d: see %s-%d.log", n.name, code, n.name, n.starts)
	}
	n.c.restarts++
	n.start()
}

func (n *node) hasEnded() bool {
	select {
	case <-n.Exited():
		return true
	default:
		return false
	}
}

// owner returns the process that has the train's lease, nil if none of them has.
func (c *cluster) owner(train booking.TrainID) *node {
	lease, err := processtest.RedisCommand(c.redis.Address, "GET {t:"+train.String()+"}:lease")
	if err != nil {
		return nil
	}
	for _, n := range c.nodes {
		if strings.HasPrefix(lease, n.peers.Address+"|") {
			return n
		}
	}
	return nil
}
