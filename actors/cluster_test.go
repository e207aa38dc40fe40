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
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// clusterOfOne starts a system that is its whole cluster, on real stores, and listens for
// nobody: two that listen in one process race for the log of the gRPC library. What
// several do is tested with several processes, in test/cluster.
func clusterOfOne(t *testing.T, redisAddress string, rules booking.HoldRules) *actors.System {
	t.Helper()
	const address = "127.0.0.1:8090"
	quiet := slog.New(slog.DiscardHandler)
	db, err := postgres.Open(t.Context(), servers.Postgres(t), postgres.Options{Logger: quiet, Conns: 4})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	shared, err := redis.Open(t.Context(), "redis://"+redisAddress, redis.Options{Address: address, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shared.Close()) })
	system := actors.New(actors.Options{
		Store: db, Holds: shared, Rules: rules,
		Cluster: &actors.Cluster{
			Leases: shared, Members: shared, Address: address, Listen: address, Tokens: []string{"token"},
		},
	})
	actors.WithoutPeers(system)
	require.NoError(t, system.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, system.Stop(context.Background())) })
	return system
}

func TestAClusterOfOneDoesWhatEveryServiceMust(t *testing.T) {
	t.Parallel()
	bookingtest.Exercise(t, func(t *testing.T, rules booking.HoldRules) booking.Service {
		t.Helper()
		return clusterOfOne(t, servers.Redis(t), rules)
	})
}

// Nobody was owner in between, as the epoch shows: what the owner has in memory is the
// truth (RELIABILITY.md 2).
func TestHoldsAreStoredAgainAfterRedisWasEmptied(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	system := clusterOfOne(t, address, rules)
	train, user := addTrain(t, system, 10), uuid.New()
	held, err := system.Hold(t.Context(), seat(train, user, 5))
	require.NoError(t, err)

	ask(t, address, "FLUSHALL")
	key := fmt.Sprintf("{t:%s}:hold:%s", train, held.ID)
	require.Eventually(t, func() bool { return ask(t, address, "EXISTS "+key) == ":1" }, patience, 10*time.Millisecond)

	_, err = system.Hold(t.Context(), seat(train, uuid.New(), 5))
	require.Equal(t, booking.CodeSeatLocked, booking.CodeOf(err))
	again, err := system.Hold(t.Context(), seat(train, user, 5))
	require.NoError(t, err)
	require.Equal(t, held, again, "the same hold, with the time that it had left")
	_, err = system.Confirm(t.Context(), refTo(held))
	require.NoError(t, err)
}

// The lease of a process that had this address before is nobody's: it is not waited for.
func TestALeaseOfTheSameAddressIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	system := clusterOfOne(t, address, rules)
	train := addTrain(t, system, 10)
	require.Equal(t, "+OK", ask(t, address, fmt.Sprintf("SET {t:%s}:lease 127.0.0.1:8090|%s PX 6000", train, uuid.New())))
	_, err := system.Hold(t.Context(), seat(train, uuid.New(), 5))
	require.NoError(t, err)
}

// What another process owns is not served here.
func TestATrainThatAnotherOwnsIsNotServed(t *testing.T) {
	t.Parallel()
	address := servers.Redis(t)
	system := clusterOfOne(t, address, rules)
	train := addTrain(t, system, 10)
	require.Equal(t, "+OK", ask(t, address, fmt.Sprintf("SET {t:%s}:lease 10.0.0.1:8090|%s PX 6000", train, uuid.New())))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := system.Hold(ctx, seat(train, uuid.New(), 5))
	require.Equal(t, booking.CodeTimeout, booking.CodeOf(err))
	_, err = system.Hold(t.Context(), seat(train, uuid.New(), 5))
	if err != nil { // the lease had more time left than one request waits
		_, err = system.Hold(t.Context(), seat(train, uuid.New(), 5))
	}
	require.NoError(t, err, "its lease has ended")
}

func TestAMemberThatComesOrGoesMovesItsOwnShareAlone(t *testing.T) {
	t.Parallel()
	const trains = 3000
	three := []string{"10.0.0.1:8090", "10.0.0.2:8090", "10.0.0.3:8090"}
	four := append(three[:3:3], "10.0.0.4:8090")
	moved, owned := 0, map[string]int{}
	for range trains {
		id := booking.NewTrainID()
		before, after := actors.OwnerAmong(three, id), actors.OwnerAmong(four, id)
		owned[after]++
		if before != after {
			moved++
			require.Equal(t, "10.0.0.4:8090", after)
		}
	}
	require.InDelta(t, trains/4, moved, trains/20)
	for _, address := range four {
		require.InDelta(t, trains/4, owned[address], trains/20, address)
	}
	require.Empty(t, actors.OwnerAmong(nil, booking.NewTrainID()))
}

// ask sends a command to a Redis and returns the first line of its answer.
func ask(t *testing.T, address, command string) string {
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
