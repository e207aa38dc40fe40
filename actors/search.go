package actors

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"trainbooking.dev/booking"
)

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
func (s *System) Search(ctx context.Context, from, to string, date time.Time) (booking.Found, error) {
	now := time.Now()
	catalogue, placements := s.catalogue.changes.Load(), s.placements.Load()
	trains := s.catalogue.onSale(from, to, date, now)
	got, err := s.gather(ctx, trains, trainQuery{From: from, To: to, Offers: true})
	var found booking.Found
	var incomplete bool
	found.Trains, incomplete, err = availabilities(got.results, err)
	until := earlier(got.until, now.Add(keptTime))
	for _, a := range found.Trains {
		if departure := a.Train.Departure(a.Segment); !departure.IsZero() {
			until = earlier(until, departure)
		}
	}
	if !incomplete && until.After(now) {
		current := func() bool {
			return got.current() && s.catalogue.changes.Load() == catalogue && s.placements.Load() == placements && time.Now().Before(until)
		}
		found.Current = current
		if peers := got.peers(); len(peers) > 0 {
			found.Current = func() bool { return current() && catchUp(peers) && current() }
		}
	}
	return found, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// ListTrains implements booking.Service.
func (s *System) ListTrains(
	ctx context.Context, query booking.TrainQuery,
) (page booking.Page[booking.Availability], err error) {
	trains := s.catalogue.list(query, time.Now())
	page.Next = trains.Next
	got, err := s.gather(ctx, trains.Items, trainQuery{From: query.From, To: query.To})
	page.Items, page.Incomplete, err = availabilities(got.results, err)
	return page, err
}

// trainQuery is what to return about each train: its tally on a segment, and, with Offers, a seat
// list if a passenger can book it now, or, with Seats, the state of each seat.
type trainQuery struct {
	From, To      string
	Offers, Seats bool
}

// queryResult is the result of a query about one train. Train is nil if the train is not sold between
// the stations or was not read.
type queryResult struct {
	booking.Availability
	Seats  []booking.Seat
	unread bool
}

// unread reports whether any, or all, of the trains were not read.
func unread(results []queryResult) (some, all bool) {
	all = len(results) > 0
	for i := range results {
		some = some || results[i].unread
		all = all && results[i].unread
	}
	return some, all
}

// of returns the result for a train.
func (q trainQuery) of(snapshot *booking.Snapshot, now time.Time) (result queryResult) {
	segment, err := snapshot.Train.Segment(q.From, q.To)
	if err != nil {
		if q.Offers {
			return result
		}
		segment = snapshot.Train.Run() // the stops have changed since the train was found
	}
	if q.Offers && !snapshot.Sellable(segment, now) {
		return result
	}
	result.Availability = snapshot.Availability(segment)
	if q.Offers {
		result.SeatList = snapshot.SeatList(segment)
	}
	if q.Seats {
		result.Seats = snapshot.Seats(segment)
	}
	return result
}

// ofAll returns the results for some trains, in their order; nil is unread.
func (q trainQuery) ofAll(snapshots []*booking.Snapshot, now time.Time) []queryResult {
	results := make([]queryResult, len(snapshots))
	for i, snapshot := range snapshots {
		if snapshot == nil {
			results[i].unread = true
		} else {
			results[i] = q.of(snapshot, now)
		}
	}
	return results
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
	got, err := s.gather(ctx, []*booking.Train{train}, query)
	switch {
	case err != nil:
		return queryResult{}, err
	case got.results[0].Train == nil: // it was deleted meanwhile
		return queryResult{}, booking.NotFound("train")
	}
	return got.results[0], nil
}

// availabilities returns the trains of results. Those that could not be read are left out, which incomplete
// reports; the reason is an error if that is true of all.
func availabilities(results []queryResult, reason error) (found []booking.Availability, incomplete bool, err error) {
	found = make([]booking.Availability, 0, len(results))
	for i := range results {
		if results[i].Train != nil {
			found = append(found, results[i].Availability)
		}
	}
	if len(found) == 0 {
		err = reason
	}
	incomplete, _ = unread(results)
	return found, incomplete, err
}

// answer has the results of a query of one process, in the order of its trains. They stay the same until then, as
// long as the reading is current and nothing departs.
type answer struct {
	results []queryResult
	until   time.Time
	reading
	peer *askedPeer // nil: this process
}

// gathered has the results of a query of some processes, in the order of its trains, for as long as the answers.
type gathered struct {
	results []queryResult
	until   time.Time
	answers []answer
}

// current reports whether all readings are current.
func (g *gathered) current() bool {
	for i := range g.answers {
		if !g.answers[i].current() {
			return false
		}
	}
	return true
}

// peers returns the peers that answered.
func (g *gathered) peers() (peers []*askedPeer) {
	for i := range g.answers {
		if peer := g.answers[i].peer; peer != nil {
			peers = append(peers, peer)
		}
	}
	return peers
}

// gather queries every process that owns some of the trains, all at the same time. What a process
// does not answer is read from the stores. The error is the reason why some of the results are unread.
func (s *System) gather(ctx context.Context, trains []*booking.Train, query trainQuery) (got gathered, err error) {
	if len(s.cluster.Peers()) == 0 {
		got, err = s.gatherHere(ctx, trains, query)
	} else {
		got, err = s.queryOwners(ctx, trains, query)
	}
	if e, ok := errors.AsType[*booking.Error](err); ok {
		return got, e
	}
	if some, _ := unread(got.results); some {
		return got, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, errors.Join(errUnread, err))
	}
	return got, nil
}

