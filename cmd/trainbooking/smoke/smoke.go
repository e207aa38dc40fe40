package smoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

const (
	// turnEvery is the pause between turns, so that a passenger is not a load test.
	turnEvery = 200 * time.Millisecond
	// capacity is that of the run's own train: the maximum, so that it does not sell out.
	capacity = booking.MaxCapacity
	// cleanupTime bounds the cleanup, also after an interrupted run.
	cleanupTime = 20 * time.Second
	// searchTime bounds the search for an order of the operations on one leg of one seat.
	searchTime = time.Minute
	// maxProblems bounds the number of printed problems.
	maxProblems = 10
)

// Options configure a run.
type Options struct {
	URL  string       // of the service
	HTTP *http.Client // sends the requests
	// ServiceToken allows the run to add its own train. Without it, passengers use a train that
	// is on sale, and each keeps at most one seat of it.
	ServiceToken string
	Clients      int           // concurrent passengers, at least 1
	For          time.Duration // how long to repeat turns; 0: one turn each
}

// Run lets the passengers book until the time is over or ctx is cancelled, and checks the
// responses. The error is a broken promise, a step that failed, or that of ctx if it was cancelled
// before the first turn. Requests that failed and succeeded when repeated are in the Report only.
func Run(ctx context.Context, o Options) (Report, error) {
	r := &run{options: o}
	if err := r.connect(); err != nil {
		return Report{}, err
	}
	err := r.prepare(ctx)
	if err == nil {
		err = r.book(ctx)
	}
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	err = errors.Join(err, r.cleanUp(cleanup))
	return newReport(r.History().Operations, r.from, r.to), err
}

// run is one Run.
type run struct {
	*traffic.Traffic // its clients set up, check and clean up

	options  Options
	service  *client.Client
	accounts []*account
	admin    *traffic.Client
	train    booking.Train
	from, to time.Duration // of the turns
}

// ownTrain reports whether the run adds its own train.
func (r *run) ownTrain() bool { return r.options.ServiceToken != "" }

// connect creates the accounts of the passengers, and a client with the service token.
func (r *run) connect() (err error) {
	r.service, err = client.New(client.Options{URL: r.options.URL, HTTP: r.options.HTTP, UserAgent: "trainbooking-smoke", Token: r.token})
	if err != nil {
		return err
	}
	r.Traffic = traffic.New(traffic.Options{Service: r.service})
	r.admin = r.Client(-1, uuid.Nil)
	for i := range r.options.Clients {
		r.accounts = append(r.accounts, newAccount(r.options, r.Client(-2-i, uuid.Nil)))
	}
	return nil
}

// token implements client.Options.Token.
func (r *run) token(ctx context.Context, user uuid.UUID) (string, error) {
	for _, a := range r.accounts {
		if user != uuid.Nil && user == a.client.User {
			return a.bearer(ctx)
		}
	}
	return r.options.ServiceToken, nil
}

// prepare adds the train, or finds one, and registers the passengers.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.ownTrain() {
		err = r.addTrain(ctx)
	} else {
		err = r.findTrain(ctx)
	}
	for _, a := range r.accounts {
		if err == nil {
			err = a.register(ctx)
		}
	}
	return err
}

func (r *run) addTrain(ctx context.Context) error {
	id := booking.NewTrainID()
	name := "Smoke " + id.String()[:8] // also in the names of stations, so that real passengers do not find it
	r.train = booking.Train{
		ID: id, Name: name, Capacity: capacity, OnSale: true,
		Stops: []booking.Stop{{Station: name + " A"}, {Station: name + " B"}, {Station: name + " C"}},
	}
	put := r.admin.Send(ctx, history.Operation{Kind: "put train", Train: id}, func(ctx context.Context, _ *history.Operation) error {
		_, _, err := r.service.PutTrain(ctx, r.train)
		return err
	})
	if put.Result != history.Done {
		return fmt.Errorf("add a train: %s", put.Detail)
	}
	return nil
}

