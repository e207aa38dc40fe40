package actors

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"sync"
	"time"

	"google.golang.org/grpc"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

const (
	// maxPeerQuery bounds the wait for a peer, so that enough of requestTimeout remains for reading
	// its trains from the stores.
	maxPeerQuery = 2 * time.Second
	// maxQueries bounds the queries of a call, and so the memory for its reply.
	maxQueries = 32
	// maxQueryMessage bounds the messages of a reply, in bytes of seat lists and trains. It is far
	// below the limit of the library, which is 4 MiB.
	maxQueryMessage = 256 << 10
)

var (
	errNoPeer   = errors.New("the process is not a member any more")
	errNoAnswer = errors.New("no answer")
)

// peerQuery is a query about trains of a peer.
type peerQuery struct {
	trains []*booking.Train
	trainQuery
}

// peerQueries are the queries to peers. A call costs more than most queries, so those that arrive
// while a call is in flight are sent together in the next one. Safe for concurrent use.
type peerQueries struct {
	cluster cluster.Cluster
	workers *workers

	mu sync.Mutex
	to map[string]*askedPeer // by address
}

// askedPeer is a peer that was asked for something.
type askedPeer struct {
	queries loader[peerQuery, answer]
	changes refreshes

	mu       sync.Mutex // guards what follows
	last     *lastChanges
	position uint64 // of the last of its changes that is known here
}

func newPeerQueries(s *System) *peerQueries {
	return &peerQueries{cluster: s.cluster, workers: s.workers, to: map[string]*askedPeer{}}
}

// ask queries the peer at an address. After an error, all results are unread.
func (p *peerQueries) ask(ctx context.Context, address string, q peerQuery) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, maxPeerQuery)
	defer cancel()
	peer := p.at(address)
	changes := peer.lastChanges()
	answered := make(chan persistence.Result[answer], 1)
	peer.queries.load(ctx, q.trains[0].ID, q, func(a answer, err error) {
		answered <- persistence.Result[answer]{Value: a, Err: err}
	})
	var got persistence.Result[answer]
	select {
	case got = <-answered:
	case <-ctx.Done():
		got.Err = ctx.Err()
	}
	if got.Err != nil {
		got.Value = answer{results: q.ofAll(make([]*booking.Snapshot, len(q.trains)), time.Time{})}
	}
	got.Value.peer, got.Value.reading = peer, changes.reading(got.Value.position, q.trains)
	return got.Value, got.Err
}

// at returns the peer at an address.
func (p *peerQueries) at(address string) *askedPeer {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer, found := p.to[address]
	if !found {
		peer = &askedPeer{last: &lastChanges{}}
		peer.queries = newLoader("peer queries",
			limits{partitions: 1, items: maxQueries, age: maxPeerQuery, flush: maxPeerQuery, spare: 3, patience: 50 * time.Millisecond},
			p.workers,
			func(ctx context.Context, queries []peerQuery) ([]persistence.Result[answer], error) {
				return p.call(ctx, address, queries)
			})
		peer.changes.read = func() error { return p.readChanges(address, peer) }
		p.to[address] = peer
	}
	return peer
}

// forget drops what is kept for processes that are no longer members.
func (p *peerQueries) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.to, func(address string, _ *askedPeer) bool { return p.cluster.Peer(address) == nil })
}

// wait returns when no call is in flight.
func (p *peerQueries) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, peer := range p.to {
		peer.queries.wait()
		peer.changes.done.Wait()
	}
}

// call sends queries to the peer at an address.
func (p *peerQueries) call(
	ctx context.Context, address string, queries []peerQuery,
) ([]persistence.Result[answer], error) {
	peer, began := p.cluster.Peer(address), time.Now()
	if peer == nil {
		return nil, errNoPeer
	}
	ctx, cancel := context.WithCancel(ctx) // ends the stream, whatever was read of it
	defer cancel()
	stream, err := wire.NewTrainsClient(peer.Connection()).Query(ctx, encodeQueries(queries))
	if err != nil {
		return nil, err
	}
	results := make([]persistence.Result[answer], len(queries))
	places := make([]map[booking.TrainID]int, len(queries))
	for i, q := range queries {
		results[i].Err = errNoAnswer
		places[i] = make(map[booking.TrainID]int, len(q.trains))
		for place, train := range q.trains {
			places[i][train.ID] = place
		}
	}
	for {
		part, err := stream.Recv()
		switch i := int(part.GetQuery()); {
		case errors.Is(err, io.EOF):
			return results, nil
		case err != nil:
			return nil, err
		case i < len(queries):
			addResults(&results[i], queries[i].trains, places[i], part, began, address)
		}
	}
}

