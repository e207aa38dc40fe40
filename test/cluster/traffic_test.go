package cluster_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

// load is traffic on a cluster.
type load struct {
	*traffic.Traffic

	c *cluster
}

// startLoad lets twelve clients of three users ask for the seats 1 to seats of trains, until
// the test is over or finish.
func (c *cluster) startLoad(trains []booking.Train, seats int) *load {
	return c.startLoadOn(c.service, trains, seats)
}

// startLoadOn is startLoad through a service of its own.
func (c *cluster) startLoadOn(service booking.Service, trains []booking.Train, seats int) *load {
	l := &load{c: c}
	l.Traffic = traffic.Start(context.Background(), traffic.Options{
		Service: service, Users: processtest.NewUsers(3), Clients: 4, Trains: trains, Seats: seats,
		Think: 2 * thinkTime, Retry: settleTime,
	}, traffic.Mixed)
	c.t.Cleanup(l.Stop)
	return l
}

// awaitSales waits until so many more bookings were acknowledged.
func (l *load) awaitSales(more int) {
	l.c.t.Helper()
	ctx, cancel := context.WithTimeout(l.c.t.Context(), timeout)
	defer cancel()
	require.NoError(l.c.t, l.AwaitBookings(ctx, l.Bookings()+more))
}

// requireNoFailure fails the test if a request has failed so far.
func (l *load) requireNoFailure() {
	l.c.t.Helper()
	failed := l.Failed()
	require.Empty(l.c.t, failed[:min(5, len(failed))], "%d requests failed: %s", len(failed), describe(failed))
}

// requireRecovered waits until nothing fails any more and fails the test if that takes
// longer than it may after a fault that healed now.
func (l *load) requireRecovered() {
	l.c.t.Helper()
	const quiet = 3 * time.Second
	before, healed := l.Bookings(), l.Now()
	latest := func() (latest time.Duration) {
		for _, o := range l.Failed() {
			latest = max(latest, o.Return)
		}
		return latest
	}
	for l.Now()-max(latest(), healed) < quiet {
		require.Less(l.c.t, l.Now()-healed, recovery+quiet, "there are still failures: %s", describe(l.Failed()))
		<-time.After(pollTime)
	}
	require.Less(l.c.t, latest()-healed, recovery, "%s", describe(l.Failed()))
	require.Greater(l.c.t, l.Bookings(), before, "nothing is sold")
	l.c.t.Logf("the last failure came %s after the fault was over", max(0, latest()-healed).Round(10*time.Millisecond))
}

// finish ends the load and holds what the clients got against the store.
func (l *load) finish() {
	l.c.t.Helper()
	l.Stop() // before the store is read
	processtest.RequireKept(l.c.t, l.Traffic, l.c.service, processtest.StoredBookings(l.c.t, l.c.database))
}

// describe shows the last few operations.
func describe(operations []history.Operation) (text string) {
	for _, o := range operations[max(0, len(operations)-5):] {
		text += fmt.Sprintf("\n%.3fs to %.3fs: %s %s", o.Call.Seconds(), o.Return.Seconds(), &o, o.Detail)
	}
	return text
}
