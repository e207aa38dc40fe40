package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence"
)

func TestMembersOfSeveralProcessesAreListedToEachOther(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	other := open(t, s.server.Address)
	_, err := s.Join(t.Context(), "a")
	require.NoError(t, err)
	m, err := other.Join(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, m.Members)
	require.NoError(t, s.raw.Del(t.Context(), "{members}:beats", "{members}:marker").Err())
	for member, db := range map[string]persistence.Members{"a": s, "b": other} {
		m, err = db.Heartbeat(t.Context(), member)
		require.NoError(t, err)
		require.False(t, m.Evicted, "each learns that members were lost")
	}
	require.Equal(t, []string{"a", "b"}, m.Members)
}

func TestLateHeartbeatAfterLeaveAddsNobodyAfterALoss(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for _, member := range []string{"stays", "leaves"} {
		_, err := s.Join(t.Context(), member)
		require.NoError(t, err)
	}
	require.NoError(t, s.Leave(t.Context(), "leaves"))
	require.NoError(t, s.raw.FlushAll(t.Context()).Err())
	_, err := s.Heartbeat(t.Context(), "stays")
	require.NoError(t, err)
	m, err := s.Heartbeat(t.Context(), "leaves")
	require.NoError(t, err)
	require.Equal(t, []string{"stays"}, m.Members)
}

func TestMembersAreNotEvictedWhenTheClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"Back": time.Hour, "Ahead": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openNew(t)
			for _, member := range []string{"a", "b"} {
				_, err := s.Join(t.Context(), member)
				require.NoError(t, err)
			}
			// As if the times were from before the jump.
			for _, field := range []string{"born", "beat"} {
				require.NoError(t, s.raw.HIncrBy(t.Context(), "{members}:marker", field, jump.Milliseconds()).Err())
			}
			for _, member := range []string{"a", "b"} {
				require.NoError(t, s.raw.ZIncrBy(t.Context(), "{members}:beats", float64(jump.Milliseconds()), member).Err())
			}
			m, err := s.Heartbeat(t.Context(), "a")
			require.NoError(t, err)
			require.False(t, m.Evicted)
			require.Contains(t, m.Members, "a")
			require.Less(t, m.Since, persistence.MemberTTL, "the other is kept")
			m, err = s.Heartbeat(t.Context(), "b")
			require.NoError(t, err)
			require.False(t, m.Evicted)
			require.Equal(t, []string{"a", "b"}, m.Members)
		})
	}
}

func TestChangesSurviveALostConnection(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	changes := s.Changes(t.Context())
	changed := func() bool {
		select {
		case <-changes:
			return true
		default:
			return false
		}
	}
	require.Eventually(t, changed, timeout, tick, "it does not listen")
	for range 2 {
		killed, err := s.raw.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Result()
		require.NoError(t, err)
		require.EqualValues(t, 1, killed)
		require.Eventually(t, changed, timeout, tick, "it may have missed a change")
		_, err = s.Join(t.Context(), "a")
		require.NoError(t, err)
		require.Eventually(t, changed, timeout, tick)
		require.NoError(t, s.Leave(t.Context(), "a"))
		require.Eventually(t, changed, timeout, tick)
	}
}

func TestChangesEndWithTheirContext(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	ctx, cancel := context.WithCancel(t.Context())
	changes := s.Changes(ctx)
	require.Eventually(t, func() bool { return len(changes) == 1 }, timeout, tick)
	cancel()
	require.Eventually(t, func() bool {
		channels, err := s.raw.PubSubChannels(t.Context(), "*").Result()
		return err == nil && len(channels) == 0
	}, timeout, tick)
}