func (s *System) gatherHere(ctx context.Context, trains []*booking.Train, query trainQuery) (gathered, error) {
	here, err := s.queryLocal(ctx, trains, query)
	return gathered{here.results, here.until, []answer{here}}, err
}

// placesByOwner returns the places of trains by the address of the process to query. Those whose
// owner cannot be queried are for this one.
func (s *System) placesByOwner(trains []*booking.Train) map[string][]int {
	places := map[string][]int{}
	for i, train := range trains {
		owner := s.proposedOwner(train.ID)
		if s.cluster.Peer(owner) == nil { // this process, or none
			owner = s.cluster.Address()
		}
		places[owner] = append(places[owner], i)
	}
	return places
}

// queryOwners queries the owners of trains.
func (s *System) queryOwners(ctx context.Context, trains []*booking.Train, query trainQuery) (gathered, error) {
	places := s.placesByOwner(trains)
	if here := places[s.cluster.Address()]; len(here) == len(trains) {
		return s.gatherHere(ctx, trains, query)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var (
		mu      sync.Mutex
		failed  error
		queries sync.WaitGroup
		got     = gathered{results: make([]queryResult, len(trains)), until: time.Now().Add(keptTime)}
	)
	for owner, its := range places {
		queries.Go(func() {
			some := make([]*booking.Train, len(its))
			for i, place := range its {
				some[i] = trains[place]
			}
			found, err := s.queryOwner(ctx, owner, some, query)
			mu.Lock()
			defer mu.Unlock()
			for i, place := range its {
				got.results[place] = found.results[i]
			}
			got.until, got.answers = earlier(got.until, found.until), append(got.answers, found)
			failed = errors.Join(failed, err)
		})
	}
	queries.Wait()
	return got, failed
}

// queryOwner queries one process. What it does not answer, this process reads, and no result is kept.
func (s *System) queryOwner(
	ctx context.Context, owner string, trains []*booking.Train, query trainQuery,
) (answer, error) {
	if s.cluster.Peer(owner) == nil {
		return s.queryLocal(ctx, trains, query)
	}
	got, err := s.queries.ask(ctx, owner, peerQuery{trains, query})
	var places []int
	var rest []*booking.Train
	for i := range got.results {
		if got.results[i].unread {
			places, rest = append(places, i), append(rest, trains[i])
		}
	}
	if len(rest) == 0 {
		return got, nil
	}
	s.metrics.retries.Inc()
	s.log.Debug("a peer did not answer a query; its trains are read from the stores",
		slog.String("peer", owner), slog.Int("trains", len(rest)), slog.Any("error", err))
	read, err := s.queryLocal(ctx, rest, query)
	for i, place := range places {
		got.results[place] = read.results[i]
	}
	got.until = time.Time{}
	return got, err
}

// queryLocal queries trains in this process. It activates none.
func (s *System) queryLocal(ctx context.Context, trains []*booking.Train, query trainQuery) (answer, error) {
	r := s.changes.last.reading(s.changes.now(), trains)
	snapshots, until, err := s.snapshots(ctx, trains)
	return answer{results: query.ofAll(snapshots, time.Now()), until: until, reading: r}, err
}

// snapshots returns the snapshots of trains, in their order: of those that are active here, and of
// the others from the stores; nil for those that are nil or could not be read. They may be used until
// then, unless a change of one of the trains is counted. The error is the reason why some are nil.
func (s *System) snapshots(
	ctx context.Context, trains []*booking.Train,
) (snapshots []*booking.Snapshot, until time.Time, err error) {
	now := time.Now()
	snapshots, until = make([]*booking.Snapshot, len(trains)), now.Add(keptTime)
	var places []int
	var others []*booking.Train
	for i, train := range trains {
		if train == nil {
			continue
		}
		active, its := s.activations.snapshot(train.ID, now)
		if active != nil {
			snapshots[i], until = active, earlier(until, its)
		} else {
			if others == nil {
				rest := len(trains) - i
				places, others = make([]int, 0, rest), make([]*booking.Train, 0, rest)
			}
			places, others = append(places, i), append(others, train)
		}
	}
	if len(others) == 0 {
		return snapshots, until, nil
	}
	read, its, err := s.passive.snapshots(ctx, others)
	for i, place := range places {
		snapshots[place] = read[i]
	}
	return snapshots, earlier(until, its), err
}
