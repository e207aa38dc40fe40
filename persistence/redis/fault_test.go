package redis_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

const (
	// timeout bounds the wait for an event that must happen.
	timeout = 10 * time.Second
	tick    = 10 * time.Millisecond
	// replyBytes is the length of ":1\r\n", the reply of a script that writes a hold.
	replyBytes = 4
	// userBytes is that of the replies before it, to ZADD and PEXPIRE of the set of one user.
	userBytes = 2 * replyBytes
)

// putsOfOne is puts for one user.
func putsOfOne(guard persistence.Guard, n int) []persistence.HoldWrite {
	writes := puts(guard, n)
	for i := range writes {
		writes[i].Hold.User, writes[i].Hold.ExpiresAt = writes[0].Hold.User, writes[0].Hold.ExpiresAt
	}
	return writes
}

// openBehindProxy opens a DB whose connections can be cut; the raw client bypasses the proxy.
func openBehindProxy(t *testing.T) (*store, *proxy) {
	t.Helper()
	server := servers.StartRedis(t)
	p := newProxy(t, server.Address)
	return &store{DB: openWithin(t, p.address, persistence.LeaseCall), server: server, raw: connect(t, server.Address)}, p
}

func TestHoldsWithLostRepliesAreReadBack(t *testing.T) {
	t.Parallel()
	s, p := openBehindProxy(t)
	guard := s.adopt(t, booking.NewTrainID())
	dropped := puts(guard, 1)
	s.write(t, dropped...)
	dropped[0].Op = persistence.HoldDrop
	writes := append(putsOfOne(guard, 10), dropped...)
	p.downstream.left.Store(userBytes + 3*replyBytes)
	s.write(t, writes...)
	require.Len(t, s.held(t, guard.Train), 10)

	writes = writes[:10]
	for i := range writes { // that they are found says nothing: they were stored before
		writes[i].Op = persistence.HoldPutAgain
	}
	p.downstream.left.Store(userBytes + 3*replyBytes)
	results, err := s.WriteHolds(t.Context(), writes)
	require.NoError(t, err)
	require.NoError(t, results[2])
	require.ErrorIs(t, results[3], persistence.ErrUnknown)
}

func TestHoldsThatCannotBeReadBackAreUnknown(t *testing.T) {
	t.Parallel()
	s, p := openBehindProxy(t)
	guard := s.adopt(t, booking.NewTrainID())
	s.write(t, puts(guard, 1)...)
	p.closed.Store(true)
	p.downstream.left.Store(userBytes + 3*replyBytes)
	results, err := s.WriteHolds(t.Context(), putsOfOne(guard, 10))
	require.NoError(t, err)
	for i, err := range results {
		if i < 3 {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, persistence.ErrUnknown)
		}
	}
	results, err = s.WriteHolds(t.Context(), puts(guard, 1))
	require.NoError(t, err, "the proxy accepts the connection before it cuts it")
	require.ErrorIs(t, results[0], persistence.ErrUnknown)
	p.closed.Store(false)
	require.Len(t, s.held(t, guard.Train), 11, "the whole pipeline was executed, and nothing of the last")
}

func TestWritesThatDidNotArriveAreUnknown(t *testing.T) {
	t.Parallel()
	s, p := openBehindProxy(t)
	guard := s.adopt(t, booking.NewTrainID())
	s.write(t, puts(guard, 1)...)
	writes := puts(guard, 100)
	p.upstream.left.Store(20_000)
	results, err := s.WriteHolds(t.Context(), writes)
	require.NoError(t, err)
	held, done := s.held(t, guard.Train), 0
	for i, w := range writes {
		if held[w.Hold.ID] {
			require.NoError(t, results[i])
			done++
		} else {
			require.ErrorIs(t, results[i], persistence.ErrUnknown)
		}
	}
	require.Greater(t, done, 10)
	require.Less(t, done, 90)
}

func TestSetOfAUserWithoutAReplyIsWrittenAgain(t *testing.T) {
	t.Parallel()
	s, p := openBehindProxy(t)
	guard := s.adopt(t, booking.NewTrainID())
	s.write(t, puts(guard, 1)...)
	require.NoError(t, s.raw.Del(t.Context(), s.raw.Keys(t.Context(), "{h:*").Val()...).Err())
	p.upstream.left.Store(0)
	results, err := s.WriteHolds(t.Context(), puts(guard, 1))
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrUnknown, "nothing arrived")
	require.Len(t, s.raw.Keys(t.Context(), "{h:*").Val(), 1)
}

// This is why the result of a missing hold is unknown.
func TestMissingHoldMayBeWrittenLater(t *testing.T) {
	t.Parallel()
	s, p := openBehindProxy(t)
	guard := s.adopt(t, booking.NewTrainID())
	late := p.delayNext(t)
	results, err := s.WriteHolds(t.Context(), puts(guard, 1))
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrUnknown)
	require.Empty(t, s.held(t, guard.Train))
	late.arrive()
	<-late.read
	require.Len(t, s.held(t, guard.Train), 1)
}

func TestLateHoldIsFenced(t *testing.T) {
	t.Parallel()
	s, p := openBehindProxy(t)
	guard := s.adopt(t, booking.NewTrainID())
	s.write(t, puts(guard, 1)...)
	late := p.delayNext(t)
	results, err := s.WriteHolds(t.Context(), puts(guard, 1))
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrUnknown)
	next := s.adopt(t, guard.Train)
	late.arrive()
	<-late.read
	require.Len(t, s.held(t, guard.Train), 1)
	s.write(t, puts(next, 1)...)
}

