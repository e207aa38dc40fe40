package cluster_test

import (
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// A process sleeps for longer than its leases live. Meanwhile others sell what it would
// have sold, and more requests for the same seats lie in its sockets when it wakes. It
// sells none of them, and makes way for a new one.
func TestOwnerThatWakesTooLateSellsNothingAndExitsWithThree(t *testing.T) {
	t.Parallel()
	const (
		asleep = 10 * time.Second
		busy   = 100 // seats of each train are asked for all the time
		hers   = 101 // is what asha holds
		last   = 110 // is the last of those after it, which ravi buys
	)
	c := startCluster(t, 3)
	users := c.signUp("asha", "ravi", "meena", "kiran")
	asha, ravi, meena, kiran := users[0], users[1], users[2], users[3]
	trains := c.addTrains(8, last)
	held := c.lock(asha, trains, hers)
	sleeper, its := c.busiest(trains)
	// It is in the midst of work when it falls asleep.
	alone := processtest.NewBalancer(t)
	await(t, patience, alone.Add(sleeper.URL).Ready, "ready")
	l := startLoad(c, []*client{meena.At(alone.URL)}, trains, busy)
	l.awaitSales(t, 5)

	sleeper.Signal(syscall.SIGSTOP)
	slept := time.Now()
	await(t, patience, func() bool { return !sleeper.backend.Ready() }, "the balancer sees it")
	late := askLate(kiran.At(sleeper.URL), its, held, hers, last)
	gaps := c.awaitServed(asha, its, hers, held, slept)
	t.Logf("%d trains were without an owner for %v", len(its), gaps)
	require.Less(t, slices.Max(gaps), takeover)
	want := map[string]sale{}
	for _, train := range its {
		lock := held[train]
		confirm := asha.Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": lock.SeatID})
		want[confirm.BookingID] = sale{place{train, hers}, "asha"}
		for seat := hers + 1; seat <= last; seat++ {
			lock := ravi.Must(t, http.StatusOK, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": seat})
			confirm := ravi.Must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": lock.SeatID})
			want[confirm.BookingID] = sale{place{train, seat}, "ravi"}
		}
	}
	<-time.After(time.Until(slept.Add(asleep)))
	sleeper.Signal(syscall.SIGCONT)
	woke := time.Now()
	require.Equal(t, 3, sleeper.Wait(), "%s", sleeper.Log)
	t.Logf("it ended %s after it woke", time.Since(woke).Round(time.Millisecond))
	c.forget(sleeper)
	for r := range late {
		require.True(t, r == nil || r.Status == http.StatusConflict || r.Status >= 500, "it said %s", r)
	}
	for _, n := range c.nodes { // whoever was asking the sleeper asks them what became of it
		await(t, patience, alone.Add(n.URL).Ready, "ready")
	}
	l.end()
	c.requireBooked(t, its, want, "asha", "ravi")
	l.finish(t, want)
	c.requireAllRun()
}

// askLate sends requests for seats that others buy meanwhile, and a confirm of each hold
// that is not the user's, and returns the answers when they come: nil where there is
// none. It returns when all are sent.
func askLate(user *client, trains []string, held map[string]*reply, first, last int) <-chan *reply {
	answers := make(chan *reply, 1000)
	var sent, asking sync.WaitGroup
	ask := func(do func() (*reply, error)) {
		sent.Add(1)
		asking.Go(func() {
			sent.Done()
			r, _ := do() // no answer is an answer too
			answers <- r
		})
	}
	for _, train := range trains {
		ask(func() (*reply, error) { return user.Confirm(held[train].SeatID) })
		for seat := first; seat <= last; seat++ {
			ask(func() (*reply, error) { return user.Lock(train, seat) })
		}
	}
	sent.Wait()
	go func() {
		asking.Wait()
		close(answers)
	}()
	return answers
}
