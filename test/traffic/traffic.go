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

// DefaultRetry is twice the time of a takeover (RELIABILITY.md I7).
const DefaultRetry = 16 * time.Second

// Options configure a Traffic. Service, Users and Trains are required.
type Options struct {
	Service booking.Service
	Users   []uuid.UUID
	// Clients is the number of concurrent clients of each user. 0: 1.
	Clients int
	Trains  []booking.Train
	// Seats bounds the seats of each train that clients want: 1 to Seats. 0: all seats of the
	// smallest train.
	Seats int
	// MaxSeats bounds the seats of one hold. 0: 1.
	MaxSeats int
	// Think bounds the random pause of a client between two steps.
	Think time.Duration
	// Retry is how long a failed request is repeated. 0: DefaultRetry.
	Retry time.Duration
	// Impatient is the share of requests that the client abandons after a few milliseconds.
	Impatient float64
	Seed      uint64            // of all random choices
	Recorder  *history.Recorder // nil: a new one
	FirstID   int               // of the clients, if several Traffics share a Recorder
}

// Script is what one client does. It returns when it is done or Client.Over.
type Script func(context.Context, *Client)

// Traffic is clients that run a Script.
type Traffic struct {
	*history.Recorder

	options Options
	clients sync.WaitGroup
	stopped chan struct{} // closed by stop
	stop    func()

	mu     sync.Mutex
	trains []booking.Train
	recent []history.Operation // the latest holds, for the requests of other users
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

// New returns a Traffic without clients, for callers that use Client directly.
func New(o Options) *Traffic {
	o.Retry, o.MaxSeats = cmp.Or(o.Retry, DefaultRetry), max(1, o.MaxSeats)
	if o.Seats == 0 && len(o.Trains) > 0 {
		o.Seats = slices.MinFunc(o.Trains, func(a, b booking.Train) int { return a.Capacity - b.Capacity }).Capacity
	}
	t := &Traffic{Recorder: o.Recorder, options: o, trains: o.Trains, stopped: make(chan struct{})}
	if t.Recorder == nil {
		t.Recorder = history.NewRecorder()
	}
	t.stop = sync.OnceFunc(func() { close(t.stopped) })
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

// Stop lets each client finish its step and waits for them. It may be called twice.
func (t *Traffic) Stop() {
	t.stop()
	t.clients.Wait()
}

// Wait waits until the scripts of all clients have returned.
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

// share keeps a hold for Client.intrude.
func (t *Traffic) share(held history.Operation) {
	const most = 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recent = append(t.recent, held)
	t.recent = t.recent[max(0, len(t.recent)-most):]
}

// Failed returns the operations so far that failed.
func (t *Traffic) Failed() (failed []history.Operation) {
	for _, o := range t.History().Operations {
		if o.Failed() {
			failed = append(failed, o)
		}
	}
	return failed
}

// Bookings returns the number of successful confirms so far.
func (t *Traffic) Bookings() int { return t.Count(history.IsBooking) }
