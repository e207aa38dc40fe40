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

// A process is paused for longer than the TTL of its leases. Other processes sell the seats of
// its trains, and requests for the same seats wait in its sockets. When it continues, it sells
// none of them and exits.
func TestPausedOwnerSellsNothingAndExitsWithThree(t *testing.T) {
	t.Parallel()
	const (
		pause    = 10 * time.Second
		busy     = 100 // seats of each train are for the load
		heldSeat = 101 // which asha holds
		last     = 110 // of the seats after it, which ravi buys
	)
	c := startCluster(t, 3)
	trains := c.admin.AddTrains(t, 8, last)
	tr := traffic.New(traffic.Options{Service: c.service, Trains: trains, Retry: retryTime})
	asha, ravi := tr.Client(-1, uuid.New()), tr.Client(-2, uuid.New())
	held := c.hold(asha, trains, heldSeat)
	paused, owned := c.busiest(trains)
	// The process has load when it is paused.
	alone := processtest.NewBalancer(t)
	await(t, timeout, alone.Add(paused.URL).Ready, "ready")
	l := c.startLoadOn(c.serviceAt(alone.URL), trains, busy)
	l.awaitSales(5)

	paused.Signal(syscall.SIGSTOP)
	began := tr.Now()
	await(t, timeout, func() bool { return !paused.backend.Ready() }, "the balancer sends no more requests to it")
	late := sendLate(t, tr, c.serviceAt(paused.URL), owned, held, last)
	gaps := c.awaitServed(tr, asha.User, owned, held, began)
	t.Logf("%d trains were without an owner for %v", len(owned), gaps)
	require.Less(t, slices.Max(gaps), takeover)
	for _, train := range owned {
		requireResult(t, history.Done, asha.Confirm(t.Context(), held[train.ID]))
		for seat := heldSeat + 1; seat <= last; seat++ {
			bought := ravi.Hold(t.Context(), &train, train.Run(), []int{seat}, 1)
			requireResult(t, history.Done, bought)
			requireResult(t, history.Done, ravi.Confirm(t.Context(), bought))
		}
	}
	<-time.After(began + pause - tr.Now())
	paused.Signal(syscall.SIGCONT)
	continued := time.Now()
	require.Equal(t, 3, paused.Wait(), "%s", paused.Log)
	t.Logf("it exited %s after it continued", time.Since(continued).Round(time.Millisecond))
	c.remove(paused)
	for o := range late {
		require.NotEqual(t, history.Done, o.Result, "%s", &o)
	}
	for _, n := range c.nodes { // the clients of the paused process repeat their requests there
		await(t, timeout, alone.Add(n.URL).Ready, "ready")
	}
	l.Stop()
	processtest.RequireConsistent(t, tr, c.service, processtest.StoredBookings(t, c.database))
	l.finish()
	c.requireAllRunning()
}

// sendLate sends requests for the seats that ravi buys, and confirms of the holds of another
// user, once each. It returns when all are being sent; the channel yields them as they end.
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
