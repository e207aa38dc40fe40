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

// startLoad starts twelve clients of three users, who want the seats 1 to seats of trains. They
// run until finish or the end of the test.
func (c *cluster) startLoad(trains []booking.Train, seats int) *load {
	return c.startLoadOn(c.service, trains, seats)
}

// startLoadOn is startLoad with another service.
func (c *cluster) startLoadOn(service booking.Service, trains []booking.Train, seats int) *load {
	l := &load{c: c}
	l.Traffic = traffic.Start(context.Background(), traffic.Options{
		Service: service, Users: processtest.NewUsers(3), Clients: 4, Trains: trains, Seats: seats,
		Think: 80 * time.Millisecond, Retry: retryTime,
	}, traffic.Mixed)
	c.t.Cleanup(l.Stop)
	return l
}

// awaitSales waits for that many more acknowledged bookings.
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

// requireRecovered waits until no request has failed for three seconds. It fails the test if
// failures last longer than recovery from now.
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
		require.Less(l.c.t, l.Now()-healed, recovery+quiet, "requests still fail: %s", describe(l.Failed()))
		<-time.After(pollTime)
	}
	require.Less(l.c.t, latest()-healed, recovery, "%s", describe(l.Failed()))
	require.Greater(l.c.t, l.Bookings(), before, "nothing was sold")
	l.c.t.Logf("the last failure was %s after the end of the fault", max(0, latest()-healed).Round(10*time.Millisecond))
}

// finish stops the load and checks its history against the store.
func (l *load) finish() {
	l.c.t.Helper()
	l.Stop() // before the store is read
	processtest.RequireConsistent(l.c.t, l.Traffic, l.c.service, processtest.StoredBookings(l.c.t, l.c.database))
}

// describe prints the last five operations.
func describe(operations []history.Operation) (text string) {
	for _, o := range operations[max(0, len(operations)-5):] {
		text += fmt.Sprintf("\n%.3fs to %.3fs: %s %s", o.Call.Seconds(), o.Return.Seconds(), &o, o.Detail)
	}
	return text
}
