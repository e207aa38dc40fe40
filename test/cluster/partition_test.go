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

// A process that cannot reach Redis sells while its leases last and no longer, reports that
// it is not ready, and others serve its trains.
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
	its := c.ownedBy(cut, trains)
	require.NotEmpty(t, its)
	through := traffic.New(traffic.Options{Service: c.serviceAt(cut.URL), Recorder: tr.Recorder})

	link.Cut()
	began := tr.Now()
	direct := through.Client(500, asha.User)
	for _, train := range its { // a confirm needs no Redis
		requireResult(t, history.Done, direct.Confirm(t.Context(), before[train.ID]))
	}
	options := traffic.Options{Trains: its, Seats: seats, Think: 5 * pollTime, Recorder: tr.Recorder, Users: processtest.NewUsers(2), Clients: len(its)}
	options.Service, options.Retry = c.serviceAt(cut.URL), time.Nanosecond
	left := traffic.Start(t.Context(), options, traffic.Mixed)
	options.Service, options.Retry, options.FirstID = c.service, 0, 1000
	options.Users = processtest.NewUsers(2)
	right := traffic.Start(t.Context(), options, traffic.Mixed)
	<-time.After(began + cutFor - tr.Now())
	left.Stop()
	right.Stop()
	require.False(t, cut.backend.Ready(), "it is not ready")
	link.Join()
	healed := time.Now()
	select { // its peers have gone on without it
	case <-cut.Exited():
		require.Equal(t, 3, cut.Wait(), "%s", cut.Log)
		c.forget(cut)
	case <-time.After(recovery):
		require.True(t, cut.backend.Ready(), "it is ready again, or has made way for a new one")
	}
	t.Logf("it ended, or was ready, %s after Redis was there again", time.Since(healed).Round(time.Millisecond))

	operations := tr.History().Operations
	requireStopped(t, slices.DeleteFunc(slices.Clone(operations), func(o history.Operation) bool {
		return o.Client < 0 || o.Client >= options.FirstID || o.Call < began
	}), began)
	requireServed(t, slices.DeleteFunc(slices.Clone(operations), func(o history.Operation) bool {
		return o.Client < options.FirstID
	}), its, began)
	for _, train := range its {
		requireResult(t, history.Done, asha.Confirm(t.Context(), held[train.ID]))
	}
	processtest.RequireKept(t, tr, c.service, processtest.StoredBookings(t, c.database))
	c.requireAllRun()
}

// requireStopped fails the test if anything was sold when the leases were over, or a response
// leaves open whether it was.
func requireStopped(t *testing.T, operations []history.Operation, began time.Duration) {
	t.Helper()
	const life = 6 * time.Second // of a lease; its owner stops a second before
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
		case o.Call-began > life && o.Result != history.NotExecuted:
			wrong = append(wrong, o)
		}
	}
	t.Logf("%d requests; it sold %d times, the last time %s after the cut", len(operations), sold, last.Round(time.Millisecond))
	require.NotZero(t, sold)
	require.Less(t, last, life)
	require.Empty(t, wrong[:min(5, len(wrong))], "%d responses are not 503 not_executed: %s", len(wrong), describe(wrong))
}

// requireServed fails the test if a train sold nothing for longer than a takeover takes.
func requireServed(t *testing.T, operations []history.Operation, trains []booking.Train, began time.Duration) {
	t.Helper()
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
		require.Less(t, longest[train.ID], takeover, train.ID)
		require.Less(t, end-last[train.ID], 2*time.Second, "it sells in the end")
	}
}
