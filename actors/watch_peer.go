package actors

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
)

// watchCheck is how often a Watch call checks whether the train is still proposed to this process.
const watchCheck = time.Second

// followPeer follows a train through the process to which it is proposed. When that process does not
// respond, followPeer reads the state from the stores once. It sets read to the time at which the state was
// last known. The error is errEnded after the last event.
func (w *watches) followPeer(ctx context.Context, f *watched, read *time.Time) error {
	err := w.receive(ctx, f, read)
	if errors.Is(err, errEnded) || ctx.Err() != nil {
		return err
	}
	if _, _, failed := w.update(ctx, f, nil); failed != nil {
		return failed
	}
	*read = time.Now()
	return err
}

// receive receives the events from a peer.
func (w *watches) receive(ctx context.Context, f *watched, read *time.Time) error {
	peer := w.system.cluster.Peer(w.system.proposedOwner(f.train))
	if peer == nil {
		return errNoPeer
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := time.AfterFunc(maxPeerQuery, cancel)
	defer first.Stop()
	stream, err := wire.NewTrainsClient(peer.Connection()).Watch(ctx, &wire.WatchRequest{
		Train: f.train[:], From: f.from, To: f.to,
	})
	if err != nil {
		return err
	}
	for received := false; ; received = true {
		e, err := stream.Recv()
		if received || err == nil {
			*read = time.Now()
		}
		switch {
		case errors.Is(err, io.EOF):
			return errNoAnswer
		case err != nil:
			return err
		case !f.feed(e):
			return errEnded
		}
		first.Stop()
	}
}

// feed adds an event from a peer to the feed. It returns false after the last one.
func (f *watched) feed(e *wire.WatchEvent) bool {
	id := booking.EventID{Epoch: e.GetEpoch(), Sequence: e.GetSequence()}
	switch t := booking.SeatEventType(e.GetType()); {
	case t.Last():
		f.End(t)
		return false
	case t.Whole():
		f.Update(id, e.GetFrom(), e.GetTo(), decodeStates(e))
	default:
		f.Change(id, decodeStates(e))
	}
	return true
}

func decodeStates(e *wire.WatchEvent) []booking.Seat {
	seats := make([]booking.Seat, len(e.GetStates()))
	for i, state := range e.GetStates() {
		seats[i] = booking.Seat{Number: i + 1, State: fromSeatState(state)}
		if i < len(e.GetNumbers()) {
			seats[i].Number = int(e.GetNumbers()[i])
		}
	}
	return seats
}

func encodeSeatEvent(e *booking.SeatEvent) *wire.WatchEvent {
	event := &wire.WatchEvent{
		Epoch: e.ID.Epoch, Sequence: e.ID.Sequence, Type: string(e.Type), From: e.From, To: e.To,
		States: make([]wire.SeatState, len(e.Seats)),
	}
	for i, seat := range e.Seats {
		event.States[i] = seatStates[seat.State]
		if !e.Type.Whole() {
			event.Numbers = append(event.Numbers, toUint32(seat.Number))
		}
	}
	return event
}

// Watch implements wire.TrainsServer.
func (t trainsServer) Watch(q *wire.WatchRequest, stream grpc.ServerStreamingServer[wire.WatchEvent]) error {
	s, of := t.system, watchedSegment{toTrainID(q.GetTrain()), q.GetFrom(), q.GetTo()}
	start, cancel := context.WithTimeout(stream.Context(), maxPeerQuery)
	defer cancel()
	if !s.proposedHere(of.train) {
		return errProposedElsewhere
	}
	watch, err := s.WatchSeats(start, of.train, of.from, of.to, booking.EventID{})
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	defer watch.Close()
	for s.proposedHere(of.train) {
		ctx, cancel := context.WithTimeout(stream.Context(), watchCheck)
		e, err := watch.Next(ctx)
		cancel()
		switch {
		case err == nil:
			err = stream.Send(encodeSeatEvent(e))
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, context.DeadlineExceeded) && stream.Context().Err() == nil:
			continue
		}
		if err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
	}
	return errProposedElsewhere
}

var errProposedElsewhere = status.Error(codes.FailedPrecondition, "the train is proposed to another process")
