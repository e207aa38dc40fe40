package actors_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
	"trainbooking.dev/cluster"
	"trainbooking.dev/cluster/clustertest"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
)

// testTimeout bounds the wait for an event that must happen.
const testTimeout = 30 * time.Second

// openClusterStores opens a Postgres database and a Redis for a process with an address, and
// closes them at the end of the test.
func openClusterStores(t *testing.T, address, redisAddress string) (*postgres.DB, *redis.DB) {
	t.Helper()
	return openClusterStoresAt(t, servers.Postgres(t), address, redisAddress)
}

func openClusterStoresAt(tb testing.TB, url, address, redisAddress string) (*postgres.DB, *redis.DB) {
	tb.Helper()
	quiet := slog.New(slog.DiscardHandler)
	db, err := postgres.Open(tb.Context(), url, postgres.Options{Logger: quiet, Conns: 4})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	shared, err := redis.Open(tb.Context(), "redis://"+redisAddress, redis.Options{Address: address, Timeout: 5 * time.Second})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, shared.Close()) })
	return db, shared
}

const clusterAddress = "127.0.0.1:8090"

// newClusterOfOne returns a System that is the only member of its cluster.
func newClusterOfOne(store persistence.Store, holds persistence.Holds, shared *redis.DB, rules booking.HoldRules) *actors.System {
	return actors.New(actors.Options{
		Store: store, Holds: holds, Rules: rules, SaleWriters: postgres.SaleWriters, HoldWriters: redis.HoldWriters,
		Cluster: cluster.New(cluster.Options{
			Leases: shared, Members: shared, Address: clusterAddress, Listen: clusterAddress, Tokens: func() []string { return []string{"token"} },
			Network: new(clustertest.Network).At(clusterAddress),
		}),
	})
}

// clusterOfOne starts a cluster of one on real stores.
func clusterOfOne(t *testing.T, redisAddress string, rules booking.HoldRules) *actors.System {
	t.Helper()
	db, shared := openClusterStores(t, clusterAddress, redisAddress)
	return startWith(t, newClusterOfOne(db, shared, shared, rules))
}

func TestClusterOfOneImplementsService(t *testing.T) {
	t.Parallel()
	bookingtest.Exercise(t, func(t *testing.T, rules booking.HoldRules) booking.Service {
		t.Helper()
		return clusterOfOne(t, servers.Redis(t), rules)
	})
}

// The epoch shows that no other process was the owner in between, so the holds in memory are
// authoritative (RELIABILITY.md 2).
func TestHoldsAreStoredAgainAfterRedisWasEmptied(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	system := clusterOfOne(t, address, rules)
	train, user := addTrain(t, system, 10), uuid.New()
	held, err := system.Hold(t.Context(), seat(train, user, 5))
	require.NoError(t, err)

	redisCommand(t, address, "FLUSHALL")
	key := fmt.Sprintf("{t:%s}:hold:%s", train, held.ID)
	require.Eventually(t, func() bool { return redisCommand(t, address, "EXISTS "+key) == ":1" }, testTimeout, 10*time.Millisecond)

	_, err = system.Hold(t.Context(), seat(train, uuid.New(), 5))
	require.Equal(t, booking.CodeSeatLocked, booking.CodeOf(err))
	again, err := system.Hold(t.Context(), seat(train, user, 5))
	require.NoError(t, err)
	require.Equal(t, held, again, "the same hold, with its expiry")
	_, err = system.Confirm(t.Context(), refTo(held))
	require.NoError(t, err)
}

// The lease of a dead process with the same address is replaced without a wait.
func TestLeaseOfTheSameAddressIsAcquiredAtOnce(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	system := clusterOfOne(t, address, rules)
	train := addTrain(t, system, 10)
	require.Equal(t, "+OK", redisCommand(t, address, fmt.Sprintf("SET {t:%s}:lease 127.0.0.1:8090|%s PX 6000", train, uuid.New())))
	_, err := system.Hold(t.Context(), seat(train, uuid.New(), 5))
	require.NoError(t, err)
}

func TestTrainThatAnotherProcessOwnsIsNotServed(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	system := clusterOfOne(t, address, rules)
	train := addTrain(t, system, 10)
	require.Equal(t, "+OK", redisCommand(t, address, fmt.Sprintf("SET {t:%s}:lease 10.0.0.1:8090|%s PX 6000", train, uuid.New())))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := system.Hold(ctx, seat(train, uuid.New(), 5))
	require.Equal(t, booking.CodeTimeout, booking.CodeOf(err))
	again := seat(train, uuid.New(), 5)
	_, err = system.Hold(t.Context(), again)
	if err != nil { // the lease outlasted the request timeout
		_, err = system.Hold(t.Context(), again)
	}
	require.NoError(t, err, "the lease has expired")
}

// redisCommand sends a command to a Redis and returns the first line of the reply.
func redisCommand(t *testing.T, address, command string) string {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, command+"\r\n")
	require.NoError(t, err)
	lines := bufio.NewScanner(c)
	require.True(t, lines.Scan())
	return lines.Text()
}
