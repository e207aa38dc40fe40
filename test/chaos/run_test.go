//go:build chaos

package chaos_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

const (
	trainCount = 6 // at once
	seats      = 4 // of each train, for the users
	seatsAlone = 2 // more, each for a user who confirms and releases it by its number
	seatProbed = seats + seatsAlone + 1
	users      = 6
	clients    = 2 // of each user
	thinkTime  = 200 * time.Millisecond
	retryTime  = 15 * time.Second
	// replaceEvery is how often the trains are replaced, which bounds the search for an order.
	replaceEvery = 3 * time.Minute
	// recovery and takeover are those of RELIABILITY.md I7.
	recovery = 15 * time.Second
	takeover = 8 * time.Second
	// probeEvery is the interval between two probes of a train. A probe does not wait for the
	// response to the one before.
	probeEvery = 200 * time.Millisecond
	startTime  = 5 * time.Second // before the first fault

	// The minimum of a run.
	operationsPerMinute = 1000
	faultsPerMinute     = 2
)

// run is one run of the test.
type run struct {
	*cluster
	*traffic.Traffic // of the users

	t       *testing.T
	bySeat  *traffic.Traffic
	service *client.Client
	prober  uuid.UUID
	faults  []fault

	timetable timetable
	watchers  []*watcher

	mu     sync.Mutex
	probes map[booking.TrainID][]time.Duration // times of responses
}

func TestThreeProcessesKeepTheirPromisesUnderFaults(t *testing.T) {
	t.Parallel()
	s := newSchedule(t)
	t.Logf("make chaos MINUTES=%v SEED=%d ONLY='%s'", *minutes, *seed, *only)
	r := &run{cluster: startCluster(t), t: t, prober: uuid.New(), probes: map[booking.TrainID][]time.Duration{}}
	r.service = processtest.Passengers(t, r.balancer.URL, r.secret, r.admin)
	r.addTimetable()
	options := traffic.Options{
		Service: r.service, Users: processtest.NewUsers(users), Clients: clients, Seats: seats, Seed: *seed,
		Trains: r.addTrains(), Think: thinkTime, Retry: retryTime, Recorder: history.NewRecorder(),
	}
	r.Traffic = traffic.Start(context.Background(), options, traffic.Mixed)
	r.watch(options.Trains)
	r.addDepartedTrains()
	options.FirstID, options.Users, options.Clients = seats*trainCount, processtest.NewUsers(seatsAlone*trainCount), 1
	r.bySeat = traffic.Start(context.Background(), options, traffic.BySeat)
	probing, stopProbing := context.WithCancel(context.Background())
	var prober sync.WaitGroup
	prober.Go(func() { r.probe(probing) })
	prober.Go(func() { r.rename(probing) })
	stop := sync.OnceFunc(func() {
		r.Stop()
		r.bySeat.Stop()
		stopProbing()
		prober.Wait()
	})
	t.Cleanup(stop) // before the processes are killed

	<-time.After(startTime)
	length := time.Duration(*minutes * float64(time.Minute))
	for begun := r.Now(); r.Now() < length; {
		if r.Now()-begun > replaceEvery {
			trains := r.addTrains()
			r.SetTrains(trains)
			r.bySeat.SetTrains(trains)
			begun = r.Now()
		}
		r.runRound(s.next())
	}
	r.supervise(recovery + 4*time.Second)
	stop()
	r.check()
}

// probe requests a hold of the last seat of each train, at intervals, and records the times of
// responses that are not failures.
func (r *run) probe(ctx context.Context) {
	var requests sync.WaitGroup
	defer requests.Wait()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		for _, train := range r.Trains() {
			requests.Go(func() {
				_, err := r.service.Hold(context.Background(), booking.HoldRequest{User: r.prober, Train: train.ID, Seats: []int{seatProbed}})
				if booking.CodeOf(err) != "" && booking.CodeOf(err) != booking.CodeSeatLocked {
					return
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				r.probes[train.ID] = append(r.probes[train.ID], r.Now())
			})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
