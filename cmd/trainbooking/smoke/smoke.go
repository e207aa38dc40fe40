package smoke

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

const (
	// turnEvery keeps a passenger from being a load test: five to ten seats a second.
	turnEvery = 200 * time.Millisecond
	// capacity of the run's own train is the largest there is, so that it does not sell out.
	capacity = booking.MaxCapacity
	// cleanupTime bounds the clean-up after an interrupted run.
	cleanupTime = 20 * time.Second
	// searchTime bounds the check of one leg of one seat.
	searchTime = time.Minute
	// maxProblems bounds what is printed of them.
	maxProblems = 10
)

// Options says what to do.
type Options struct {
	URL string // of the service
	// ServiceToken lets the run add a train of its own. Without it passengers share a
	// train that is on sale, and each keeps at most one seat of it.
	ServiceToken string
	Clients      int           // passengers at once, at least 1
	For          time.Duration // repeat until then; 0: one turn each
}

// Run lets the passengers book until the time is over, and checks what they got. The error
// says what is wrong: a promise that was broken, a step that could not be done, or ctx.
// Requests that failed and succeeded when sent again are in the Report alone.
func Run(ctx context.Context, o Options) (Report, error) {
	r := &run{options: o}
	if err := r.connect(); err != nil {
		return Report{}, err
	}
	err := r.prepare(ctx)
	if err == nil {
		err = r.travel(ctx)
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	err = errors.Join(err, r.cleanUp(late))
	return newReport(r.History().Operations, r.from, r.to), err
}

// run is one Run.
type run struct {
	*traffic.Traffic // of the passengers

	options  Options
	service  *client.Client
	accounts []*account
	admin    *traffic.Client
	train    booking.Train
	from, to time.Duration // of the turns
}

// ownTrain reports whether the train is the run's own.
func (r *run) ownTrain() bool { return r.options.ServiceToken != "" }

// connect makes the passengers, and a client for what no passenger does.
func (r *run) connect() (err error) {
	r.service, err = client.New(client.Options{URL: r.options.URL, UserAgent: "trainbooking-smoke", Token: r.token})
	if err != nil {
		return err
	}
	r.Traffic = traffic.New(traffic.Options{Service: r.service})
	r.admin = r.Client(-1, uuid.Nil)
	for i := range r.options.Clients {
		r.accounts = append(r.accounts, newAccount(r.options.URL, r.Client(-2-i, uuid.Nil)))
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
	name := "Smoke " + id.String()[:8] // and stations that no passenger searches for
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

// findTrain finds a train that has seats left for anyone.
func (r *run) findTrain(ctx context.Context) error {
	now := time.Now()
	for a, err := range r.service.Trains(ctx, booking.TrainQuery{}) {
		if err != nil {
			return fmt.Errorf("list the trains: %w", err)
		}
		if a.Train.OnSale && a.Available > 0 && !a.Train.Departed(a.Segment, now) {
			r.train = *a.Train
			return nil
		}
	}
	return errors.New("no train is on sale that has seats left: add one, or give --service-token-file to let one be added")
}

// travel lets every passenger take turns until the time is over, and checks what they got.
func (r *run) travel(ctx context.Context) error {
	keep, users := 1, make([]uuid.UUID, 0, len(r.accounts))
	if r.ownTrain() {
		keep = capacity / r.options.Clients
	}
	for _, a := range r.accounts {
		users = append(users, a.client.User)
	}
	r.from = r.Now()
	traffic.Start(ctx, traffic.Options{
		Service: r.service, Users: users, Trains: []booking.Train{r.train}, Think: turnEvery, Recorder: r.Recorder,
	}, traffic.Tour(keep, time.Now().Add(r.options.For))).Wait()
	r.to = r.Now()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := r.check(ctx); err != nil {
		return err
	}
	return r.cancelOne(ctx)
}

// check holds what the passengers got against their bookings.
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

// cancelOne lets every passenger cancel a booking, also where there was one turn alone.
func (r *run) cancelOne(ctx context.Context) error {
	for _, a := range r.accounts {
		if err := a.cancel(ctx, 1); err != nil {
			return err
		}
	}
	return nil
}

// settled reports whether a failed operation succeeded when the passenger sent it again.
func settled(h *history.History, i int) bool {
	failed := &h.Operations[i]
	for _, o := range h.Operations[i+1:] {
		if o.Client == failed.Client && o.Kind == failed.Kind {
			return true
		}
	}
	return false
}

// cleanUp removes what the run has made, as far as it can.
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
