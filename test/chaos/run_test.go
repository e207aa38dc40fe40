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
)

const (
	trainCount = 6 // at once
	seats      = 4 // of each that the users want; one more is the prober's
	users      = 6
	each       = 2 // clients of a user
	thinkTime  = 200 * time.Millisecond
	retryTime  = 15 * time.Second
	// chapter is how long the trains are the same. It bounds the search for an order.
	chapter = 3 * time.Minute
	// recovery and takeover are those of RELIABILITY.md I7.
	recovery = 15 * time.Second
	takeover = 8 * time.Second
	// probeEvery is how often the prober asks each train. It does not wait for responses,
	// so that each train's are seen by themselves.
	probeEvery = 200 * time.Millisecond
	quiet      = 5 * time.Second // before the first fault

	// What a run must have at least.
	operationsPerMinute = 1000
	faultsPerMinute     = 2
)

// run is a run of the test.
type run struct {
	*cluster
	*traffic.Traffic

	t       *testing.T
	service *client.Client
	prober  uuid.UUID
	faults  []fault

	mu     sync.Mutex
	probes map[booking.TrainID][]time.Duration // when a response came
}

// nextChapter puts other trains on sale. Those before stay as they are.
func (r *run) nextChapter() { r.SetTrains(r.admin.AddTrains(r.t, trainCount, seats+1)) }

func TestThreeProcessesKeepTheirPromisesWhateverHappens(t *testing.T) {
	t.Parallel()
	s := newSchedule(t)
	t.Logf("make chaos MINUTES=%v SEED=%d ONLY='%s'", *minutes, *seed, *only)
	r := &run{cluster: startCluster(t), t: t, prober: uuid.New(), probes: map[booking.TrainID][]time.Duration{}}
	r.service = processtest.Passengers(t, r.balancer.URL, r.secret, r.admin)
	r.Traffic = traffic.Start(context.Background(), traffic.Options{
		Service: r.service, Users: processtest.NewUsers(users), Clients: each, Seats: seats, Seed: *seed,
		Trains: r.admin.AddTrains(t, trainCount, seats+1), Think: thinkTime, Retry: retryTime,
	}, traffic.Mixed)
	probing, stopProbing := context.WithCancel(context.Background())
	var prober sync.WaitGroup
	prober.Go(func() { r.probe(probing) })
	stop := sync.OnceFunc(func() {
		r.Stop()
		stopProbing()
		prober.Wait()
	})
	t.Cleanup(stop) // before the processes end

	<-time.After(quiet)
	length := time.Duration(*minutes * float64(time.Minute))
	for begun := r.Now(); r.Now() < length; {
		if r.Now()-begun > chapter {
			r.nextChapter()
			begun = r.Now()
		}
		r.suffer(s.next())
	}
	r.tend(recovery + 4*time.Second)
	stop()
	r.check()
}

// probe asks each train again and again for a hold that nobody else wants, and notes when a
// response came that is not a failure.
func (r *run) probe(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		for _, train := range r.Trains() {
			asking.Go(func() {
				_, err := r.service.Hold(context.Background(), booking.HoldRequest{User: r.prober, Train: train.ID, Seats: []int{seats + 1}})
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
