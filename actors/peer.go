package actors

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
)

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

// RefreshCatalogue implements wire.TrainsServer.
func (t trainsServer) RefreshCatalogue(ctx context.Context, _ *wire.RefreshCatalogueRequest) (*wire.RefreshCatalogueResponse, error) {
	if err := t.system.refreshes.wait(ctx); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	return &wire.RefreshCatalogueResponse{}, nil
}