func TestLeaseWithALostReplyIsReadBack(t *testing.T) {
	t.Parallel()
	s, p := openBehindProxy(t)
	held := newLease(booking.NewTrainID())
	s.adopt(t, booking.NewTrainID()) // opens a connection and loads the script
	for _, lease := range []persistence.Lease{held, newLease(held.Train)} {
		p.downstream.left.Store(0)
		holder, err := persistencetest.AcquireLease(t.Context(), s, lease)
		require.NoError(t, err)
		require.Equal(t, held, holder)
	}
}

func TestCallsToAPausedRedisTimeOut(t *testing.T) {
	t.Parallel()
	s, _ := openBehindProxy(t)
	lease := newLease(booking.NewTrainID())
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
	require.NoError(t, err)
	_, err = s.Join(t.Context(), "a")
	require.NoError(t, err)
	limit := booking.AttemptLimit{Max: 1, Window: time.Minute}
	end, err := s.BeginAttempt(t.Context(), "begun", limit)
	require.NoError(t, err)
	s.server.Pause(t)
	t.Cleanup(func() { s.server.Resume(t) })
	calls := map[string]func() error{
		"ping":    func() error { return s.Ping(t.Context()) },
		"acquire": func() error { _, err := persistencetest.AcquireLease(t.Context(), s, lease); return err },
		"renew": func() error {
			results, err := s.RenewLeases(t.Context(), []persistence.Lease{lease})
			return errors.Join(append(results, err)...)
		},
		"release":   func() error { return persistencetest.ReleaseLease(t.Context(), s, lease) },
		"heartbeat": func() error { _, err := s.Heartbeat(t.Context(), "a"); return err },
		"list":      func() error { _, err := s.ListMembers(t.Context()); return err },
		"leave":     func() error { return s.Leave(t.Context(), "a") },
		"begin":     func() error { _, err := s.BeginAttempt(t.Context(), "new", limit); return err },
		"end":       func() error { return end(true) },
		"load":      func() error { _, err := persistencetest.LoadHolds(t.Context(), s, lease.Train, time.Now()); return err },
		"user": func() error {
			_, err := s.UserHolds(t.Context(), lease.Train, uuid.New(), time.Now())
			return err
		},
		"holds": func() error { _, err := s.HoldsOfUser(t.Context(), uuid.New(), time.Now()); return err },
		"write": func() error {
			results, err := s.WriteHolds(t.Context(), puts(guardOf(lease), 2))
			return errors.Join(append(results, err)...)
		},
	}
	type outcome struct {
		name  string
		err   error
		after time.Duration
	}
	outcomes := make(chan outcome, len(calls))
	for name, call := range calls {
		go func() {
			began := time.Now()
			outcomes <- outcome{name, call(), time.Since(began)}
		}()
	}
	const slack = persistence.LeaseCall / 2
	for range calls {
		e := <-outcomes
		require.Error(t, e.err, e.name)
		most := persistence.LeaseCall + slack
		if e.name == "write" { // it reads the holds back
			require.ErrorIs(t, e.err, persistence.ErrUnknown)
			most += persistence.LeaseCall
		}
		require.Less(t, e.after, most, e.name)
	}
}

func TestRedisOutOfMemoryRefusesNewData(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	lease := newLease(booking.NewTrainID())
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
	require.NoError(t, err)
	guard := guardOf(lease)
	writes := puts(guard, 3)
	s.write(t, writes[0])
	_, err = s.Join(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, s.raw.ConfigSet(t.Context(), "maxmemory", "1").Err())

	results, err := s.WriteHolds(t.Context(), writes[1:])
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrFull)
	require.ErrorIs(t, results[1], persistence.ErrFull)
	require.Len(t, s.held(t, guard.Train), 1)
	_, err = persistencetest.AcquireLease(t.Context(), s, newLease(booking.NewTrainID()))
	require.ErrorIs(t, err, persistence.ErrFull)

	results, err = s.RenewLeases(t.Context(), []persistence.Lease{lease})
	require.NoError(t, err)
	require.NoError(t, results[0], "existing leases are renewed")
	m, err := s.Heartbeat(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, m.Evicted)
	_, err = s.Join(t.Context(), "b")
	require.NoError(t, err)
	drop := writes[0]
	drop.Op = persistence.HoldDrop
	s.write(t, drop)

	require.NoError(t, s.raw.ConfigSet(t.Context(), "maxmemory", "0").Err())
	s.write(t, writes[1:]...)
}

func TestWritesToADeadRedisAreNotUnknown(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	s.write(t, puts(guard, 1)...)
	s.server.Kill(t)
	_, err := s.WriteHolds(t.Context(), puts(guard, 2))
	require.Error(t, err)
	require.NotErrorIs(t, err, persistence.ErrUnknown)
	_, err = redis.Open(t.Context(), "redis://"+s.server.Address, redis.Options{})
	require.Error(t, err)
	require.NotErrorIs(t, err, redis.ErrSettings, "it may start again")
}

func TestClosedDBReturnsErrors(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	changes := s.Changes(t.Context())
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err := s.WriteHolds(t.Context(), puts(guard, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, persistence.ErrUnknown)
	require.NotEqual(t, changes, s.Changes(t.Context()))
}
