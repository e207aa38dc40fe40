package servers

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// clusterMasters is the number of masters of a Redis Cluster, each with one replica.
	clusterMasters = 3
	clusterSlots   = 16384
)

// RedisCluster is a Redis Cluster of three masters and three replicas.
type RedisCluster struct {
	Nodes []*Server // the masters, then their replicas in the same order
	buses []string  // the ports on which the nodes talk to each other
}

// StartRedisCluster starts a Redis Cluster and waits until every node sees all of it and every
// replica follows its master.
func StartRedisCluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	c := &RedisCluster{}
	for range 2 * clusterMasters {
		_, port, err := freePort(tb.Context())
		require.NoError(tb, err)
		c.buses = append(c.buses, strconv.Itoa(port))
		c.Nodes = append(c.Nodes, startRedis(tb, nil, "--cluster-enabled", "yes",
			// A replica replaces a master that has not responded for so long.
			"--cluster-node-timeout", "1000", "--cluster-port", strconv.Itoa(port),
			"--cluster-require-full-coverage", "no")) // the other shards continue meanwhile
	}
	for i := range clusterMasters {
		c.send(tb, i, "CLUSTER SET-CONFIG-EPOCH "+strconv.Itoa(i+1))
		c.send(tb, i, fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", SlotsOf(i), SlotsOf(i+1)-1))
	}
	for i, node := range c.Nodes {
		host, port, _ := strings.Cut(node.Address, ":")
		for other := range i { // to all, since gossip takes seconds
			c.send(tb, other, "CLUSTER MEET "+host+" "+port+" "+c.buses[i])
		}
	}
	c.await(tb, "cluster_known_nodes:6", "CLUSTER INFO", 0, 1, 2, 3, 4, 5)
	for i := range clusterMasters {
		id := lineOf(c.send(tb, i, "CLUSTER MYID"), 1)
		c.await(tb, id, "CLUSTER NODES", clusterMasters+i)
		c.send(tb, clusterMasters+i, "CLUSTER REPLICATE "+id)
		c.await(tb, "slave "+id, "CLUSTER NODES", 0, 1, 2, 3, 4, 5) // the masters vote for it later
	}
	c.await(tb, "master_link_status:up", "INFO replication", 3, 4, 5)
	c.await(tb, "cluster_state:ok", "CLUSTER INFO", 0, 1, 2, 3, 4, 5)
	return c
}

// SlotsOf returns the first slot of a master; that of the one after the last is the number of slots.
func SlotsOf(master int) int { return clusterSlots * master / clusterMasters }

// Replica returns the replica of a master at the start.
func (c *RedisCluster) Replica(master int) *Server { return c.Nodes[clusterMasters+master] }

// Addresses returns the addresses of all nodes.
func (c *RedisCluster) Addresses() []string {
	addresses := make([]string, len(c.Nodes))
	for i, node := range c.Nodes {
		addresses[i] = node.Address
	}
	return addresses
}

func (c *RedisCluster) send(tb testing.TB, node int, command string) string {
	tb.Helper()
	reply, err := send(tb.Context(), c.Nodes[node].Address, command)
	require.NoError(tb, err)
	return reply
}

// await polls nodes until the reply to a command contains a text.
func (c *RedisCluster) await(tb testing.TB, text, command string, nodes ...int) {
	tb.Helper()
	addresses := c.Addresses()
	for _, node := range nodes {
		awaitReply(tb, addresses[node], command, text)
	}
}

// awaitReply polls a Redis until the reply to a command contains a text.
func awaitReply(tb testing.TB, addr, command, text string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		reply, err := send(ctx, addr, command)
		if err == nil && strings.Contains(reply, text) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Failf(tb, "no such reply", "%s of %s: %q, %v; want %q", command, addr, reply, err, text)
		}
	}
}

// lineOf returns a line of a reply, counted from 0.
func lineOf(reply string, line int) string { return strings.Split(reply, "\n")[line] }
