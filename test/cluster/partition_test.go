package cluster_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

// A process that cannot reach Redis sells until its leases end, reports that it is not ready,
// and other processes take over its trains.
func TestProcessCutFromRedisStopsSellingAndOthersTakeOver(t *testing.T) {
	t.Parallel()
	const (
		cutFor = 20 * time.Second
		seats  = 2000
	)
	c := startCluster(t, 2)
	link := processtest.NewLink(t, "tcp", c.redis)
	cut := c.startOn(processtest.FreeAddress(t), link.Address)
	trains := c.admin.AddTrains(t, 16, seats)
	tr := traffic.New(traffic.Options{Service: c.service, Trains: trains})
	asha := tr.Client(-1, uuid.New())
	held, before := c.hold(asha, trains, 1), c.hold(asha, trains, 2)
	owned := c.ownedBy(cut, trains)
	require.NotEmpty(t, owned)

	link.Cut()
	began := tr.Now()
	client := traffic.New(traffic.Options{Service: c.serviceAt(cut.URL), Recorder: tr.Recorder}).Client(500, asha.User)
	for _, train := range owned { // a confirm does not need Redis
		requireResult(t, history.Done, client.Confirm(t.Context(), before[train.ID]))
	}
	options := traffic.Options{Trains: owned, Seats: seats, Think: 5 * pollTime, Recorder: tr.Recorder, Users: processtest.NewUsers(2), Clients: len(owned)}
	options.Service, options.Retry = c.serviceAt(cut.URL), time.Nanosecond
	direct := traffic.Start(t.Context(), options, traffic.Mixed)
	options.Service, options.Retry, options.FirstID = c.service, 0, 1000
	options.Users = processtest.NewUsers(2)
	balanced := traffic.Start(t.Context(), options, traffic.Mixed)
	<-time.After(began + cutFor - tr.Now())
	direct.Stop()
	balanced.Stop()
	require.False(t, cut.backend.Ready(), "the process that is cut off is ready")
	link.Restore()
	healed := time.Now()
	select { // its peers may have evicted it
	case <-cut.Exited():
		require.Equal(t, 3, cut.Wait(), "%s", cut.Log)
		c.remove(cut)
	case <-time.After(recovery):
		require.True(t, cut.backend.Ready(), "it is neither ready nor has it exited")
	}
	t.Logf("it exited, or was ready, %s after the cut", time.Since(healed).Round(time.Millisecond))

	operations := tr.History().Operations
	requireStopped(t, slices.DeleteFunc(slices.Clone(operations), func(o history.Operation) bool {
		return o.Client < 0 || o.Client >= options.FirstID || o.Call < began
	}), began)
	requireServed(t, slices.DeleteFunc(slices.Clone(operations), func(o history.Operation) bool {
		return o.Client < options.FirstID
	}), owned, began)
	for _, train := range owned {
		requireResult(t, history.Done, asha.Confirm(t.Context(), held[train.ID]))
	}
	processtest.RequireConsistent(t, tr, c.service, processtest.StoredBookings(t, c.database))
	c.requireAllRunning()
}

// requireStopped fails the test if anything was sold after the leases had ended, or if a later
// response has another result than not_executed.
func requireStopped(t *testing.T, operations []history.Operation, began time.Duration) {
	t.Helper()
	const leaseTTL = 6 * time.Second // the owner stops one second earlier
	var last time.Duration
	sold := 0
	var wrong []history.Operation
	for _, o := range operations {
		sells := o.Kind == history.Hold || o.Kind == history.Confirm || o.Kind == history.Release || o.Kind == history.Cancel
		switch {
		case !sells:
		case o.Result == history.Done:
			last = max(last, o.Return-began)
			sold++
		case o.Call-began > leaseTTL && o.Result != history.NotExecuted:
			wrong = append(wrong, o)
		}
	}
	t.Logf("%d requests; it sold %d times, the last time %s after the cut", len(operations), sold, last.Round(time.Millisecond))
	require.NotZero(t, sold)
	require.Less(t, last, leaseTTL)
	require.Empty(t, wrong[:min(5, len(wrong))], "%d responses are not 503 not_executed: %s", len(wrong), describe(wrong))
}

// requireServed fails the test if a train sold nothing for longer than a takeover takes, or than a client
// waits: a process that is cut off is ready for up to 4 s more, and a request that it gets then ends after 5 s.
func requireServed(t *testing.T, operations []history.Operation, trains []booking.Train, began time.Duration) {
	t.Helper()
	const longestWait = 10 * time.Second
	last, longest := map[booking.TrainID]time.Duration{}, map[booking.TrainID]time.Duration{}
	for _, train := range trains {
		last[train.ID] = began
	}
	end := began
	for _, o := range operations {
		end = max(end, o.Return)
		if o.Kind == history.Hold && o.Result == history.Done {
			longest[o.Train] = max(longest[o.Train], o.Return-last[o.Train])
			last[o.Train] = o.Return
		}
	}
	t.Logf("the longest time without a hold, by train: %v", slices.Sorted(maps.Values(longest)))
	for _, train := range trains {
		require.Less(t, longest[train.ID], longestWait, train.ID)
		require.Less(t, end-last[train.ID], 2*time.Second, "it does not sell at the end")
	}
}
