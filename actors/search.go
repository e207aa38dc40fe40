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
	result, err := s.query(ctx, id, query{})
	return result.Availability, err
}

// SeatMap implements booking.Service.
func (s *System) SeatMap(ctx context.Context, id booking.TrainID, from, to string) ([]booking.Seat, error) {
	result, err := s.query(ctx, id, query{From: from, To: to, Seats: true})
	return result.Seats, err
}

// Search implements booking.Service.
func (s *System) Search(ctx context.Context, from, to string) ([]booking.Availability, error) {
	trains := s.catalogue.between(from, to)
	offers, err := gather[booking.Availability](ctx, s, operationOffers, trainIDs(trains), segmentQuery{From: from, To: to})
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

// ListTrains implements booking.Service. It reads the tally of an idle train in the store,
// because an idle train has no live holds.
func (s *System) ListTrains(
	ctx context.Context, query booking.TrainQuery,
) (page booking.Page[booking.Availability], err error) {
	trains := s.catalogue.list(query)
	active, err := gather[booking.Availability](ctx, s, operationTallies, trainIDs(trains.Items), segmentQuery{From: query.From, To: query.To})
	if err != nil {
		return page, err
	}
	page.Next = trains.Next
	page.Items = make([]booking.Availability, len(trains.Items))
	var idle []int
	for i, train := range trains.Items {
		a, found := active[train.ID]
		if !found {
			idle = append(idle, i)
			a = booking.Availability{Train: train, Segment: segmentOf(train, query.From, query.To)}
		}
		page.Items[i] = a
	}
	return page, persistence.ClientError(s.fillFromStore(ctx, page.Items, idle))
}

// segmentQuery queries some trains of one process.
type segmentQuery struct {
	Trains   []booking.TrainID
	From, To string
}

// queryResults are the results of one process, at most one for each train. Trains that are
// not its own are in Elsewhere.
type queryResults[T any] struct {
	Found     map[booking.TrainID]T
	Elsewhere []booking.TrainID
	Error     *booking.Error
}

// gather queries every process that owns some of the trains once, all at the same time, and
// repeats the query for the trains that have moved (DESIGN.md 5).
func gather[T any](
	ctx context.Context, s *System, operation string, ids []booking.TrainID, query segmentQuery,
) (map[booking.TrainID]T, error) {
	found := make(map[booking.TrainID]T, len(ids))
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	timeout := minAttempt
	for backoff := minBackoff; len(ids) > 0; backoff = min(2*backoff, maxBackoff) {
		byOwner := map[string][]booking.TrainID{}
		for _, id := range ids {
			owner := s.cluster.proposedOwner(id)
			byOwner[owner] = append(byOwner[owner], id)
		}
		results := make(chan queryResults[T], len(byOwner))
		attempt, done := context.WithTimeout(ctx, timeout)
		for owner, some := range byOwner {
			part := query
			part.Trains = some
			if s.cluster.isSelf(owner) && len(byOwner) == 1 {
				results <- queryProcess[T](ctx, ctx, s, operation, owner, part)
				continue
			}
			s.background.Go(func() { results <- queryProcess[T](ctx, attempt, s, operation, owner, part) })
		}
		ids = ids[:0:0]
		var failure *booking.Error
		for range len(byOwner) {
			result := <-results
			if result.Error != nil {
				failure = result.Error
			}
			maps.Copy(found, result.Found)
			ids = append(ids, result.Elsewhere...)
		}
		timedOut := attempt.Err() != nil
		done()
		if failure != nil {
			return nil, failure
		}
		if timedOut { // the process may be slow rather than dead
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

// queryProcess queries one process once. The query of a peer ends with attempt.
func queryProcess[T any](ctx, attempt context.Context, s *System, operation, owner string, query segmentQuery) (results queryResults[T]) {
	if s.cluster.isSelf(owner) {
		return queryLocal[T](ctx, s, operation, query)
	}
	to := s.cluster.members.at(owner)
	if to == nil {
		return queryResults[T]{Elsewhere: query.Trains}
	}
	if err := s.cluster.peers.call(attempt, to, operation, query, &results); err != nil {
		return queryResults[T]{Elsewhere: query.Trains}
	}
	return results
}

func queryLocal[T any](ctx context.Context, s *System, operation string, query segmentQuery) queryResults[T] {
	if operation == operationOffers {
		return any(s.handleOffers(ctx, query)).(queryResults[T])
	}
	return any(s.handleTallies(ctx, query)).(queryResults[T])
}

// handleOffers returns the offers of the trains of this process. It activates idle trains.
func (s *System) handleOffers(ctx context.Context, query segmentQuery) queryResults[booking.Availability] {
	return s.eachLocal(ctx, query, true, func(snapshot *booking.Snapshot) (booking.Availability, bool) {
		return offer(snapshot, query.From, query.To, time.Now())
	})
}

// handleTallies returns the tallies of the active trains of this process.
func (s *System) handleTallies(ctx context.Context, query segmentQuery) queryResults[booking.Availability] {
	return s.eachLocal(ctx, query, false, func(snapshot *booking.Snapshot) (booking.Availability, bool) {
		return snapshot.Availability(segmentOf(snapshot.Train, query.From, query.To)), true
	})
}

// eachLocal queries trains of this process. Idle trains are activated or left out.
func (s *System) eachLocal(
	ctx context.Context, query segmentQuery, activate bool, of func(*booking.Snapshot) (booking.Availability, bool),
) queryResults[booking.Availability] {
	snapshots := make([]*booking.Snapshot, len(query.Trains))
	elsewhere := make([]bool, len(query.Trains))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxActivating)
	for i, id := range query.Trains {
		snapshot, active := s.activations.snapshot(id)
		if snapshot != nil {
			snapshots[i] = snapshot
			continue
		}
		if !active && !activate && s.cluster.proposedHere(id) {
			continue
		}
		group.Go(func() (err error) {
			snapshots[i], elsewhere[i], err = s.localSnapshot(ctx, id)
			return err
		})
	}
	err := group.Wait()
	if err != nil {
		return queryResults[booking.Availability]{Error: asError(err)}
	}
	results := queryResults[booking.Availability]{Found: map[booking.TrainID]booking.Availability{}}
	for i, id := range query.Trains {
		switch {
		case elsewhere[i]:
			results.Elsewhere = append(results.Elsewhere, id)
		case snapshots[i] != nil:
			if a, ok := of(snapshots[i]); ok {
				results.Found[id] = a
			}
		}
	}
	return results
}

// offer returns the seats that a passenger can book on the train now; false if the train is not
// sold between the stations.
func offer(s *booking.Snapshot, from, to string, now time.Time) (a booking.Availability, sold bool) {
	segment, err := s.Train.Segment(from, to)
	if err != nil || !s.Sellable(segment, now) {
		return a, false
	}
	a = s.Availability(segment)
	a.SeatList = s.SeatList(segment)
	return a, true
}

func trainIDs(trains []*booking.Train) []booking.TrainID {
	ids := make([]booking.TrainID, len(trains))
	for i, train := range trains {
		ids[i] = train.ID
	}
	return slices.Clip(ids)
}

// segmentOf returns the segment between two stations, or the whole run if none are given or
// the stops have changed since the train was listed.
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
