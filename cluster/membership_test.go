package cluster_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

func TestJoiningMemberMovesOnlyItsOwnShare(t *testing.T) {
	t.Parallel()
	const keys = 3000
	three := []string{"10.0.0.1:8090", "10.0.0.2:8090", "10.0.0.3:8090"}
	four := []string{"10.0.0.1:8090", "10.0.0.2:8090", "10.0.0.3:8090", "10.0.0.4:8090"}
	moved, owned := 0, map[string]int{}
	for range keys {
		key := cluster.Key(uuid.New())
		before, after := cluster.Rendezvous(three, key), cluster.Rendezvous(four, key)
		owned[after]++
		if before != after {
			moved++
			require.Equal(t, "10.0.0.4:8090", after)
		}
	}
	require.InDelta(t, keys/4, moved, keys/20)
	for _, address := range four {
		require.InDelta(t, keys/4, owned[address], keys/20, address)
	}
	require.Empty(t, cluster.Rendezvous(nil, cluster.Key{}))
}

// Heartbeats run concurrently with a drain.
func TestDrainingProcessIsNotEvicted(t *testing.T) {
	t.Parallel()
	shared, err := redis.Open(t.Context(), "redis://"+servers.Redis(t), redis.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shared.Close()) })
	witness := cluster.NewMember(shared, "10.0.0.2:8090")
	require.NoError(t, witness.Heartbeat(t.Context()))
	for range 20 {
		m := cluster.NewMember(shared, "10.0.0.1:8090")
		require.NoError(t, m.Heartbeat(t.Context()))
		var beats sync.WaitGroup
		for range 3 {
			beats.Go(func() {
				for range 3 {
					_ = m.Heartbeat(t.Context())
				}
			})
		}
		require.NoError(t, m.Drain(t.Context()))
		beats.Wait()
		require.False(t, m.Evicted())
		require.NoError(t, m.Leave(t.Context()))
	}
}

// Every text is refused or is a member, and neither removes other members.
func FuzzMemberText(f *testing.F) {
	const self = "10.0.0.1:8090"
	f.Add(cluster.MemberText(uuid.New(), "10.0.0.2:8090"))
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"id":""}`, `{"id":null,"address":1}`, `{"ID":"6f9a1c1e-6a0e-4d0c-9a53-0d3c6f0a7e11","Draining":true}`, `{"address":"x","draining":"no"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		serving, err := cluster.ApplyMembership(self, cluster.MemberText(uuid.New(), "10.0.0.3:8090"), text)
		if err != nil {
			require.ErrorContains(t, err, "is no member")
			return
		}
		require.Contains(t, serving, self)
		require.Contains(t, serving, "10.0.0.3:8090")
	})
}
