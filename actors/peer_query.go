package actors

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
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

// peerAnswer has the results of a query in the order of its trains. They may be used until then, if the
// peer has not counted a change of one of the trains.
type peerAnswer struct {
	results []queryResult
	until   time.Time
}

// peerQueries are the queries to peers. A call costs more than most queries, so those that arrive
// while a call is in flight are sent together in the next one. Safe for concurrent use.
type peerQueries struct {
	cluster cluster.Cluster
	changes *changes
	workers *workers

	mu sync.Mutex
	to map[string]*askedPeer // by address
}

// askedPeer is a peer that was asked for something.
type askedPeer struct {
	queries  loader[peerQuery, peerAnswer]
	changes  loader[struct{}, struct{}]
	position atomic.Uint64 // of the last of its changes that is counted here
}

func newPeerQueries(s *System) *peerQueries {
	return &peerQueries{cluster: s.cluster, changes: s.changes, workers: s.workers, to: map[string]*askedPeer{}}
}

// ask queries the peer at an address. After an error, all results are unread.
func (p *peerQueries) ask(ctx context.Context, address string, q peerQuery) (peerAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, maxPeerQuery)
	defer cancel()
	answered := make(chan persistence.Result[peerAnswer], 1)
	p.at(address).queries.load(ctx, q.trains[0].ID, q, func(a peerAnswer, err error) {
		answered <- persistence.Result[peerAnswer]{Value: a, Err: err}
	})
	var answer persistence.Result[peerAnswer]
	select {
	case answer = <-answered:
	case <-ctx.Done():
		answer.Err = ctx.Err()
	}
	if answer.Err != nil {
		answer.Value = peerAnswer{results: q.ofAll(make([]*booking.Snapshot, len(q.trains)), time.Time{})}
	}
	return answer.Value, answer.Err
}

// at returns the peer at an address.
func (p *peerQueries) at(address string) *askedPeer {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer, found := p.to[address]
	if !found {
		peer = &askedPeer{}
		peer.queries = newLoader("peer queries", peerLimits(maxQueries, maxPeerQuery), p.workers,
			func(ctx context.Context, queries []peerQuery) ([]persistence.Result[peerAnswer], error) {
				return p.call(ctx, address, queries)
			})
		peer.changes = newLoader("peer changes", peerLimits(maxBatch, maxPeerChanges), p.workers,
			func(ctx context.Context, asked []struct{}) ([]persistence.Result[struct{}], error) {
				return make([]persistence.Result[struct{}], len(asked)), p.readChanges(ctx, address, peer)
			})
		p.to[address] = peer
	}
	return peer
}

// peerLimits are for one call at a time, unless it hangs.
func peerLimits(items int, timeout time.Duration) limits {
	return limits{partitions: 1, items: items, age: timeout, flush: timeout, spare: 3, patience: 50 * time.Millisecond}
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
		peer.changes.wait()
	}
}

// call sends queries to the peer at an address.
func (p *peerQueries) call(
	ctx context.Context, address string, queries []peerQuery,
) ([]persistence.Result[peerAnswer], error) {
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
	results := make([]persistence.Result[peerAnswer], len(queries))
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
			addResults(&results[i], queries[i].trains, places[i], part, address)
			results[i].Value.until = began.Add(fromDurationMicros(part.GetUsable()))
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

// addResults adds a part of the results of a peer, in the places of their trains.
func addResults(
	to *persistence.Result[peerAnswer], trains []*booking.Train, places map[booking.TrainID]int,
	part *wire.QueryResponse, peer string,
) {
	if errors.Is(to.Err, errNoAnswer) { // the first part
		to.Value.results, to.Err = make([]queryResult, len(trains)), nil
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
	trains, err := t.system.findTrains(ctx, ids...)
	if err != nil { // the others can still be queried
		t.system.log.Warn("trains not read", slog.Any("error", err))
	}
	snapshots, until, err := t.system.snapshots(ctx, trains)
	for i, q := range queries {
		its := snapshots[:len(q.GetTrains())]
		snapshots = snapshots[len(its):]
		if err := sendAnswer(stream, toUint32(i), q, its, until, err); err != nil {
			return err
		}
	}
	return nil
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

// sendAnswer answers one query of a call from the snapshots of its trains, which may be used until then. reason
// is why some are nil.
func sendAnswer(
	stream grpc.ServerStreamingServer[wire.QueryResponse], query uint32, q *wire.QueryRequest,
	snapshots []*booking.Snapshot, until time.Time, reason error,
) error {
	asked := trainQuery{From: q.GetFrom(), To: q.GetTo(), Offers: q.GetOffers(), Seats: q.GetSeats()}
	now := time.Now()
	results, usable := asked.ofAll(snapshots, now), max(0, until.Sub(now)).Microseconds()
	if _, all := unread(results); all && reason != nil {
		return stream.Send(&wire.QueryResponse{Query: query, Error: encodeError(reason)})
	}
	part, size := &wire.QueryResponse{Query: query, Usable: usable}, 0
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
		part, size = &wire.QueryResponse{Query: query, Usable: usable}, 0
	}
	return stream.Send(part)
}
