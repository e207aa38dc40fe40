package actors

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// FindTrain implements booking.Service.
func (s *System) FindTrain(ctx context.Context, id booking.TrainID) (booking.Availability, error) {
	seen, err := s.see(ctx, id, see{})
	return seen.Availability, err
}

// SeatMap implements booking.Service.
func (s *System) SeatMap(ctx context.Context, id booking.TrainID, from, to string) ([]booking.Seat, error) {
	seen, err := s.see(ctx, id, see{From: from, To: to, Seats: true})
	return seen.Seats, err
}

// Search implements booking.Service.
func (s *System) Search(ctx context.Context, from, to string) ([]booking.Availability, error) {
	trains := s.catalogue.between(from, to)
	offers, err := gather[booking.Availability](ctx, s, operationOffers, idsOf(trains), segmentQuery{From: from, To: to})
	if err != nil {
		return nil, err
	}
	found := make([]booking.Availability, 0, len(offers))
	for _, train := range trains {
		if o, sold := offers[train.ID]; sold {
			found = append(found, o)
		}
	}
	return found, nil
}

// ListTrains implements booking.Service. The figures of an idle train come from the
// store: it has no live holds, or it would not be idle.
func (s *System) ListTrains(
	ctx context.Context, query booking.TrainQuery,
) (page booking.Page[booking.Availability], err error) {
	trains := s.catalogue.list(query)
	active, err := gather[booking.Availability](ctx, s, operationFigure, idsOf(trains.Items), segmentQuery{From: query.From, To: query.To})
	if err != nil {
		return page, err
	}
	page.Next = trains.Next
	page.Items = make([]booking.Availability, len(trains.Items))
	var idle []int
	for i, train := range trains.Items {
		a, there := active[train.ID]
		if !there {
			idle = append(idle, i)
			a = booking.Availability{Train: train, Segment: segmentOf(train, query.From, query.To)}
		}
		page.Items[i] = a
	}
	return page, persistence.ClientError(s.fillFromStore(ctx, page.Items, idle))
}

// segmentQuery asks a process about some of its trains.
type segmentQuery struct {
	Trains   []booking.TrainID
	From, To string
}

// sightings is what a process knows of the trains asked for: of each at most once. Those
// elsewhere are not its own.
type sightings[T any] struct {
	Found     map[booking.TrainID]T
	Elsewhere []booking.TrainID
	Error     *booking.Error
}

// gather asks every process that owns some of the trains once, all at the same time, and
// asks again about those that have moved meanwhile (DESIGN.md 5).
func gather[T any](
	ctx context.Context, s *System, operation string, ids []booking.TrainID, query segmentQuery,
) (map[booking.TrainID]T, error) {
	found := make(map[booking.TrainID]T, len(ids))
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	timeout := minAttempt
	for backoff := minBackoff; len(ids) > 0; backoff = min(2*backoff, maxBackoff) {
		byOwner := map[string][]booking.TrainID{}
		for _, id := range ids {
			owner := s.cluster.owner(id)
			byOwner[owner] = append(byOwner[owner], id)
		}
		answers := make(chan sightings[T], len(byOwner))
		attempt, done := context.WithTimeout(ctx, timeout)
		for owner, some := range byOwner {
			part := query
			part.Trains = some
			if s.cluster.here(owner) && len(byOwner) == 1 {
				answers <- look[T](ctx, ctx, s, operation, owner, part)
				continue
			}
			s.background.Go(func() { answers <- look[T](ctx, attempt, s, operation, owner, part) })
		}
		ids = ids[:0:0]
		var failure *booking.Error
		for range len(byOwner) {
			answer := <-answers
			if answer.Error != nil {
				failure = answer.Error
			}
			maps.Copy(found, answer.Found)
			ids = append(ids, answer.Elsewhere...)
		}
		timedOut := attempt.Err() != nil
		done()
		if failure != nil {
			return nil, failure
		}
		if timedOut { // slow rather than gone, perhaps: the next one has more time
			timeout *= 2
		}
		if len(ids) == 0 {
			break
		}
		if err := pause(ctx, backoff); err != nil {
			return nil, booking.Timeout(err)
		}
	}
	return found, nil
}

