package actors_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// notReady returns why each node is not ready.
func notReady(nodes ...*node) (reasons [][]string) {
	for _, n := range nodes {
		reasons = append(reasons, slices.Sorted(maps.Keys(n.Health().NotReady)))
	}
	return reasons
}

// cut interrupts the connections of nodes to a dependency, or restores them.
func cut(dependency string, is bool, nodes ...*node) {
	for _, n := range nodes {
		if dependency == "store" {
			n.link.storeless.Store(is)
		} else {
			n.link.unreachable.Store(is)
		}
	}
}

func TestStoreThatIsDownMakesNoProcessUnready(t *testing.T) {
	t.Parallel()
	for _, dependency := range []string{"store", "cluster"} {
		onVirtualCluster(t, func(c *virtualCluster) {
			nodes := []*node{c.join(), c.join(), c.join()}
			for i, n := range nodes { // they notice it one after the other
				wait(time.Duration(i) * 400 * time.Millisecond)
				cut(dependency, true, n)
			}
			for range 30 {
				wait(time.Second)
				require.Equal(c, [][]string{nil, nil, nil}, notReady(nodes...))
			}
			for _, n := range nodes {
				require.Error(c, n.Health().Dependencies[dependency])
			}
			cut(dependency, false, nodes...)
			wait(5 * time.Second)
			for _, n := range nodes {
				require.NoError(c, n.Health().Dependencies[dependency])
			}
		})
	}
}

func TestProcessThatAloneCannotReachAStoreIsNotReady(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		nodes := []*node{c.join(), c.join(), c.join()}
		cut("store", true, nodes[0])
		wait(3 * time.Second)
		require.Equal(c, [][]string{nil, nil, nil}, notReady(nodes...))
		wait(3 * time.Second)
		require.Equal(c, [][]string{{"store"}, nil, nil}, notReady(nodes...))
		cut("store", true, nodes[1:]...)
		wait(5 * time.Second)
		require.Equal(c, [][]string{nil, nil, nil}, notReady(nodes...), "the others are no better")
		cut("store", false, nodes[1:]...)
		wait(5 * time.Second)
		require.Equal(c, [][]string{{"store"}, nil, nil}, notReady(nodes...))
		cut("store", false, nodes[0])
		wait(5 * time.Second)
		require.Equal(c, [][]string{nil, nil, nil}, notReady(nodes...))
	})
}

// Its peers evict it, but it does not know that.
func TestProcessCutFromTheHeartbeatsIsNotReady(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		alone, other := c.join(), c.join()
		cut("cluster", true, alone)
		wait(20 * time.Second)
		require.Equal(c, [][]string{{"cluster"}, nil}, notReady(alone, other))
	})
}

func TestSingleProcessIsReadyWithoutItsStore(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		only := c.join()
		cut("store", true, only)
		wait(time.Minute)
		require.Equal(c, [][]string{nil}, notReady(only))
		require.Error(c, only.Health().Dependencies["store"])
	})
}
