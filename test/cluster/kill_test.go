package cluster_test

import (
	"flag"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

var trials = flag.Int("cluster.trials", 2, "the number of times that an owner is killed")

// A process that owns trains with holds is killed. Other processes serve these trains soon,
// and the holds are unchanged.
func TestKilledOwnersTrainsAreServedAgainWithTheirHolds(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	trains := c.admin.AddTrains(t, 12, max(100, *trials))
	tr := traffic.New(traffic.Options{Service: c.service, Trains: trains, Retry: retryTime})
	asha, ravi := tr.Client(0, uuid.New()), tr.Client(1, uuid.New())
	var gaps []time.Duration
	for trial := range *trials {
		held := c.hold(asha, trains, trial+1)
		victim, owned := c.busiest(trains)
		killed := tr.Now()
		victim.Kill()
		c.requireListed(victim, asha.User, held)
		gap := c.awaitServed(tr, asha.User, owned, held, killed)
		c.requireListed(victim, asha.User, held)
		t.Logf("trial %d: %d trains were without an owner for %v", trial+1, len(owned), gap)
		gaps = append(gaps, gap...)

		for _, train := range trains {
			requireResult(t, history.Locked, ravi.Hold(t.Context(), &train, train.Run(), []int{trial + 1}, 1))
			requireResult(t, history.NotLocked, ravi.Confirm(t.Context(), held[train.ID]))
			requireResult(t, history.Done, asha.Confirm(t.Context(), held[train.ID]))
		}
		c.requireListed(victim, asha.User, nil)
		c.remove(victim)
		if trial+1 < *trials {
			c.start(victim.address)
		}
	}
	slices.Sort(gaps)
	at := func(percent int) time.Duration { return gaps[(len(gaps)-1)*percent/100] }
	t.Logf("%d takeovers in %d trials: p50 %v, p99 %v, max %v", len(gaps), *trials, at(50), at(99), at(100))
	require.Less(t, at(99), takeover)
	processtest.RequireConsistent(t, tr, c.service, processtest.StoredBookings(t, c.database))
	c.requireAllRunning()
}

// requireListed checks the list of the holds of a user, through each process but one.
func (c *cluster) requireListed(except *node, user uuid.UUID, held map[booking.TrainID]history.Operation) {
	c.t.Helper()
	for _, n := range c.others(except) {
		page, err := c.serviceAt(n.URL).UserHolds(c.t.Context(), user)
		require.NoError(c.t, err)
		require.False(c.t, page.Incomplete)
		require.Len(c.t, page.Items, len(held))
		for _, h := range page.Items {
			require.Equal(c.t, held[h.On.ID].Hold, h.ID)
			require.Equal(c.t, held[h.On.ID].Seats, h.Seats)
		}
	}
}

// awaitServed requests the seat again that the user holds on each train. The response must be
// the same hold. It returns for each train the time from since until the response.
func (c *cluster) awaitServed(
	tr *traffic.Traffic, user uuid.UUID, trains []booking.Train, held map[booking.TrainID]history.Operation, since time.Duration,
) []time.Duration {
	c.t.Helper()
	again, gaps := make([]history.Operation, len(trains)), make([]time.Duration, len(trains))
	var requests sync.WaitGroup
	for i, train := range trains {
		client := tr.Client(100+i, user)
		requests.Go(func() {
			again[i] = client.Hold(c.t.Context(), &train, train.Run(), held[train.ID].Seats, 1)
			gaps[i] = (tr.Now() - since).Round(time.Millisecond)
		})
	}
	requests.Wait()
	for i, train := range trains {
		requireResult(c.t, history.Done, again[i])
		require.Equal(c.t, held[train.ID].Hold, again[i].Hold)
		require.InDelta(c.t, held[train.ID].Ends, again[i].Ends, float64(time.Millisecond))
	}
	return gaps
}
