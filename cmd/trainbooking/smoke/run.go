package smoke

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
)

const (
	// turnEvery keeps a passenger from being a load test: ten seats a second.
	turnEvery = 100 * time.Millisecond
	// capacity of the train of one's own is all a train can have, so that it does not
	// sell out.
	capacity = booking.MaxCapacity
	// cleanupTime bounds what is done after the run was broken off.
	cleanupTime = 20 * time.Second
)

// Options says what to ask.
type Options struct {
	URL string // of the service
	// ServiceToken lets the run add a train of its own. Without it passengers share a
	// train that is on sale, and each keeps at most one seat of it.
	ServiceToken string
	Clients      int           // passengers at once, at least 1
	For          time.Duration // repeat until then; 0: one turn each
}

// Run lets the passengers travel until the time is over, and audits what they were told.
// The error says what is wrong: a promise that was broken, a step that could not be done,
// or ctx. Failed requests that were answered when sent again are in the Report alone.
func Run(ctx context.Context, o Options) (Report, error) {
	r := &run{options: o, tally: newTally()}
	admin, err := r.client(client.FixedToken(o.ServiceToken))
	if err != nil {
		return Report{}, err
	}
	train, err := r.train(ctx, admin)
	if err != nil {
		return r.tally.report(), err
	}
	passengers, err := r.board(ctx, train)
	if err == nil {
		r.travel(ctx, passengers)
		err = errors.Join(r.broken(), ctx.Err())
	}
	if err == nil {
		err = audit(ctx, passengers)
	}
	if err == nil {
		err = giveBack(ctx, passengers)
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	return r.tally.report(), errors.Join(err, r.cleanUp(late, admin, train, passengers))
}

// run is one Run.
type run struct {
	options Options
	tally   *tally

	mu     sync.Mutex
	errors []error
}

// client returns a client of the service whose every request is counted.
func (r *run) client(token func(context.Context, uuid.UUID) (string, error)) (*client.Client, error) {
	return client.New(client.Options{
		URL: r.options.URL, Token: token, UserAgent: "trainbooking-smoke",
		OnCall: func(client.Call) func(client.Result) {
			return func(got client.Result) { r.tally.answered(got.Err) }
		},
	})
}

// ours reports whether the train is the run's own.
func (r *run) ours() bool { return r.options.ServiceToken != "" }

// train adds the train to travel by, or finds one.
func (r *run) train(ctx context.Context, admin *client.Client) (booking.Train, error) {
	if !r.ours() {
		return findTrain(ctx, admin)
	}
	id := booking.NewTrainID()
	// Stations of its own: no passenger finds it.
	name := "Smoke " + id.String()[:8]
	return insist(ctx, func() (booking.Train, error) {
		put, _, err := admin.PutTrain(ctx, booking.Train{
			ID: id, Name: name, Capacity: capacity, OnSale: true,
			Stops: []booking.Stop{{Station: name + " A"}, {Station: name + " B"}, {Station: name + " C"}},
		})
		if err != nil {
			err = fmt.Errorf("add a train: %w", err)
		}
		return put, err
	})
}

// findTrain returns a train that has seats left for anyone.
func findTrain(ctx context.Context, c *client.Client) (booking.Train, error) {
	now := time.Now()
	for a, err := range c.Trains(ctx, booking.TrainQuery{}) {
		if err != nil {
			return booking.Train{}, fmt.Errorf("list the trains: %w", err)
		}
		if a.Train.OnSale && a.Available > 0 && !a.Train.Departed(a.Segment, now) {
			return *a.Train, nil
		}
	}
	return booking.Train{}, errors.New("no train is on sale that has seats left: add one, or give --service-token-file to let one be added")
}

// board registers the passengers and logs them in.
func (r *run) board(ctx context.Context, train booking.Train) ([]*passenger, error) {
	passengers := make([]*passenger, 0, r.options.Clients)
	for range r.options.Clients {
		p := &passenger{account: newAccount(r.options.URL, r.tally), train: train, tally: r.tally, keep: 1}
		if r.ours() {
			p.keep = capacity / r.options.Clients
		}
		var err error
		if p.api, err = r.client(p.account.bearer); err != nil {
			return nil, err
		}
		if err := p.account.register(ctx); err != nil {
			return nil, err
		}
		passengers = append(passengers, p)
	}
	return passengers, nil
}

// travel lets every passenger take turns until the time is over or one of them finds
// something wrong.
func (r *run) travel(ctx context.Context, passengers []*passenger) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := time.Now().Add(r.options.For)
	r.tally.begin()
	var all sync.WaitGroup
	for _, p := range passengers {
		all.Go(func() {
			if err := p.takeTurns(ctx, over); err != nil && ctx.Err() == nil {
				r.fail(err)
				cancel()
			}
		})
	}
	all.Wait()
	r.tally.end()
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, err)
}

func (r *run) broken() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.errors...)
}

// giveBack lets every passenger cancel a booking, also where there was one turn alone.
func giveBack(ctx context.Context, passengers []*passenger) error {
	for _, p := range passengers {
		if len(p.kept) == 0 {
			continue
		}
		if err := p.cancelOldest(ctx); err != nil {
			return err
		}
	}
	return nil
}

// cleanUp takes away what the run has made, as far as it can.
func (r *run) cleanUp(ctx context.Context, admin *client.Client, train booking.Train, passengers []*passenger) error {
	if r.ours() {
		_, err := insist(ctx, func() (struct{}, error) { return struct{}{}, admin.DeleteTrain(ctx, train.ID, true) })
		if err != nil && booking.CodeOf(err) != booking.CodeNotFound {
			return fmt.Errorf("delete the train %s: %w", train.ID, err)
		}
		return nil
	}
	var errs []error
	for _, p := range passengers {
		for len(p.kept) > 0 {
			if err := p.cancelOldest(ctx); err != nil {
				errs = append(errs, err)
				break
			}
		}
	}
	return errors.Join(errs...)
}