// findTrain finds a train with an available seat.
func (r *run) findTrain(ctx context.Context) error {
	now := time.Now()
	for a, err := range r.service.Trains(ctx, booking.TrainQuery{}) {
		if err != nil {
			return fmt.Errorf("list the trains: %w", err)
		}
		if a.Train.Sells(now) && a.Available > 0 && !a.Train.Departed(a.Segment, now) {
			r.train = *a.Train
			return nil
		}
	}
	return errors.New("no train is on sale with a seat available: add one, or set --service-token-file to let smoke add one")
}

// book runs the turns of all passengers and checks the responses. After ctx is cancelled, each
// passenger finishes its turn.
func (r *run) book(ctx context.Context) error {
	keep, users := 1, make([]uuid.UUID, 0, len(r.accounts))
	if r.ownTrain() {
		keep = capacity / r.options.Clients
	}
	for _, a := range r.accounts {
		users = append(users, a.client.User)
	}
	interrupted := ctx
	ctx = context.WithoutCancel(ctx)
	r.from = r.Now()
	turns := traffic.Start(ctx, traffic.Options{
		Service: r.service, Users: users, Trains: []booking.Train{r.train}, Think: turnEvery, Recorder: r.Recorder,
	}, traffic.Tour(keep, time.Now().Add(r.options.For)))
	defer context.AfterFunc(interrupted, turns.Stop)()
	turns.Wait()
	r.to = r.Now()
	if err := r.check(ctx); err != nil {
		return err
	}
	return r.cancelOne(ctx)
}

// check checks the history against the bookings that the service lists.
func (r *run) check(ctx context.Context) error {
	h := r.History()
	h.LiveOnly, h.Shared, h.Stored = true, !r.ownTrain(), []booking.Booking{}
	for _, a := range r.accounts {
		bookings, listed := a.client.List(ctx, booking.PageRequest{})
		if listed.Result != history.Done {
			return fmt.Errorf("list the bookings: %s", listed.Detail)
		}
		h.Stored = append(h.Stored, bookings...)
	}
	for i := range h.Operations {
		if o := &h.Operations[i]; o.Failed() && !settled(h, i) {
			return fmt.Errorf("%s: %s", o.Kind, o.Detail)
		}
	}
	problems := h.Check(searchTime).Problems
	if len(problems) > maxProblems {
		problems = append(problems[:maxProblems], fmt.Sprintf("and %d more problems", len(problems)-maxProblems))
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	return nil
}

// cancelOne cancels one booking of every passenger, because a run of one turn has cancelled none.
func (r *run) cancelOne(ctx context.Context) error {
	for _, a := range r.accounts {
		if err := a.cancel(ctx, 1); err != nil {
			return err
		}
	}
	return nil
}

// settled reports whether the passenger repeated a failed operation.
func settled(h *history.History, i int) bool {
	failed := &h.Operations[i]
	for _, o := range h.Operations[i+1:] {
		if o.Client == failed.Client && o.Kind == failed.Kind {
			return true
		}
	}
	return false
}

// cleanUp deletes the train, or cancels the bookings, of the run.
func (r *run) cleanUp(ctx context.Context) error {
	if r.train.ID == (booking.TrainID{}) {
		return nil
	}
	if r.ownTrain() {
		deleted := r.admin.Send(ctx, history.Operation{Kind: history.Delete, Train: r.train.ID, Force: true},
			func(ctx context.Context, _ *history.Operation) error {
				return r.service.DeleteTrain(ctx, r.train.ID, true)
			})
		if deleted.Result != history.Done && deleted.Result != history.NotFound {
			return fmt.Errorf("delete the train %s: %s", r.train.ID, deleted.Detail)
		}
		return nil
	}
	var errs []error
	for _, a := range r.accounts {
		errs = append(errs, a.cancel(ctx, 0))
	}
	return errors.Join(errs...)
}
