package actors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// maxActivating is how many idle trains one search, or the start, activates at a time.
const maxActivating = 16

// see answers how the train is, over a segment of it.
type see struct {
	From, To string
	Seats    bool // one by one, too
}

// sight is what see answers.
type sight struct {
	booking.Availability
	Seats []booking.Seat `json:",omitempty"`
}

func (c see) run(t *trainActor, a *ask) {
	seen, err := c.of(t.publish())
	t.answer(a, seen, err)
}

func (c see) of(snapshot *booking.Snapshot) (seen sight, err error) {
	segment, err := snapshot.Train.Segment(c.From, c.To)
	if err != nil {
		return seen, err
	}
	seen.Availability = snapshot.Availability(segment)
	if c.Seats {
		seen.Seats = snapshot.Seats(segment)
	}
	return seen, nil
}

// see looks at a train wherever it is, and activates it when it is idle.
func (s *System) see(ctx context.Context, id booking.TrainID, c see) (sight, error) {
	if s.catalogue.find(id) == nil {
		return sight{}, booking.NotFound("train")
	}
	if snapshot, _ := s.placement.snapshot(id); snapshot != nil {
		return c.of(snapshot)
	}
	seen, err := askTrain[sight](ctx, s, id, c)
	if booking.CodeOf(err) != booking.CodeStorageFull {
		return seen, err
	}
	snapshot, err := s.lookIdle(ctx, id)
	if err != nil {
		return sight{}, err
	}
	return c.of(snapshot)
}

// lookIdle reads an idle train without activating it, which would write: on a full disk all
// is still shown, though nothing is sold (RELIABILITY.md 3).
func (s *System) lookIdle(ctx context.Context, id booking.TrainID) (*booking.Snapshot, error) {
	seats, _, err := s.read(ctx, id, nil)
	if err != nil {
		return nil, persistence.Failure(err)
	}
	return seats.Snapshot(), nil
}

// view answers the present snapshot, to this process.
type view struct{}

func (view) run(t *trainActor, a *ask) { t.answer(a, t.publish(), nil) }

// viewHere returns the present snapshot of a train of this process, which it activates when
// it is idle; nil when there is no such train. One that has moved, or is about to, is
// elsewhere.
func (s *System) viewHere(ctx context.Context, id booking.TrainID) (snapshot *booking.Snapshot, elsewhere bool, err error) {
	a := &ask{ctx: ctx, command: view{}, arrived: time.Now(), reply: make(chan reply, 1)}
	r := s.attemptHere(id, a)
	switch code := booking.CodeOf(r.err); {
	case r.retry:
		return nil, true, nil
	case code == booking.CodeNotFound: // deleted meanwhile
		return nil, false, nil
	case code == booking.CodeStorageFull:
		snapshot, err = s.lookIdle(ctx, id)
		return snapshot, false, err
	case r.err != nil:
		return nil, false, r.err
	}
	return r.value.(*booking.Snapshot), false, nil
}

// activateAll activates trains, wherever they belong. One that fails does not keep the
// others from being sold, and loads when it is asked for.
func (s *System) activateAll(ctx context.Context, ids []booking.TrainID) {
	var group errgroup.Group
	group.SetLimit(maxActivating)
	for _, id := range ids {
		group.Go(func() error {
			_, err := s.see(ctx, id, see{})
			if err != nil && booking.CodeOf(err) != booking.CodeNotFound {
				s.log.Warn("train with holds not activated", slog.String("train", id.String()), slog.Any("error", err))
			}
			return nil
		})
	}
	_ = group.Wait() // none returns an error
}

func asError(err error) *booking.Error {
	if e, ok := errors.AsType[*booking.Error](err); ok {
		return e
	}
	return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
}
