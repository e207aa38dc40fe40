package actors

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"trainbooking.dev/booking"
)

// maxPeerQuery bounds the wait for a peer, so that enough of requestTimeout remains for reading its
// trains from the stores.
const maxPeerQuery = 2 * time.Second

var (
	errTooManyReads = errors.New("too many trains are read at the same time")
	errUnread       = errors.New("no train could be read")
)

// FindTrain implements booking.Service.
func (s *System) FindTrain(ctx context.Context, id booking.TrainID) (booking.Availability, error) {
	result, err := s.queryTrain(ctx, id, trainQuery{})
	return result.Availability, err
}

// SeatMap implements booking.Service.
func (s *System) SeatMap(ctx context.Context, id booking.TrainID, from, to string) ([]booking.Seat, error) {
	result, err := s.queryTrain(ctx, id, trainQuery{From: from, To: to, Seats: true})
	return result.Seats, err
}

// Search implements booking.Service.
func (s *System) Search(ctx context.Context, from, to string) ([]booking.Availability, error) {
	results, _, err := s.queryTrains(ctx, s.catalogue.onSale(from, to, time.Now()), trainQuery{From: from, To: to, Offers: true})
	return results, err
}

// ListTrains implements booking.Service.
func (s *System) ListTrains(
	ctx context.Context, query booking.TrainQuery,
) (page booking.Page[booking.Availability], err error) {
	trains := s.catalogue.list(query)
	page.Next = trains.Next
	page.Items, page.Incomplete, err = s.queryTrains(ctx, trains.Items, trainQuery{From: query.From, To: query.To})
	return page, err
}

// trainQuery is what to return about each train: its tally on a segment, and, with Offers, a seat
// list if a passenger can book it now, or, with Seats, the state of each seat.
type trainQuery struct {
	From, To      string
	Offers, Seats bool
}

// queryResult is the result of a query about one train.
type queryResult struct {
	booking.Availability
	Seats []booking.Seat
}

// queryResults are the results of one process, at most one for each train. What it could not read
// is in Unread.
type queryResults struct {
	Found  map[booking.TrainID]queryResult
	Unread []booking.TrainID
}

// of returns the result for a train; false if it is not sold between the stations.
func (q trainQuery) of(snapshot *booking.Snapshot, now time.Time) (result queryResult, ok bool) {
	segment, err := snapshot.Train.Segment(q.From, q.To)
	if err != nil {
		if q.Offers {
			return result, false
		}
		segment = snapshot.Train.Run() // the stops have changed since the train was found
	}
	if q.Offers && !snapshot.Sellable(segment, now) {
		return result, false
	}
	result.Availability = snapshot.Availability(segment)
	if q.Offers {
		result.SeatList = snapshot.SeatList(segment)
	}
	if q.Seats {
		result.Seats = snapshot.Seats(segment)
	}
	return result, true
}

// queryTrain queries one train.
func (s *System) queryTrain(ctx context.Context, id booking.TrainID, query trainQuery) (queryResult, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	train, err := s.findTrain(ctx, id)
	if err != nil {
		return queryResult{}, err
	}
	if _, err := train.Segment(query.From, query.To); err != nil {
		return queryResult{}, err
	}
	results, err := s.gather(ctx, []*booking.Train{train}, query)
	result, found := results.Found[id]
	switch {
	case found:
		return result, nil
	case err != nil:
		return queryResult{}, err
	}
	return queryResult{}, booking.NotFound("train") // it was deleted meanwhile
}

// queryTrains queries trains. Those that could not be read are left out, which incomplete reports,
// unless that is true of all.
func (s *System) queryTrains(
	ctx context.Context, trains []*booking.Train, query trainQuery,
) (found []booking.Availability, incomplete bool, err error) {
	results, err := s.gather(ctx, trains, query)
	found = make([]booking.Availability, 0, len(results.Found))
	for _, train := range trains {
		if result, ok := results.Found[train.ID]; ok {
			found = append(found, result.Availability)
		}
	}
	if len(found) > 0 {
		err = nil
	}
	return found, len(results.Unread) > 0, err
}

// gather queries every process that owns some of the trains, all at the same time. What a process
// does not answer is read from the stores. The error is the reason why trains are unread.
func (s *System) gather(ctx context.Context, trains []*booking.Train, query trainQuery) (queryResults, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	byOwner := map[string][]*booking.Train{}
	for _, train := range trains {
		owner := s.proposedOwner(train.ID)
		if s.cluster.Peer(owner) == nil { // this process, or none
			owner = s.cluster.Address()
		}
		byOwner[owner] = append(byOwner[owner], train)
	}
	var (
		mu      sync.Mutex
		all     = queryResults{Found: make(map[booking.TrainID]queryResult, len(trains))}
		failed  error
		queries sync.WaitGroup
	)
	for owner, some := range byOwner {
		queries.Go(func() {
			results, err := s.queryOwner(ctx, owner, some, query)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all.Found, results.Found)
			all.Unread = append(all.Unread, results.Unread...)
			failed = errors.Join(failed, err)
		})
	}
	queries.Wait()
	if e, ok := errors.AsType[*booking.Error](failed); ok {
		return all, e
	}
	if len(all.Unread) > 0 {
		return all, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, errors.Join(errUnread, failed))
	}
	return all, nil
}

// queryOwner queries one process. What it does not answer, this process reads.
func (s *System) queryOwner(
	ctx context.Context, owner string, trains []*booking.Train, query trainQuery,
) (queryResults, error) {
	peer := s.cluster.Peer(owner)
	if peer == nil {
		return s.queryLocal(ctx, trains, query)
	}
	attempt, cancel := context.WithTimeout(ctx, maxPeerQuery)
	defer cancel()
	results, err := queryRemotely(attempt, peer, trains, query)
	if err == nil && len(results.Unread) == 0 {
		return results, nil
	}
	if err == nil {
		trains = slices.DeleteFunc(trains, func(train *booking.Train) bool { return !slices.Contains(results.Unread, train.ID) })
	}
	s.metrics.retries.Inc()
	s.log.Debug("a peer did not answer a query; its trains are read from the stores",
		slog.String("peer", owner), slog.Int("trains", len(trains)), slog.Any("error", err))
	rest, err := s.queryLocal(ctx, trains, query)
	maps.Copy(rest.Found, results.Found)
	return rest, err
}

// queryLocal queries trains in this process: those that are active here, and the others from the
// stores. It activates none.
func (s *System) queryLocal(ctx context.Context, trains []*booking.Train, query trainQuery) (queryResults, error) {
	results := queryResults{Found: make(map[booking.TrainID]queryResult, len(trains))}
	add := func(snapshot *booking.Snapshot) {
		if result, ok := query.of(snapshot, time.Now()); ok {
			results.Found[snapshot.Train.ID] = result
		}
	}
	var others []*booking.Train
	for _, train := range trains {
		if snapshot := s.activations.snapshot(train.ID); snapshot != nil {
			add(snapshot)
		} else {
			others = append(others, train)
		}
	}
	if len(others) == 0 {
		return results, nil
	}
	snapshots, err := s.passive.snapshots(ctx, others)
	for i, snapshot := range snapshots {
		if snapshot != nil {
			add(snapshot)
		} else {
			results.Unread = append(results.Unread, others[i].ID)
		}
	}
	return results, err
}
