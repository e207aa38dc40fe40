//go:build chaos

package chaos_test

import (
	"fmt"
	"net/url"
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
	// exitFenced is the exit code of a process that its peers have evicted.
	exitFenced = 3
	// maxConnections is a few more than three processes use.
	maxConnections = 60
)

// cluster is three processes, their stores, and the links between all of them.
type cluster struct {
	t               *testing.T
	postgres, redis *servers.Server
	postgresSocket  string
	exhaustion      *exhaustion     // while Postgres is out of connections
	soldByHand      booking.TrainID // the train with a seat that was sold by hand
	disturbance     *disturbance    // while there is one
	unlock          func()          // ends the lock of a row
	replica         *servers.Server // of Redis, during its failover
	lost            time.Duration   // when that began
	clock           time.Duration   // of Redis, relative to the real time
	secret          string          // a file
	balancer        *processtest.Balancer
	nodes           []*node
	admin           *processtest.Client
	logs            []namedLog
	counters        *counters
	restarts        int // after exitFenced
}

// node is one of the three processes. A restarted process has the same address.
type node struct {
	*processtest.Server
	c                      *cluster
	name                   string
	listen                 string // for peers, which connect through a link
	peers, redis, postgres *processtest.Link
	backend                *processtest.Backend
	starts                 int
	mayExit                bool // its peers may have evicted it
}

type namedLog struct {
	name string
	log  *processtest.Lines
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{
		t: t, redis: startRedis(t), secret: processtest.TempFile(t, strings.Repeat("the secret of a test ", 3)),
		balancer: processtest.NewBalancer(t), counters: newCounters(),
		// checkEpochs reads the times of commits.
		postgres: servers.StartPostgres(t, "track_commit_timestamp=on", fmt.Sprintf("max_connections=%d", maxConnections)),
	}
	t.Cleanup(c.counters.running.Wait) // after the processes are killed
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

// start starts the process. It does not wait until the process is ready.
func (n *node) start() {
	c := n.c
	c.t.Helper()
	n.starts++
	n.Server = processtest.Start(c.t,
		"--database-url", "postgres://postgres@"+n.postgres.Address+"/postgres?sslmode=disable",
		"--redis-url", "redis://"+n.redis.Address, "--jwt-secret-file", c.secret,
		"--advertise", n.peers.Address, "--cluster-listen", n.listen, "--shutdown-delay", "1s",
		"--hold-ttl", holdTTL.String(), "--max-holds-per-user", "1000", "--rehold-pause", "0", "--access-ttl", "24h", "--log-format", "json")
	c.logs = append(c.logs, namedLog{fmt.Sprintf("%s-%d.log", n.name, n.starts), n.Log})
	c.counters.watch(n.Server)
	n.backend = c.balancer.Add(n.URL)
}

// stop stops the process with a signal and returns the exit code.
func (n *node) stop(signal syscall.Signal) (code int) {
	n.c.t.Helper()
	n.Signal(signal)
	code = n.Wait()
	n.c.balancer.Remove(n.backend)
	return code
}

// awaitReady waits until the balancer sends requests to the process. It restarts a process that
// has exited.
func (n *node) awaitReady() {
	n.c.t.Helper()
	for begun := time.Now(); !n.backend.Ready() || n.hasExited(); <-time.After(pollTime) {
		if n.hasExited() {
			n.restart()
		}
		require.Less(n.c.t, time.Since(begun), 2*processtest.Timeout, "%s is not ready:\n%s", n.name, n.Log)
	}
}

// restart starts a process again that has exited. It fails the test unless the process may have
// exited because its peers had evicted it.
func (n *node) restart() {
	n.c.t.Helper()
	code := n.Wait()
	n.c.balancer.Remove(n.backend)
	if code != exitFenced || !n.mayExit {
		n.c.t.Errorf("process %s exited with %d: see %s-%d.log", n.name, code, n.name, n.starts)
	}
	n.c.restarts++
	n.start()
}

func (n *node) hasExited() bool {
	select {
	case <-n.Exited():
		return true
	default:
		return false
	}
}

// owner returns the process that has the lease of the train, nil if none has.
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
