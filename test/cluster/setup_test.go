package cluster_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	apiclient "trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

const (
	timeout  = processtest.Timeout
	pollTime = 20 * time.Millisecond

	// takeover bounds the time that a train has no owner (RELIABILITY.md I7).
	takeover = 8 * time.Second
	// recovery bounds the time after a fault in which requests may fail (RELIABILITY.md I7).
	recovery = 15 * time.Second
	// retryTime bounds the time in which a client repeats a failed request.
	retryTime = 20 * time.Second
)

// cluster is several processes behind a load balancer.
type cluster struct {
	t               *testing.T
	database, redis string // a URL, a host:port
	secret          string // a file
	args, environ   []string
	balancer        *processtest.Balancer
	url             string // of the balancer
	nodes           []*node
	admin           *processtest.Client
	service         *apiclient.Client // through the balancer, for any user
}

// node is a process of the cluster.
type node struct {
	*processtest.Server
	address string // the one that it advertises
	backend *processtest.Backend
}

// startCluster starts processes on new stores.
func startCluster(t *testing.T, processes int, args ...string) *cluster {
	t.Helper()
	c := newCluster(t, servers.Postgres(t), servers.Redis(t), args...)
	c.startNodes(processes)
	return c
}

// newCluster returns a cluster without processes.
func newCluster(t *testing.T, database, redis string, args ...string) *cluster {
	t.Helper()
	secret := processtest.TempFile(t, strings.Repeat("the secret of a test ", 3))
	b := processtest.NewBalancer(t)
	return &cluster{t: t, database: database, redis: redis, secret: secret, args: args, balancer: b, url: b.URL}
}

// startNodes starts the first processes and creates an admin.
func (c *cluster) startNodes(processes int) {
	c.t.Helper()
	for range processes {
		c.start(processtest.FreeAddress(c.t))
	}
	c.admin = processtest.CreateAdmin(c.t, c.url, "--database-url", c.database)
	c.service = c.serviceAt(c.url)
}

// serviceAt returns the service at a URL, for any user.
func (c *cluster) serviceAt(url string) *apiclient.Client {
	c.t.Helper()
	return processtest.Passengers(c.t, url, c.secret, c.admin)
}

// start starts a process that advertises an address, and waits until it is ready.
func (c *cluster) start(address string) *node {
	c.t.Helper()
	return c.startOn(address, c.redis)
}

// startOn is start with another address of Redis.
func (c *cluster) startOn(address, redis string) *node {
	c.t.Helper()
	n := &node{address: address}
	n.Server = processtest.StartIn(c.t, c.environ, append([]string{
		"--database-url", c.database, "--redis-url", "redis://" + redis, "--jwt-secret-file", c.secret,
		"--advertise", address, "--shutdown-delay", "1s",
	}, c.args...)...)
	n.backend = c.balancer.Add(n.URL)
	c.nodes = append(c.nodes, n)
	c.awaitReady(n)
	return n
}

// awaitReady waits until the balancer gives requests to the process.
func (c *cluster) awaitReady(n *node) {
	c.t.Helper()
	deadline := time.After(timeout)
	for !n.backend.Ready() {
		select {
		case <-time.After(pollTime):
		case <-n.Exited():
			require.Fail(c.t, "the process exited", n.Log.String())
		case <-deadline:
			require.Fail(c.t, "the process is not ready", n.Log.String())
		}
	}
}

// remove removes a process that has exited.
func (c *cluster) remove(n *node) {
	c.balancer.Remove(n.backend)
	c.nodes = slices.DeleteFunc(c.nodes, func(other *node) bool { return other == n })
}

// others returns the processes except one.
func (c *cluster) others(n *node) []*node {
	return slices.DeleteFunc(slices.Clone(c.nodes), func(other *node) bool { return other == n })
}

// requireAllRunning fails the test if a process has exited.
func (c *cluster) requireAllRunning() {
	c.t.Helper()
	for _, n := range c.nodes {
		select {
		case <-n.Exited():
			require.Failf(c.t, "a process exited", "%s with %d:\n%s", n.address, n.Wait(), n.Log)
		default:
		}
	}
}

// hold holds a seat of each train. After it, every train has an owner.
func (c *cluster) hold(by *traffic.Client, trains []booking.Train, seat int) map[booking.TrainID]history.Operation {
	c.t.Helper()
	held := map[booking.TrainID]history.Operation{}
	for _, train := range trains {
		held[train.ID] = by.Hold(c.t.Context(), &train, train.Run(), []int{seat}, 1)
		requireResult(c.t, history.Done, held[train.ID])
	}
	return held
}

func requireResult(t *testing.T, want history.Result, got history.Operation) {
	t.Helper()
	require.Equal(t, want, got.Result, "%s: %s", &got, got.Detail)
}

// owner returns the process that has the lease of the train, nil if none has.
func (c *cluster) owner(train booking.TrainID) *node {
	c.t.Helper()
	lease := c.redisCommand("GET {t:" + train.String() + "}:lease")
	for _, n := range c.nodes {
		if strings.HasPrefix(lease, n.address+"|") {
			return n
		}
	}
	return nil
}

// ownedBy returns the trains that a process owns.
func (c *cluster) ownedBy(n *node, trains []booking.Train) (owned []booking.Train) {
	c.t.Helper()
	for _, train := range trains {
		if c.owner(train.ID) == n {
			owned = append(owned, train)
		}
	}
	return owned
}

// busiest returns the process that owns most of the trains, and these trains.
func (c *cluster) busiest(trains []booking.Train) (busiest *node, most []booking.Train) {
	c.t.Helper()
	for _, n := range c.nodes {
		if owned := c.ownedBy(n, trains); len(owned) > len(most) {
			busiest, most = n, owned
		}
	}
	require.NotNil(c.t, busiest, "no train has an owner")
	return busiest, most
}

// redisCommand sends a command to Redis and returns the reply, "" for nil.
func (c *cluster) redisCommand(command string) string {
	c.t.Helper()
	reply, err := processtest.RedisCommand(c.redis, command)
	require.NoError(c.t, err)
	return reply
}

// metric returns the value of a metric of the process.
func (n *node) metric(t *testing.T, name string) float64 {
	t.Helper()
	values, err := processtest.ReadMetrics(t.Context(), http.DefaultClient, n.Metrics)
	require.NoError(t, err)
	require.Contains(t, values, name)
	return values[name]
}

// await waits until the condition holds. It calls condition in the goroutine of the test, so
// that condition may end the test.
func await(t *testing.T, limit time.Duration, condition func() bool, what string) {
	t.Helper()
	for begun := time.Now(); !condition(); <-time.After(pollTime) {
		require.Less(t, time.Since(begun), limit, "waiting for: %s", what)
	}
}
