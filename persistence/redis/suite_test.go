package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/redis"
)

// here is the address of the process under test.
const here = "10.0.0.1:8090"

func TestHolds(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseHolds(t, func(t *testing.T) persistencetest.FencedHolds {
		t.Helper()
		s := openNew(t)
		return persistencetest.FencedHolds{Holds: s.DB, Owner: here, Adopt: func(t *testing.T, id booking.TrainID) persistence.Guard {
			t.Helper()
			return s.adopt(t, id)
		}, Count: func(t *testing.T) int {
			t.Helper()
			keys, err := s.raw.Keys(t.Context(), "{t:*}:hold:*").Result()
			require.NoError(t, err)
			return len(keys)
		}}
	})
}

func TestLeases(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseLeases(t, func(t *testing.T) persistence.Leases {
		t.Helper()
		return openNew(t).DB
	})
}

func TestMembers(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseMembers(t, func(t *testing.T) persistence.Members {
		t.Helper()
		return openNew(t).DB
	})
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseAttempts(t, func(t *testing.T) []booking.Attempts {
		t.Helper()
		s := openNew(t)
		return []booking.Attempts{s.DB, open(t, s.server.Address)}
	})
}

// store is a DB with its own Redis, which the test can read and stop.
type store struct {
	*redis.DB
	server *servers.Server
	raw    *goredis.Client
}

func openNew(tb testing.TB) *store {
	tb.Helper()
	server := servers.StartRedis(tb)
	return &store{DB: open(tb, server.Address), server: server, raw: connect(tb, server.Address)}
}

// open opens the Redis at host:port with a timeout for busy machines.
func open(tb testing.TB, address string) *redis.DB {
	tb.Helper()
	return openWithin(tb, address, 20*persistence.LeaseCall)
}

// openWithin opens the Redis with a timeout.
func openWithin(tb testing.TB, address string, timeout time.Duration) *redis.DB {
	tb.Helper()
	db, err := redis.Open(tb.Context(), "redis://"+address, redis.Options{Address: here, Timeout: timeout})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

// connect returns a plain client.
func connect(tb testing.TB, address string) *goredis.Client {
	tb.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: address})
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// adopt acquires the train's lease for a new activation, even if another holds it.
func (s *store) adopt(tb testing.TB, id booking.TrainID) persistence.Guard {
	tb.Helper()
	lease := newLease(id)
	holder, err := persistencetest.AcquireLease(tb.Context(), s, lease)
	require.NoError(tb, err)
	if holder != lease {
		require.NoError(tb, persistencetest.ReleaseLease(tb.Context(), s, holder))
		holder, err = persistencetest.AcquireLease(tb.Context(), s, lease)
		require.NoError(tb, err)
	}
	require.Equal(tb, lease, holder)
	return guardOf(lease)
}

func newLease(id booking.TrainID) persistence.Lease {
	return persistence.Lease{Train: id, Address: here, Owner: uuid.New()}
}

func guardOf(lease persistence.Lease) persistence.Guard {
	return persistence.Guard{Train: lease.Train, Epoch: 1, Owner: lease.Owner}
}

// puts returns writes of n new holds.
func puts(guard persistence.Guard, n int) []persistence.HoldWrite {
	writes := make([]persistence.HoldWrite, n)
	for i := range writes {
		writes[i] = persistence.HoldWrite{Guard: guard, Op: persistence.HoldPut, Hold: booking.Hold{
			ID: booking.NewHoldID(guard.Train), User: uuid.New(), Legs: booking.Segment(0, 2), Seats: []int{i + 1},
			ExpiresAt: time.Now().UTC().Truncate(time.Millisecond).Add(booking.DefaultHoldTTL),
		}}
	}
	return writes
}

// write executes a batch, which must succeed.
func (s *store) write(tb testing.TB, writes ...persistence.HoldWrite) {
	tb.Helper()
	results, err := s.WriteHolds(tb.Context(), writes)
	require.NoError(tb, err)
	for _, err := range results {
		require.NoError(tb, err)
	}
}

// held returns the ids of the holds that are stored.
func (s *store) held(t *testing.T, id booking.TrainID) map[booking.HoldID]bool {
	t.Helper()
	holds, err := persistencetest.LoadHolds(context.WithoutCancel(t.Context()), s, id, time.Now())
	require.NoError(t, err)
	ids := map[booking.HoldID]bool{}
	for _, h := range holds {
		ids[h.ID] = true
	}
	return ids
}