func encodeQueries(queries []peerQuery) *wire.QueryRequest {
	encoded := make([]*wire.QueryRequest, len(queries))
	for i, q := range queries {
		encoded[i] = &wire.QueryRequest{
			From: q.From, To: q.To, Offers: q.Offers, Seats: q.Seats,
			Trains: make([][]byte, len(q.trains)), UpdatedAt: make([]int64, len(q.trains)),
		}
		for j, train := range q.trains {
			encoded[i].Trains[j], encoded[i].UpdatedAt[j] = train.ID[:], micros(train.UpdatedAt)
		}
	}
	encoded[0].More = encoded[1:]
	return encoded[0]
}

// addResults adds a part of the results of a peer that was called at began, in the places of their trains.
func addResults(
	to *persistence.Result[answer], trains []*booking.Train, places map[booking.TrainID]int,
	part *wire.QueryResponse, began time.Time, peer string,
) {
	if errors.Is(to.Err, errNoAnswer) { // the first part
		to.Value.results, to.Err = make([]queryResult, len(trains)), nil
		to.Value.position = part.GetPosition()
		if usable := part.GetUsable(); usable > 0 {
			to.Value.until = began.Add(fromDurationMicros(usable))
		}
	}
	for _, a := range part.GetFound() {
		if place, asked := places[toTrainID(a.GetTrain().GetId())]; asked {
			to.Value.results[place] = decodeResult(a, trains[place])
		}
	}
	for _, id := range part.GetUnread() {
		if place, asked := places[toTrainID(id)]; asked {
			to.Value.results[place].unread = true
		}
	}
	if e := part.GetError(); e != nil {
		to.Err = decodeError(e, peer)
	}
}

// Query implements wire.TrainsServer. All trains are read together. Those that do not exist are
// unread.
func (t trainsServer) Query(q *wire.QueryRequest, stream grpc.ServerStreamingServer[wire.QueryResponse]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), requestTimeout)
	defer cancel()
	queries := append([]*wire.QueryRequest{q}, q.GetMore()...)
	var ids []booking.TrainID
	for _, q := range queries {
		for _, id := range q.GetTrains() {
			ids = append(ids, toTrainID(id))
		}
	}
	position := t.system.changes.now()
	trains, err := t.system.findTrains(ctx, ids...)
	if err != nil { // the others can still be queried
		t.system.log.Warn("trains not read", slog.Any("error", err))
	}
	snapshots, until, err := t.system.snapshots(ctx, trains)
	for i, q := range queries {
		its := snapshots[:len(q.GetTrains())]
		snapshots = snapshots[len(its):]
		usable := int64(0)
		if sameDefinitions(q, its) {
			usable = max(0, time.Until(until)).Microseconds()
		}
		part := func() *wire.QueryResponse {
			return &wire.QueryResponse{Query: toUint32(i), Position: position, Usable: usable}
		}
		if err := sendAnswer(stream, part, q, its, err); err != nil {
			return err
		}
	}
	return nil
}

// sameDefinitions reports whether the caller of a query has the definitions of its trains that this process has. If not,
// one of the two has yet to read a change of the catalogue, which is no change in the changeLog.
func sameDefinitions(q *wire.QueryRequest, snapshots []*booking.Snapshot) bool {
	if len(q.GetUpdatedAt()) != len(snapshots) {
		return false
	}
	for i, snapshot := range snapshots {
		if snapshot == nil || micros(snapshot.Train.UpdatedAt) != q.GetUpdatedAt()[i] {
			return false
		}
	}
	return true
}

// sizeOfTrain returns about the size of an encoded train.
func sizeOfTrain(t *booking.Train) int {
	const each = 64 // numbers, times and headers
	size := each + len(t.Name)
	for _, s := range t.Stops {
		size += each + len(s.Station)
	}
	return size
}

// sendAnswer answers one query of a call from the snapshots of its trains, in parts. reason is why some are nil.
func sendAnswer(
	stream grpc.ServerStreamingServer[wire.QueryResponse], newPart func() *wire.QueryResponse, q *wire.QueryRequest,
	snapshots []*booking.Snapshot, reason error,
) error {
	asked := trainQuery{From: q.GetFrom(), To: q.GetTo(), Offers: q.GetOffers(), Seats: q.GetSeats()}
	results := asked.ofAll(snapshots, time.Now())
	if _, all := unread(results); all && reason != nil {
		part := newPart()
		part.Error = encodeError(reason)
		return stream.Send(part)
	}
	part, size := newPart(), 0
	for i := range results {
		r := &results[i]
		if r.unread {
			part.Unread = append(part.Unread, q.GetTrains()[i])
		}
		if r.Train == nil {
			continue
		}
		var known int64 // when the train was last changed, as far as the caller knows
		if len(q.GetUpdatedAt()) == len(results) {
			known = q.GetUpdatedAt()[i]
		}
		part.Found = append(part.Found, encodeResult(r, known))
		if size += r.SeatList.MaxLen() + len(r.Seats) + sizeOfTrain(r.Train); size < maxQueryMessage {
			continue
		}
		if err := stream.Send(part); err != nil {
			return err
		}
		part, size = newPart(), 0
	}
	return stream.Send(part)
}
