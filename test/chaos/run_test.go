package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/test/chaos/history"
	"trainbooking.dev/test/processtest"
)

const (
	trains = 6 // at once
	seats  = 4 // of each that the users want; one more is the prober's
	users  = 6
	each   = 2 // clients of a user
	// chapter is how long the trains are the same. What is searched stays small by that.
	chapter = 3 * time.Minute
	// recovery and takeover are those of RELIABILITY.md I7.
	recovery = 15 * time.Second
	takeover = 8 * time.Second
	// probeEvery is how often the prober asks each train. It does not wait for answers,
	// so that each train's own are seen, whatever the others do.
	probeEvery = 200 * time.Millisecond
	quiet      = 5 * time.Second // before the first fault

	// What a run must have at least, that is not an idle one.
	operationsPerMinute = 1000
	faultsPerMinute     = 2
)

// run is a run of the test.
type run struct {
	*cluster
	t     *testing.T
	start time.Time
	over  chan struct{}

	mu      sync.Mutex
	current []booking.TrainID
	all     []booking.TrainID
	ops     []history.Operation
	losses  []history.Loss
	wrong   []string // answers that nothing explains
	boards  []history.Operation
	probes  map[booking.TrainID][]time.Duration // when an answer came
	faults  []fault
}

// now is the time of the run.
func (r *run) now() time.Duration { return time.Since(r.start) }

// at is a time of the service's clock as one of the run.
func (r *run) at(end time.Time) time.Duration {
	now := time.Now()
	return now.Sub(r.start) + end.Sub(now.Round(0))
}

func (r *run) record(o history.Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, o)
}

func (r *run) complain(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, fmt.Sprintf("%.3fs ", r.now().Seconds())+fmt.Sprintf(format, args...))
}

func (r *run) lose(from, to time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.losses = append(r.losses, history.Loss{From: from, To: to})
}

func (r *run) trains() []booking.TrainID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

func (r *run) pick(random *rand.Rand) booking.TrainID {
	on := r.trains()
	return on[random.IntN(len(on))]
}

// show shows a hold to others, who will try to take it.
func (r *run) show(o history.Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.boards = append(r.boards, o)
	r.boards = r.boards[max(0, len(r.boards)-10):]
}

func (r *run) shown(random *rand.Rand) (o history.Operation, there bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.boards) == 0 {
		return o, false
	}
	return r.boards[random.IntN(len(r.boards))], true
}

// turnPage puts other trains on sale. Those before stay as they are.
func (r *run) turnPage() {
	added := r.addTrains(trains, seats+1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = added
	r.all = append(r.all, added...)
}

func TestThreeProcessesKeepTheirPromisesWhateverHappens(t *testing.T) {
	t.Parallel()
	s := newSchedule(t)
	t.Logf("make chaos MINUTES=%v SEED=%d ONLY='%s'", *minutes, *seed, *only)
	r := &run{
		cluster: startCluster(t), t: t, start: time.Now(), over: make(chan struct{}),
		probes: map[booking.TrainID][]time.Duration{},
	}
	r.turnPage()
	people, prober := r.people()
	var living sync.WaitGroup
	for _, p := range people {
		living.Go(p.live)
	}
	living.Go(prober.probe)
	stop := sync.OnceFunc(func() {
		close(r.over)
		living.Wait()
	})
	t.Cleanup(stop) // before the processes end

	<-time.After(quiet)
	length := time.Duration(*minutes * float64(time.Minute))
	for page := r.now(); r.now() < length; {
		if r.now()-page > chapter {
			r.turnPage()
			page = r.now()
		}
		r.suffer(s.next())
	}
	r.tend(recovery + 4*time.Second)
	stop()
	ended := r.now()
	r.judge(ended)
}

// people signs up the users and returns their clients, and one that probes.
func (r *run) people() (all []*person, prober *person) {
	r.t.Helper()
	tokens := map[uuid.UUID]string{}
	ids := map[string]uuid.UUID{}
	var names []string
	for i := range users + 1 {
		name := fmt.Sprintf("user-%d", i)
		names = append(names, name)
		tokens[uuid.Nil] = processtest.SignUp(r.t, r.balancer.URL, name).Token
		ids[name] = r.userOf(tokens[uuid.Nil])
		tokens[ids[name]] = tokens[uuid.Nil]
	}
	delete(tokens, uuid.Nil)
	for i := range users*each + 1 {
		api, err := client.New(client.Options{
			URL: r.balancer.URL, Timeout: requestTime,
			Token: func(_ context.Context, user uuid.UUID) (string, error) { return tokens[user], nil },
		})
		require.NoError(r.t, err)
		r.t.Cleanup(api.CloseIdleConnections)
		all = append(all, &person{
			r: r, id: i, user: ids[names[i/each]], api: api,
			random: rand.New(rand.NewPCG(*seed, uint64(i)+1)),
		})
	}
	return all[:users*each], all[users*each]
}

// probe asks each train again and again for a hold that nobody else wants, and writes
// down when an answer came that is not a failure.
func (p *person) probe() {
	var asking sync.WaitGroup
	defer asking.Wait()
	for {
		for _, train := range p.r.trains() {
			asking.Go(func() {
				_, err := p.api.Hold(context.Background(), booking.HoldRequest{User: p.user, Train: train, Seats: []int{seats + 1}})
				if booking.CodeOf(err) != "" && booking.CodeOf(err) != booking.CodeSeatLocked {
					return
				}
				p.r.mu.Lock()
				defer p.r.mu.Unlock()
				p.r.probes[train] = append(p.r.probes[train], p.r.now())
			})
		}
		select {
		case <-time.After(probeEvery):
		case <-p.r.over:
			return
		}
	}
}
