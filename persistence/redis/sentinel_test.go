package redis_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

// sentinelURL names all Sentinels.
func sentinelURL(s *servers.Sentinel) string {
	query := url.Values{"master_name": {servers.SentinelMaster}, "addr": s.Addresses[1:]}
	return "redis://" + s.Addresses[0] + "?" + query.Encode()
}

// TestSentinelsFailOver kills the master and continues on its replica.
func TestSentinelsFailOver(t *testing.T) {
	t.Parallel()
	servers := servers.StartSentinel(t)
	s := &store{DB: openURL(t, sentinelURL(servers), 20*persistence.LeaseCall)}
	lease := newLease(booking.NewTrainID())
	guard := guardOf(lease)
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
	require.NoError(t, err)
	_, err = s.Join(t.Context(), "a")
	require.NoError(t, err)
	before := puts(guard, 10)
	s.write(t, before...)
	require.NoError(t, s.awaitReplica(t, servers.Master.Address))

	servers.Master.Kill(t)
	began := time.Now()
	until(t, func() bool {
		results, err := s.WriteHolds(t.Context(), puts(guard, 1))
		if err == nil && errors.Is(results[0], persistence.ErrFenced) { // the lease has expired
			_, err = persistencetest.AcquireLease(t.Context(), s, lease)
			require.NoError(t, err)
			return false
		}
		return err == nil && results[0] == nil
	})
	t.Logf("writes succeeded %s after the kill", time.Since(began))
	held := s.held(t, guard.Train)
	for _, w := range before {
		require.True(t, held[w.Hold.ID])
	}
	_, err = s.RenewLeases(t.Context(), []persistence.Lease{lease})
	require.ErrorIs(t, err, persistence.ErrRestarted)
	m, err := s.Heartbeat(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, m.Evicted)
	require.Equal(t, []string{"a"}, m.Members)
}

// TestFailoverWithoutAFailedCallIsReported promotes the replica while this process makes no calls.
func TestFailoverWithoutAFailedCallIsReported(t *testing.T) {
	t.Parallel()
	servers := servers.StartSentinel(t)
	s := &store{DB: openURL(t, sentinelURL(servers), 20*persistence.LeaseCall)}
	renew := func() error {
		_, err := s.RenewLeases(t.Context(), nil)
		return err
	}
	require.NoError(t, renew())
	sentinel, replica := connect(t, servers.Addresses[0]), connect(t, servers.Replica.Address)
	until(t, func() bool { // it refuses until it knows that the replica is up
		err := sentinel.Do(t.Context(), "SENTINEL", "FAILOVER", "booking").Err()
		return err == nil || strings.HasPrefix(err.Error(), "INPROG")
	})
	until(t, func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "role:master")
	})
	var reported error
	until(t, func() bool {
		reported = renew()
		return reported != nil
	})
	require.ErrorIs(t, reported, persistence.ErrRestarted)
	lease := newLease(booking.NewTrainID())
	until(t, func() bool { // the former master may grant a lease before its connections are closed
		if _, err := persistencetest.AcquireLease(t.Context(), s, lease); err != nil {
			return false
		}
		results, err := s.WriteHolds(t.Context(), puts(guardOf(lease), 1))
		return err == nil && results[0] == nil
	})
}

func TestURLOfASentinelAloneIsRefused(t *testing.T) {
	t.Parallel()
	servers := servers.StartSentinel(t)
	_, err := openLogged(t, "redis://"+servers.Addresses[0])
	require.ErrorIs(t, err, redis.ErrSettings)
	require.ErrorContains(t, err, "?master_name=")
	_, err = redis.Open(t.Context(), strings.Replace(sentinelURL(servers), "booking", "other", 1), redis.Options{})
	require.Error(t, err)
	require.NotErrorIs(t, err, redis.ErrSettings, "the Sentinels may not have found it yet")
}
