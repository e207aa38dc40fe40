package traffic

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic/history"
)

// DefaultRetry is twice the time in which a train is served again after its process was
// killed (RELIABILITY.md I7).
const DefaultRetry = 16 * time.Second

// Options are what a Traffic is made of. Service, Users and Trains are required.
type Options struct {
	Service booking.Service
	Users   []uuid.UUID
	// Clients of each user, that act at the same time. 0: 1.
	Clients int
	Trains  []booking.Train
	// Seats of each train that clients want: 1 to Seats. 0: as many as the smallest train has.
	Seats int
	// MaxSeats of one hold. 0: 1.
	MaxSeats int
	// Think bounds the pause before a client's next step. The pauses are random.
	Think time.Duration
	// Retry is for how long a request without a definite response is sent again. 0: DefaultRetry.
	Retry time.Duration
	// Impatient is the share of requests that the client abandons after a few milliseconds.
	Impatient float64
	Seed      uint64
	Recorder  *history.Recorder // nil: a new one
	FirstID   int               // of the clients, where several Traffics share a Recorder
}

// Script is what one client does, until it is done or Client.Over.
type Script func(context.Context, *Client)

// Traffic is clients that run a Script.
type Traffic struct {
	*history.Recorder

	options Options
	clients sync.WaitGroup
	over    chan struct{}
	stop    func()

	mu     sync.Mutex
	trains []booking.Train
	recent []history.Operation // holds of anybody, for others to try to take
}

// Start starts the clients. Cancelling ctx ends them at once; Stop lets each finish its step.
func Start(ctx context.Context, o Options, script Script) *Traffic {
	t := New(o)
	for i, user := range o.Users {
		for j := range max(1, o.Clients) {
			c := t.Client(i*max(1, o.Clients)+j, user)
			t.clients.Go(func() { script(ctx, c) })
		}
	}
	return t
}

// New returns a Traffic without clients, for those who run their own.
func New(o Options) *Traffic {
	o.Retry, o.MaxSeats = cmp.Or(o.Retry, DefaultRetry), max(1, o.MaxSeats)
	if o.Seats == 0 && len(o.Trains) > 0 {
		o.Seats = slices.MinFunc(o.Trains, func(a, b booking.Train) int { return a.Capacity - b.Capacity }).Capacity
	}
	t := &Traffic{Recorder: o.Recorder, options: o, trains: o.Trains, over: make(chan struct{})}
	if t.Recorder == nil {
		t.Recorder = history.NewRecorder()
	}
	t.stop = sync.OnceFunc(func() { close(t.over) })
	return t
}

// Client returns a client for the user. It is for one goroutine.
func (t *Traffic) Client(id int, user uuid.UUID) *Client {
	id += t.options.FirstID
	return &Client{
		ID: id, User: user, traffic: t,
		random: rand.New(rand.NewPCG(t.options.Seed, uint64(id)+1)), //nolint:gosec // no secret, and repeatable
	}
}

// Stop tells the clients to end after their present step, and waits for them. It may be
// called twice.
func (t *Traffic) Stop() {
	t.stop()
	t.clients.Wait()
}

// Wait waits until every client has come to the end of its script.
func (t *Traffic) Wait() { t.clients.Wait() }

// SetTrains replaces the trains that clients use from now on.
func (t *Traffic) SetTrains(trains []booking.Train) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trains = trains
}

// Trains returns the trains that clients use.
func (t *Traffic) Trains() []booking.Train {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trains
}

// show makes a hold known to the other clients.
func (t *Traffic) show(held history.Operation) {
	const most = 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent = append(t.recent, held)
	t.recent = t.recent[max(0, len(t.recent)-most):]
}

// Failed returns the operations so far that got no definite response.
func (t *Traffic) Failed() (failed []history.Operation) {
	for _, o := range t.History().Operations {
		if o.Failed() {
			failed = append(failed, o)
		}
	}
	return failed
}

// Bookings returns how many confirms have succeeded so far.
func (t *Traffic) Bookings() int { return t.Count(history.IsBooking) }
