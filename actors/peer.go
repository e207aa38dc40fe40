package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
)

// maxQueryMessage bounds the messages of a reply to a query, in bytes of seat lists and trains.
// It is far below the limit of the library, which is 4 MiB.
const maxQueryMessage = 256 << 10

// trainsServer serves the calls of peers.
type trainsServer struct {
	wire.UnimplementedTrainsServer
	system *System
}

// executeRemotely sends a request once to a peer. The peer may execute it even if the call fails,
// but not after ctx has ended.
func (s *System) executeRemotely(ctx context.Context, to *cluster.Peer, id booking.TrainID, r *request) response {
	earliest, _ := s.cluster.Bounds()
	age := time.Since(r.Arrived)
	deadline, _ := ctx.Deadline()
	q := &wire.ExecuteRequest{
		Train: id[:], Arrived: micros(earliest.Add(-age)), Expires: micros(earliest.Add(time.Until(deadline))),
		Age: age.Microseconds(), Lost: r.Lost, Conflicts: toUint32(r.Conflicts),
	}
	if !encodeCommand(q, r.Command) {
		return failure(fmt.Errorf("%T cannot be sent to a peer", r.Command))
	}
	resp, err := wire.NewTrainsClient(to.Connection()).Execute(ctx, q)
	if err != nil {
		code := status.Code(err)
		resp := lost
		resp.Lost, resp.slow = code != codes.Unimplemented, code == codes.DeadlineExceeded
		return resp
	}
	return decodeResponse(id, to.Address(), resp)
}

// Execute implements wire.TrainsServer. It refuses a command whose caller has stopped waiting: the
// caller, or its client, may have repeated the request through another process since, and
// continued. (A link that is silent for a while delivers its messages when it recovers.)
func (t trainsServer) Execute(ctx context.Context, q *wire.ExecuteRequest) (*wire.ExecuteResponse, error) {
	s, id, c := t.system, toTrainID(q.GetTrain()), decodeCommand(q)
	if c == nil { // from a newer peer: another process may know this command
		return &wire.ExecuteResponse{Retry: true}, nil
	}
	expires := fromMicros(q.GetExpires())
	if expires.IsZero() {
		expires = fromMicros(q.GetArrived()).Add(requestTimeout)
	}
	_, latest := s.cluster.Bounds()
	left := expires.Sub(latest)             // at least, with the error of the clock
	if left <= 0 || left > requestTimeout { // no caller waits for longer: the clock was set back
		s.metrics.late.Inc()
		return &wire.ExecuteResponse{Retry: true, Late: true}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	ctx, end := startRequest(ctx, c, id)
	age := min(max(0, fromDurationMicros(q.GetAge())), requestTimeout)
	r := newRequest(ctx, c, time.Now().Add(-age))
	r.Lost, r.Conflicts = q.GetLost(), int(q.GetConflicts())
	resp := s.attemptLocal(id, r)
	end(resp.Err)
	if ctx.Err() != nil { // nobody waits: this attempt has timed out, not the request
		return &wire.ExecuteResponse{Retry: true, Lost: true, Late: true}, nil
	}
	return encodeResponse(resp), nil
}

// queryRemotely queries a peer. The results are in the order of the trains; after an error, all of
// them are unread.
func queryRemotely(ctx context.Context, to *cluster.Peer, trains []*booking.Train, query trainQuery) ([]queryResult, error) {
	q := &wire.QueryRequest{
		From: query.From, To: query.To, Offers: query.Offers, Seats: query.Seats,
		Trains: make([][]byte, len(trains)), UpdatedAt: make([]int64, len(trains)),
	}
	results, places := make([]queryResult, len(trains)), make(map[booking.TrainID]int, len(trains))
	for i, train := range trains {
		q.Trains[i], q.UpdatedAt[i] = train.ID[:], micros(train.UpdatedAt)
		places[train.ID] = i
	}
	stream, err := wire.NewTrainsClient(to.Connection()).Query(ctx, q)
	for err == nil {
		var part *wire.QueryResponse
		if part, err = stream.Recv(); err == nil {
			err = addResults(results, trains, places, part, to.Address())
		}
	}
	if errors.Is(err, io.EOF) {
		return results, nil
	}
	for i := range results {
		results[i] = queryResult{unread: true}
	}
	return results, err
}

// addResults stores a part of the results of a peer in the places of their trains.
func addResults(
	results []queryResult, trains []*booking.Train, places map[booking.TrainID]int, part *wire.QueryResponse, peer string,
) error {
	for _, a := range part.GetFound() {
		if place, asked := places[toTrainID(a.GetTrain().GetId())]; asked {
			results[place] = decodeResult(a, trains[place])
		}
	}
	for _, id := range part.GetUnread() {
		if place, asked := places[toTrainID(id)]; asked {
			results[place].unread = true
		}
	}
	if e := part.GetError(); e != nil {
		return decodeError(e, peer)
	}
	return nil
}

// Query implements wire.TrainsServer. Trains that do not exist are unread.
func (t trainsServer) Query(q *wire.QueryRequest, stream grpc.ServerStreamingServer[wire.QueryResponse]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), requestTimeout)
	defer cancel()
	query := trainQuery{From: q.GetFrom(), To: q.GetTo(), Offers: q.GetOffers(), Seats: q.GetSeats()}
	part, size := &wire.QueryResponse{}, 0
	ids := make([]booking.TrainID, len(q.GetTrains()))
	for i, id := range q.GetTrains() {
		ids[i] = toTrainID(id)
	}
	found, err := t.system.findTrains(ctx, ids...)
	if err != nil { // the others can still be queried
		t.system.log.Warn("trains not read", slog.Any("error", err))
	}
	var trains []*booking.Train
	var known []int64 // when they were last changed, as far as the caller knows
	for i, train := range found {
		if train != nil {
			trains, known = append(trains, train), append(known, 0)
			if len(q.GetUpdatedAt()) == len(found) {
				known[len(known)-1] = q.GetUpdatedAt()[i]
			}
		} else {
			part.Unread = append(part.Unread, q.GetTrains()[i])
		}
	}
	results, err := t.system.queryLocal(ctx, trains, query)
	if _, all := unread(results); all && err != nil {
		return stream.Send(&wire.QueryResponse{Error: encodeError(err)})
	}
	for i := range results {
		r := &results[i]
		if r.unread {
			part.Unread = append(part.Unread, trains[i].ID[:])
		}
		if r.Train == nil {
			continue
		}
		part.Found = append(part.Found, encodeResult(r, known[i]))
		if size += len(r.SeatList) + len(r.Seats) + sizeOfTrain(r.Train); size < maxQueryMessage {
			continue
		}
		if err := stream.Send(part); err != nil {
			return err
		}
		part, size = &wire.QueryResponse{}, 0
	}
	return stream.Send(part)
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

// RefreshCatalogue implements wire.TrainsServer.
func (t trainsServer) RefreshCatalogue(ctx context.Context, _ *wire.RefreshCatalogueRequest) (*wire.RefreshCatalogueResponse, error) {
	if err := t.system.refreshes.wait(ctx); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	return &wire.RefreshCatalogueResponse{}, nil
}
