package cluster_test

import (
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

// A process is paused for longer than its leases live. Meanwhile others sell what it would
// have sold, and more requests for the same seats wait in its sockets when it continues. It
// sells none of them, and exits to be started again.
func TestOwnerThatWakesTooLateSellsNothingAndExitsWithThree(t *testing.T) {
	t.Parallel()
	const (
		asleep = 10 * time.Second
		busy   = 100 // seats of each train are wanted all the time
		hers   = 101 // is what asha holds
		last   = 110 // is the last of those after it, which ravi buys
	)
	c := startCluster(t, 3)
	trains := c.admin.AddTrains(t, 8, last)
	tr := traffic.New(traffic.Options{Service: c.service, Trains: trains, Retry: settleTime})
	asha, ravi := tr.Client(-1, uuid.New()), tr.Client(-2, uuid.New())
	held := c.hold(asha, trains, hers)
	sleeper, its := c.busiest(trains)
	// It is in the middle of work when it is paused.
	alone := processtest.NewBalancer(t)
	await(t, timeout, alone.Add(sleeper.URL).Ready, "ready")
	l := c.startLoadOn(c.serviceAt(alone.URL), trains, busy)
	l.awaitSales(5)

	sleeper.Signal(syscall.SIGSTOP)
	slept := tr.Now()
	await(t, timeout, func() bool { return !sleeper.backend.Ready() }, "the balancer notices")
	late := sendLate(t, tr, c.serviceAt(sleeper.URL), its, held, last)
	gaps := c.awaitServed(tr, asha.User, its, held, slept)
	t.Logf("%d trains were without an owner for %v", len(its), gaps)
	require.Less(t, slices.Max(gaps), takeover)
	for _, train := range its {
		requireResult(t, history.Done, asha.Confirm(t.Context(), held[train.ID]))
		for seat := hers + 1; seat <= last; seat++ {
			bought := ravi.Hold(t.Context(), &train, train.Run(), []int{seat}, 1)
			requireResult(t, history.Done, bought)
			requireResult(t, history.Done, ravi.Confirm(t.Context(), bought))
		}
	}
	<-time.After(slept + asleep - tr.Now())
	sleeper.Signal(syscall.SIGCONT)
	woke := time.Now()
	require.Equal(t, 3, sleeper.Wait(), "%s", sleeper.Log)
	t.Logf("it ended %s after it continued", time.Since(woke).Round(time.Millisecond))
	c.forget(sleeper)
	for o := range late {
		require.NotEqual(t, history.Done, o.Result, "%s", &o)
	}
	for _, n := range c.nodes { // the clients of the sleeper ask them about their requests
		await(t, timeout, alone.Add(n.URL).Ready, "ready")
	}
	l.Stop()
	processtest.RequireKept(t, tr, c.service, processtest.StoredBookings(t, c.database))
	l.finish()
	c.requireAllRun()
}

// sendLate sends requests, once each, for seats that others buy meanwhile, and a confirm of
// each hold of another user, and returns the operations as they end. It returns when all
// are sent.
func sendLate(
	t *testing.T, tr *traffic.Traffic, at booking.Service, trains []booking.Train,
	held map[booking.TrainID]history.Operation, last int,
) <-chan history.Operation {
	t.Helper()
	late := traffic.New(traffic.Options{Service: at, Trains: trains, Retry: time.Nanosecond, Recorder: tr.Recorder})
	kiran := uuid.New()
	ended := make(chan history.Operation, 1000)
	var sent, sending sync.WaitGroup
	id := 1000
	send := func(do func(*traffic.Client) history.Operation) {
		sent.Add(1)
		id++
		client := late.Client(id, kiran)
		sending.Go(func() {
			sent.Done()
			ended <- do(client)
		})
	}
	for _, train := range trains {
		send(func(c *traffic.Client) history.Operation { return c.Confirm(t.Context(), held[train.ID]) })
		for seat := held[train.ID].Seats[0]; seat <= last; seat++ {
			send(func(c *traffic.Client) history.Operation {
				return c.Hold(t.Context(), &train, train.Run(), []int{seat}, 1)
			})
		}
	}
	sent.Wait()
	go func() {
		sending.Wait()
		close(ended)
	}()
	return ended
}
