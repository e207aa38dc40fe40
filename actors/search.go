package actors

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// maxActivating is how many idle trains one search, or the start, activates at a time.
const maxActivating = 16

// FindTrain implements booking.Service.
func (s *System) FindTrain(ctx context.Context, id booking.TrainID) (booking.Availability, error) {
	snapshot, err := s.view(ctx, id)
	if err != nil {
		return booking.Availability{}, err
	}
	return snapshot.Availability(snapshot.Train.Run()), nil
}

// SeatMap implements booking.Service.
func (s *System) SeatMap(ctx context.Context, id booking.TrainID, from, to string) ([]booking.Seat, error) {
	snapshot, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	stretch, err := snapshot.Train.Stretch(from, to)
	if err != nil {
		return nil, err
	}
	return snapshot.Seats(stretch), nil
}

// Search implements booking.Service.
func (s *System) Search(ctx context.Context, from, to string) ([]booking.Availability, error) {
	trains := s.catalogue.between(from, to)
	offers := make([]*booking.Availability, len(trains))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxActivating)
	now := time.Now()
	for i, train := range trains {
		if snapshot, _ := s.placement.snapshot(train.ID); snapshot != nil {
			offers[i] = offer(snapshot, from, to, now)
			continue
		}
		group.Go(func() error {
			snapshot, err := s.view(ctx, train.ID)
			switch {
			case err == nil:
				offers[i] = offer(snapshot, from, to, now)
			case booking.CodeOf(err) == booking.CodeNotFound: // deleted meanwhile
				err = nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found := make([]booking.Availability, 0, len(offers))
	for _, o := range offers {
		if o != nil {
			found = append(found, *o)
		}
	}
	return found, nil
}

// offer is what a passenger can buy on the train as it is now; nil when that is nothing.
func offer(s *booking.Snapshot, from, to string, now time.Time) *booking.Availability {
	stretch, err := s.Train.Stretch(from, to)
	if err != nil || !s.Sellable(stretch, now) {
		return nil
	}
	a := s.Availability(stretch)
	a.SeatList = s.SeatList(stretch)
	return &a
}

// ListTrains implements booking.Service. The figures of an idle train come from the
// store: it has no live holds, or it would not be idle.
func (s *System) ListTrains(
	ctx context.Context, query booking.TrainQuery,
) (page booking.Page[booking.Availability], err error) {
	trains := s.catalogue.list(query)
	page.Next = trains.Next
	page.Items = make([]booking.Availability, len(trains.Items))
	var idle []int
	for i, train := range trains.Items {
		snapshot, active := s.placement.snapshot(train.ID)
		if active && snapshot == nil { // loading, perhaps because it has holds
			snapshot, _ = s.view(ctx, train.ID)
		}
		if snapshot == nil {
			idle = append(idle, i)
			page.Items[i] = booking.Availability{Train: train, Stretch: stretchOf(train, query)}
			continue
		}
		page.Items[i] = snapshot.Availability(stretchOf(snapshot.Train, query))
	}
	return page, persistence.Failure(s.fillFromStore(ctx, page.Items, idle))
}

// stretchOf is the stretch asked for, or the whole run where nothing was, or where the
// stops have changed since the train was listed.
func stretchOf(train *booking.Train, query booking.TrainQuery) booking.Legs {
	if stretch, err := train.Stretch(query.From, query.To); err == nil {
		return stretch
	}
	return train.Run()
}

func (s *System) fillFromStore(ctx context.Context, items []booking.Availability, idle []int) error {
	if len(idle) == 0 {
		return nil
	}
	ids, stretches := make([]booking.TrainID, len(idle)), make([]booking.Legs, len(idle))
	for i, at := range idle {
		ids[i], stretches[i] = items[at].Train.ID, items[at].Stretch
	}
	booked, err := s.store.BookedSeats(ctx, ids, stretches)
	if err != nil {
		return err
	}
	for i, at := range idle {
		items[at].Tally = booking.Tally{Booked: booked[i], Available: items[at].Train.Capacity - booked[i]}
	}
	return nil
}

// view returns the present snapshot of a train, which it activates when it is idle.
func (s *System) view(ctx context.Context, id booking.TrainID) (*booking.Snapshot, error) {
	if s.catalogue.find(id) == nil {
		return nil, booking.NotFound("train")
	}
	if snapshot, _ := s.placement.snapshot(id); snapshot != nil {
		return snapshot, nil
	}
	snapshot, err := askTrain[*booking.Snapshot](ctx, s, id, view{})
	if booking.CodeOf(err) == booking.CodeStorageFull {
		return s.look(ctx, id)
	}
	return snapshot, err
}

// look reads an idle train without activating it, which would write: on a full disk all
// is still shown, though nothing is sold (RELIABILITY.md 3).
func (s *System) look(ctx context.Context, id booking.TrainID) (*booking.Snapshot, error) {
	l, err := s.read(ctx, id)
	if err != nil {
		return nil, persistence.Failure(err)
	}
	return l.seats.Snapshot(), nil
}

// view answers the present snapshot.
type view struct{}

func (view) run(t *train, a *ask) { t.answer(a, t.publish(), nil) }
