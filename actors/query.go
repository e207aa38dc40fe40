package actors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// maxActivating is how many idle trains one search, or Start, activates at a time.
const maxActivating = 16

// query is a command that returns the state of a train over a segment. The machine returns a
// snapshot, of which attemptLocal takes the result.
type query struct {
	activation.Query
	From, To string
	Seats    bool // with the state of each seat
}

// queryResult is the result of a query.
type queryResult struct {
	booking.Availability
	Seats []booking.Seat `json:",omitempty"`
}

func (c query) of(snapshot *booking.Snapshot) (result queryResult, err error) {
	segment, err := snapshot.Train.Segment(c.From, c.To)
	if err != nil {
		return result, err
	}
	result.Availability = snapshot.Availability(segment)
	if c.Seats {
		result.Seats = snapshot.Seats(segment)
	}
	return result, nil
}

// query queries a train in the process that owns it, and activates an idle train.
func (s *System) query(ctx context.Context, id booking.TrainID, c query) (queryResult, error) {
	if s.catalogue.find(id) == nil {
		return queryResult{}, booking.NotFound("train")
	}
	if snapshot, _ := s.activations.snapshot(id); snapshot != nil {
		return c.of(snapshot)
	}
	result, _, err := sendRequest[queryResult](ctx, s, id, c)
	if booking.CodeOf(err) != booking.CodeStorageFull {
		return result, err
	}
	snapshot, err := s.readIdle(ctx, id)
	if err != nil {
		return queryResult{}, err
	}
	return c.of(snapshot)
}

// readIdle reads an idle train without activating it, which would be a write, so that reads work
// even when the disk is full (RELIABILITY.md 3).
func (s *System) readIdle(ctx context.Context, id booking.TrainID) (*booking.Snapshot, error) {
	now := time.Now()
	holds, err := s.holdStore.LoadHolds(ctx, id, now)
	if err != nil {
		return nil, persistence.ClientError(err)
	}
	became := make([]uuid.UUID, len(holds))
	for i, h := range holds {
		became[i] = booking.BookingIDOf(h.User, h.ID)
	}
	stored, err := s.store.LoadTrain(ctx, id, became)
	if err != nil {
		return nil, persistence.ClientError(err)
	}
	seats := booking.NewSeatMap(stored.Train)
	seats.Restore(booking.Stored{
		Bookings: stored.Bookings, Seats: stored.Seats, Holds: holds, Cancelled: stored.Cancelled,
	}, s.rules.TTL, now)
	return seats.Snapshot(), nil
}

// localSnapshot returns the current snapshot of a train of this process, and activates an idle
// train. It is nil if the train does not exist or belongs to another process (elsewhere).
func (s *System) localSnapshot(ctx context.Context, id booking.TrainID) (snapshot *booking.Snapshot, elsewhere bool, err error) {
	resp := s.attemptLocal(id, newRequest(ctx, activation.Query{}, time.Now()))
	switch code := booking.CodeOf(resp.Err); {
	case resp.Retry:
		return nil, true, nil
	case code == booking.CodeNotFound:
		return nil, false, nil
	case code == booking.CodeStorageFull:
		snapshot, err = s.readIdle(ctx, id)
		return snapshot, false, err
	case resp.Err != nil:
		return nil, false, resp.Err
	}
	return resp.Value.(*booking.Snapshot), false, nil
}

// activateAll activates trains in the processes that they are proposed to. A train that
// fails is loaded when it is requested.
func (s *System) activateAll(ctx context.Context, ids []booking.TrainID) {
	var group errgroup.Group
	group.SetLimit(maxActivating)
	for _, id := range ids {
		group.Go(func() error {
			_, err := s.query(ctx, id, query{})
			if err != nil && booking.CodeOf(err) != booking.CodeNotFound {
				s.log.Warn("train with holds not activated", slog.String("train", id.String()), slog.Any("error", err))
			}
			return nil
		})
	}
	_ = group.Wait() // none returns an error
}

func asError(err error) *booking.Error {
	if e, ok := errors.AsType[*booking.Error](err); ok {
		return e
	}
	return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
}
