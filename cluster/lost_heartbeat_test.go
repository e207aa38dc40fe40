package cluster_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/cluster"
	"trainbooking.dev/cluster/clustertest"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/memory"
)

// loss reports whether the nth heartbeat of a member is lost, from 0 on.
type loss func(n int) bool

func none(int) bool                { return false }
func lose(lost, of int) loss       { return func(n int) bool { return n%of < lost } }
func during(from, until int) loss  { return func(n int) bool { return from <= n && n < until } }
func either(a, b loss) loss        { return func(n int) bool { return a(n) || b(n) } }
func after(first int, l loss) loss { return func(n int) bool { return n >= first && l(n-first) } }

// lossyMembers are Members whose heartbeats are lost: they do not reach the store.
type lossyMembers struct {
	persistence.Members
	lost loss
	sent int
}

func (l *lossyMembers) Heartbeat(ctx context.Context, member string) (persistence.Membership, error) {
	l.sent++
	if l.lost(l.sent - 1) {
		return persistence.Membership{}, errors.New("lost")
	}
	return l.Members.Heartbeat(ctx, member)
}

// virtualCluster is a cluster on a store in memory and virtual time.
type virtualCluster struct {
	*testing.T
	shared  *memory.Shared
	network clustertest.Network
}

type virtualNode struct {
	*cluster.Node
	members            *lossyMembers
	leases             *replacedLeases
	evicted, recovered atomic.Int64
}

func onVirtualCluster(t *testing.T, test func(c *virtualCluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		test(&virtualCluster{T: t, shared: memory.NewShared(time.Now)})
	})
}

// join starts a node that loses heartbeats. They are counted from the first after its start.
func (c *virtualCluster) join(address string, lost loss) *virtualNode {
	c.Helper()
	client := c.shared.At(address, time.Now)
	n := &virtualNode{members: &lossyMembers{Members: client, lost: lost}, leases: &replacedLeases{Leases: client}}
	n.Node = cluster.New(cluster.Options{
		Leases: n.leases, Members: n.members, Address: address, Listen: address, Tokens: func() []string { return []string{"token"} },
		Network: c.network.At(address),
	})
	require.NoError(c, n.Start(c.Context(), cluster.Events{
		Changed: func() {}, Lease: func(cluster.LeaseEvent) {},
		Recovered: func() { n.recovered.Add(1) },
		Evicted:   func() { n.evicted.Add(1) },
	}))
	c.Cleanup(func() { require.NoError(c, n.Stop(context.WithoutCancel(c.Context()))) })
	return n
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

const (
	heartbeatInterval = persistence.MemberTTL / 4
	// settled is a time without losses, after which a silence counts as a loss of the members.
	settled = 12
)

func TestLostHeartbeatsOfASurvivorKeepNoDeadMember(t *testing.T) {
	t.Parallel()
	for name, pattern := range map[string]struct {
		lost  loss
		limit time.Duration // RELIABILITY.md 2
	}{
		"None":                  {none, persistence.MemberTTL + heartbeatInterval},
		"OneOfFour":             {lose(1, 4), 9 * time.Second},
		"OneOfTwo":              {lose(1, 2), 12 * time.Second},
		"NineOfTen":             {lose(9, 10), 6 * 10 * heartbeatInterval},
		"BurstsOfTwo":           {lose(2, 6), 9 * time.Second},
		"BurstsOfTen":           {lose(10, 14), 2 * 14 * heartbeatInterval},
		"LongBurstBetweenPairs": {lose(20, 22), 4 * 22 * heartbeatInterval},
	} {
		for phase := range 4 {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				onVirtualCluster(t, func(c *virtualCluster) {
					survivor := c.join("10.0.0.1:8090", after(settled, pattern.lost))
					dies, member := c.shared.At("10.0.0.2:8090", time.Now), cluster.MemberText(uuid.New(), "10.0.0.2:8090")
					_, err := dies.Join(t.Context(), member)
					require.NoError(t, err)
					for range settled - phase {
						pass(heartbeatInterval)
						_, err = dies.Heartbeat(t.Context(), member)
						require.NoError(t, err)
					}
					require.Equal(t, 2, survivor.Members())
					pass(persistence.MemberTTL - time.Millisecond)
					require.Equal(t, 2, survivor.Members())
					pass(pattern.limit - persistence.MemberTTL + time.Millisecond)
					require.Equal(t, 1, survivor.Members())
					require.Zero(t, survivor.evicted.Load())
				})
			})
		}
	}
}

func TestLostHeartbeatsEvictNoHealthyMember(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string][2]loss{
		"OneOfFour":            {after(settled, lose(1, 4)), after(settled, lose(1, 4))},
		"OneOfTwoAndTwoOfFour": {after(settled, lose(1, 2)), after(settled, lose(2, 4))},
		"OneAndTwoOfThree":     {after(settled, lose(1, 3)), after(settled, lose(2, 3))},
		"StoreUnreachable":     {during(settled, 40), during(settled, 42)},
		"UnreachableAtStart":   {during(3, 40), during(3, 40)},
		"UnreachableTwice":     {either(during(20, 40), during(41, 60)), either(during(20, 40), during(41, 60))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onVirtualCluster(t, func(c *virtualCluster) {
				first := c.join("10.0.0.1:8090", lost[0])
				second := c.join("10.0.0.2:8090", lost[1])
				pass(time.Millisecond)
				for range 1000 {
					require.Equal(t, 2, first.Members())
					require.Equal(t, 2, second.Members())
					pass(heartbeatInterval)
				}
				require.Zero(t, first.evicted.Load()+second.evicted.Load())
			})
		})
	}
}

func TestRecoveriesAreReportedAtOnceButNotTooOften(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		const flaky = 60
		n := c.join("10.0.0.1:8090", either(either(during(2, 3), during(6, 7)), after(flaky, lose(1, 4))))
		pass(4*heartbeatInterval + time.Millisecond)
		require.EqualValues(t, 1, n.recovered.Load(), "at once")
		pass(4 * heartbeatInterval)
		require.EqualValues(t, 1, n.recovered.Load(), "too early again")
		pass(cluster.RecoveryInterval - 4*heartbeatInterval)
		require.EqualValues(t, 2, n.recovered.Load(), "every outage is reported")
		pass((flaky-8)*heartbeatInterval - cluster.RecoveryInterval + 4*heartbeatInterval)
		require.EqualValues(t, 2, n.recovered.Load())
		pass(2 * heartbeatInterval)
		require.EqualValues(t, 3, n.recovered.Load(), "at once")
		pass(10 * time.Minute)
		require.InDelta(t, 10*time.Minute/cluster.RecoveryInterval, n.recovered.Load()-3, 1)
	})
}