// look asks one process, a peer within an attempt.
func look[T any](ctx, attempt context.Context, s *System, operation, owner string, query segmentQuery) (answer sightings[T]) {
	if s.cluster.here(owner) {
		return lookHere[T](ctx, s, operation, query)
	}
	to := s.cluster.members.at(owner)
	if to == nil {
		return sightings[T]{Elsewhere: query.Trains}
	}
	if err := s.cluster.peers.call(attempt, to, operation, query, &answer); err != nil {
		return sightings[T]{Elsewhere: query.Trains}
	}
	return answer
}

func lookHere[T any](ctx context.Context, s *System, operation string, query segmentQuery) sightings[T] {
	if operation == operationOffers {
		return any(s.answerOffers(ctx, query)).(sightings[T])
	}
	return any(s.answerFigures(ctx, query)).(sightings[T])
}

// answerOffers returns what passengers can buy on the trains of this process, which it
// activates when they are idle.
func (s *System) answerOffers(ctx context.Context, query segmentQuery) sightings[booking.Availability] {
	return s.eachHere(ctx, query, true, func(snapshot *booking.Snapshot) (booking.Availability, bool) {
		return offer(snapshot, query.From, query.To, time.Now())
	})
}

// answerFigures returns the figures of those trains of this process that are active.
func (s *System) answerFigures(ctx context.Context, query segmentQuery) sightings[booking.Availability] {
	return s.eachHere(ctx, query, false, func(snapshot *booking.Snapshot) (booking.Availability, bool) {
		return snapshot.Availability(segmentOf(snapshot.Train, query.From, query.To)), true
	})
}

// eachHere looks at trains of this process. Idle ones are woken, or left out.
func (s *System) eachHere(
	ctx context.Context, query segmentQuery, wake bool, of func(*booking.Snapshot) (booking.Availability, bool),
) sightings[booking.Availability] {
	seen := make([]*booking.Snapshot, len(query.Trains))
	elsewhere := make([]bool, len(query.Trains))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxActivating)
	for i, id := range query.Trains {
		snapshot, active := s.placement.snapshot(id)
		if snapshot != nil {
			seen[i] = snapshot
			continue
		}
		if !active && !wake && s.cluster.mine(id) {
			continue
		}
		group.Go(func() (err error) {
			seen[i], elsewhere[i], err = s.viewHere(ctx, id)
			return err
		})
	}
	err := group.Wait()
	if err != nil {
		return sightings[booking.Availability]{Error: asError(err)}
	}
	answer := sightings[booking.Availability]{Found: map[booking.TrainID]booking.Availability{}}
	for i, id := range query.Trains {
		switch {
		case elsewhere[i]:
			answer.Elsewhere = append(answer.Elsewhere, id)
		case seen[i] != nil:
			if a, ok := of(seen[i]); ok {
				answer.Found[id] = a
			}
		}
	}
	return answer
}

// offer is what a passenger can buy on the train as it is now; false when that is nothing.
func offer(s *booking.Snapshot, from, to string, now time.Time) (a booking.Availability, sold bool) {
	segment, err := s.Train.Segment(from, to)
	if err != nil || !s.Sellable(segment, now) {
		return a, false
	}
	a = s.Availability(segment)
	a.SeatList = s.SeatList(segment)
	return a, true
}

func idsOf(trains []*booking.Train) []booking.TrainID {
	ids := make([]booking.TrainID, len(trains))
	for i, train := range trains {
		ids[i] = train.ID
	}
	return slices.Clip(ids)
}

// segmentOf is the segment asked for, or the whole run where nothing was, or where the
// stops have changed since the train was listed.
func segmentOf(train *booking.Train, from, to string) booking.Legs {
	if segment, err := train.Segment(from, to); err == nil {
		return segment
	}
	return train.Run()
}

func (s *System) fillFromStore(ctx context.Context, items []booking.Availability, idle []int) error {
	if len(idle) == 0 {
		return nil
	}
	ids, segments := make([]booking.TrainID, len(idle)), make([]booking.Legs, len(idle))
	for i, at := range idle {
		ids[i], segments[i] = items[at].Train.ID, items[at].Segment
	}
	booked, err := s.store.BookedSeats(ctx, ids, segments)
	if err != nil {
		return err
	}
	for i, at := range idle {
		items[at].Tally = booking.Tally{Booked: booked[i], Available: items[at].Train.Capacity - booked[i]}
	}
	return nil
}
