package cluster_test

import (
	"flag"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var trials = flag.Int("cluster.trials", 2, "how often an owner is killed")

// A process is killed that owns trains on which seats are held. Others serve them soon,
// and the holds are what they were.
func TestKilledOwnersTrainsAreServedAgainWithTheirHolds(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	users := c.signUp("asha", "ravi")
	asha, ravi := users[0], users[1]
	trains := c.addTrains(12, max(100, *trials))
	var gaps []time.Duration
	for trial := range *trials {
		held := c.lock(asha, trains, trial+1)
		victim, its := c.busiest(trains)
		killed := time.Now()
		victim.Kill()
		gap := c.awaitServed(asha, its, trial+1, held, killed)
		t.Logf("trial %d: %d trains were without an owner for %v", trial+1, len(its), gap)
		gaps = append(gaps, gap...)

		for _, train := range trains {
			lock := held[train]
			seat := object{"train_id": train, "seat_number": trial + 1}
			require.Equal(t, "seat_locked", ravi.Must(t, http.StatusConflict, "POST", "/train/book-ticket/", seat).Code)
			require.Equal(t, "seat_not_locked",
				ravi.Must(t, http.StatusConflict, "POST", "/train/confirm-booking/", object{"seat_id": lock.SeatID}).Code)
			asha.Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": lock.SeatID, "hold_id": lock.HoldID})
		}
		c.forget(victim)
		if trial+1 < *trials {
			c.start(victim.address)
		}
	}
	slices.Sort(gaps)
	at := func(percent int) time.Duration { return gaps[(len(gaps)-1)*percent/100] }
	t.Logf("%d takeovers in %d trials: p50 %v, p99 %v, max %v", len(gaps), *trials, at(50), at(99), at(100))
	require.Less(t, at(99), takeover)
	c.requireAllRun()
}

// awaitServed asks for the seat that the user has of each train until there is an
// answer, which must be the hold that the user was told of. It returns how long each
// train took.
func (c *cluster) awaitServed(user *client, trains []string, seat int, held map[string]*reply, since time.Time) []time.Duration {
	c.t.Helper()
	answers, gaps := make([]*reply, len(trains)), make([]time.Duration, len(trains))
	var asking sync.WaitGroup
	for i, train := range trains {
		asking.Go(func() {
			for ; time.Since(since) < patience; <-time.After(pollTime) {
				r, err := user.Lock(train, seat)
				if err == nil && r.Status < 500 {
					answers[i], gaps[i] = r, time.Since(since).Round(time.Millisecond)
					return
				}
			}
		})
	}
	asking.Wait()
	for i, train := range trains {
		require.NotNil(c.t, answers[i], "nobody serves %s", train)
		require.Equal(c.t, http.StatusOK, answers[i].Status, "%s", answers[i])
		require.Equal(c.t, held[train].HoldID, answers[i].HoldID)
		require.Equal(c.t, held[train].ExpiresAt, answers[i].ExpiresAt)
	}
	return gaps
}
