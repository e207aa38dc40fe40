package actors

import (
	"context"
	"maps"
	"slices"
	"sync"
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
	offers, err := s.gather(ctx, segmentQuery{Trains: trainIDs(trains), From: from, To: to, Offers: true})
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
	active, err := s.gather(ctx, segmentQuery{Trains: trainIDs(trains.Items), From: query.From, To: query.To})
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

// segmentQuery queries some trains of one process: what can be booked on them (Offers), for which
// idle trains are activated, or the tallies of those that are active.
type segmentQuery struct {
	Trains   []booking.TrainID
	From, To string
	Offers   bool
}

// queryResults are the results of one process, at most one for each train. Trains that are
// not its own are in Elsewhere.
type queryResults struct {
	Found     map[booking.TrainID]booking.Availability
	Elsewhere []booking.TrainID
	Error     *booking.Error
}

// gather queries every process that owns some of the trains once, all at the same time, and
// repeats the query for the trains that have moved (DESIGN.md 5).
func (s *System) gather(ctx context.Context, query segmentQuery) (map[booking.TrainID]booking.Availability, error) {
	found := make(map[booking.TrainID]booking.Availability, len(query.Trains))
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	timeout := minAttempt
	for backoff := minBackoff; len(query.Trains) > 0; backoff = min(2*backoff, maxBackoff) {
		attempt, done := context.WithTimeout(ctx, timeout)
		results := s.queryAll(ctx, attempt, query)
		timedOut := attempt.Err() != nil
		done()
		query.Trains = nil
		for _, result := range results {
			if result.Error != nil {
				return nil, result.Error
			}
			maps.Copy(found, result.Found)
			query.Trains = append(query.Trains, result.Elsewhere...)
		}
		if timedOut { // a process may be slow rather than dead
			timeout *= 2
		}
		if len(query.Trains) == 0 {
			break
		}
		if err := pause(ctx, backoff); err != nil {
			return nil, booking.Timeout(err)
		}
	}
	return found, nil
}

// queryAll queries each process once. The queries of peers end with attempt.
func (s *System) queryAll(ctx, attempt context.Context, query segmentQuery) []queryResults {
	byOwner := map[string][]booking.TrainID{}
	for _, id := range query.Trains {
		owner := s.proposedOwner(id)
		byOwner[owner] = append(byOwner[owner], id)
	}
	own := byOwner[s.cluster.Address()]
	delete(byOwner, s.cluster.Address())
	results := make([]queryResults, 1+len(byOwner))
	var peers sync.WaitGroup
	next := 1
	for owner, some := range byOwner {
		part, result := query, &results[next]
		part.Trains = some
		next++
		peers.Go(func() { *result = s.queryPeer(attempt, owner, part) })
	}
	query.Trains = own
	results[0] = s.queryLocal(ctx, query)
	peers.Wait()
	return results
}

// queryPeer queries the process with an address once. If it does not respond, all trains are
// elsewhere.
func (s *System) queryPeer(ctx context.Context, address string, query segmentQuery) queryResults {
	peer := s.cluster.Peer(address)
	if peer == nil {
		return queryResults{Elsewhere: query.Trains}
	}
	results, err := queryRemotely(ctx, peer, query)
	if err != nil {
		return queryResults{Elsewhere: query.Trains}
	}
	return results
}

// queryLocal queries the trains of this process.
func (s *System) queryLocal(ctx context.Context, query segmentQuery) queryResults {
	return s.eachLocal(ctx, query, func(snapshot *booking.Snapshot) (booking.Availability, bool) {
		if query.Offers {
			return offer(snapshot, query.From, query.To, time.Now())
		}
		return snapshot.Availability(segmentOf(snapshot.Train, query.From, query.To)), true
	})
}

// eachLocal queries trains of this process. Idle trains are activated or left out.
func (s *System) eachLocal(
	ctx context.Context, query segmentQuery, of func(*booking.Snapshot) (booking.Availability, bool),
) queryResults {
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
		if !active && !query.Offers && s.proposedHere(id) {
			continue
		}
		group.Go(func() (err error) {
			snapshots[i], elsewhere[i], err = s.localSnapshot(ctx, id)
			return err
		})
	}
	err := group.Wait()
	if err != nil {
		return queryResults{Error: asError(err)}
	}
	results := queryResults{Found: map[booking.TrainID]booking.Availability{}}
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
