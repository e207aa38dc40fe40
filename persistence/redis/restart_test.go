package redis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

// restart kills Redis, starts it again and waits until the DB has reconnected.
func (s *store) restart(t *testing.T) {
	t.Helper()
	s.server.Kill(t)
	require.Error(t, s.Ping(t.Context()))
	s.server.Start(t)
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, timeout, tick)
}

func TestRestartWithDataKeepsLeasesAndHolds(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	lease := newLease(booking.NewTrainID())
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
	require.NoError(t, err)
	granted := time.Now()
	writes := puts(guardOf(lease), 20)
	s.write(t, writes...)
	s.restart(t)

	require.Len(t, s.held(t, lease.Train), 20)
	holder, err := persistencetest.AcquireLease(t.Context(), s, newLease(lease.Train))
	require.NoError(t, err)
	require.Equal(t, lease, holder)
	passed := time.Since(granted)
	left := s.raw.PTTL(t.Context(), "{t:"+lease.Train.String()+"}:lease").Val()
	require.LessOrEqual(t, left, persistence.LeaseTTL-passed+tick, "the downtime counts")
	s.write(t, puts(guardOf(lease), 20)...) // the scripts were lost
	for _, want := range []error{persistence.ErrRestarted, nil} {
		results, err := s.RenewLeases(t.Context(), []persistence.Lease{lease, lease})
		require.ErrorIs(t, err, want)
		require.Equal(t, []error{nil, nil}, results)
	}
}

func TestLostScriptsAreSentAgain(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	id := booking.NewTrainID()
	for range 2 {
		require.NoError(t, s.raw.ScriptFlush(t.Context()).Err())
		guard := s.adopt(t, id)
		writes := puts(guard, 3)
		drop := writes[0]
		drop.Op = persistence.HoldDrop
		require.NoError(t, s.raw.ScriptFlush(t.Context()).Err())
		s.write(t, append(writes, drop)...)
		_, err := s.Join(t.Context(), "a")
		require.NoError(t, err)
		require.NoError(t, s.Leave(t.Context(), "a"))
	}
	require.Len(t, s.held(t, id), 4)
}

func TestEmptiedRedisFencesHoldsAndReadmitsMembers(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	lease := newLease(booking.NewTrainID())
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
	require.NoError(t, err)
	writes := puts(guardOf(lease), 1)
	s.write(t, writes...)
	for _, member := range []string{"a", "b"} {
		_, err := s.Join(t.Context(), member)
		require.NoError(t, err)
	}
	var before persistence.Membership
	require.Eventually(t, func() bool {
		before, err = s.Heartbeat(t.Context(), "a")
		return err == nil && before.Since > persistence.MemberTTL/6
	}, timeout, tick)
	require.NoError(t, s.raw.FlushAll(t.Context()).Err())

	results, err := s.WriteHolds(t.Context(), writes)
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrFenced)
	results, err = s.RenewLeases(t.Context(), []persistence.Lease{lease})
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrFenced)
	require.Empty(t, s.held(t, lease.Train))

	after, err := s.Heartbeat(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, persistence.Membership{Members: []string{"a"}, Now: after.Now}, after, "the other has not rejoined yet")
	require.Less(t, after.Since, before.Since)
	after, err = s.Heartbeat(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, after.Members)
	require.False(t, after.Evicted)
	s.write(t, puts(s.adopt(t, lease.Train), 1)...)
}

func TestRestartEvictsNobody(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for _, member := range []string{"a", "b"} {
		_, err := s.Join(t.Context(), member)
		require.NoError(t, err)
	}
	s.server.Kill(t)
	down := time.Now()
	require.Eventually(t, func() bool { return time.Since(down) > persistence.MemberTTL }, timeout, tick)
	s.server.Start(t)
	require.Eventually(t, func() bool {
		m, err := s.Heartbeat(t.Context(), "a")
		require.False(t, m.Evicted)
		return err == nil
	}, timeout, tick)
	m, err := s.Heartbeat(t.Context(), "b")
	require.NoError(t, err)
	require.False(t, m.Evicted)
	require.Equal(t, []string{"a", "b"}, m.Members)
	require.Less(t, m.Since, persistence.MemberTTL)
}
