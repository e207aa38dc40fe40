package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

// errLeaseExpired is returned when the load of a train outlasted its lease.
var errLeaseExpired = errors.New("the lease has expired")

// load adopts the train and reads it from the stores.
func (t *trainActor) load() {
	t.busy = true
	t.listed = t.system.catalogue.find(t.activation.train)
	t.guard = persistence.Guard{Train: t.activation.train, Owner: uuid.New()}
	t.lastRequest = time.Now()
	onLost := func() { t.send(halt{}) }
	t.runAsyncWithin(context.Background(), loadTimeout, func(ctx context.Context) func() {
		l, err := t.adopt(ctx, onLost)
		return func() { t.loaded(l, err) }
	})
}

// loadResult is the state that an activation starts from.
type loadResult struct {
	term  *cluster.Term // nil: not acquired
	epoch int64
	seats *booking.SeatMap
}

// adopt runs off the actor and reads only fields that do not change. It reads the epoch
// before it acquires the lease, and adopts the epoch before it reads the rest, so that what
// it reads is final (RELIABILITY.md 2). After an error the result has the lease term if the
// lease was acquired.
func (t *trainActor) adopt(ctx context.Context, onLost func()) (l loadResult, err error) {
	s, id := t.system, t.guard.Train
	old, err := s.store.Epoch(ctx, id)
	if err != nil {
		return l, err
	}
	lease := persistence.Lease{Train: id, Owner: t.guard.Owner}
	if l.term, err = s.cluster.Acquire(ctx, lease, onLost); err != nil {
		return l, err
	}
	if l.epoch, err = s.store.Adopt(ctx, id, old, t.guard.Owner); err != nil {
		return l, err
	}
	var unstored []booking.Hold
	if l.seats, unstored, err = s.readTrain(ctx, id, s.activations.handoff(id, old)); err == nil {
		// No client may be sent a hold that would be lost with this process.
		err = s.writeHolds(ctx, persistence.Guard{Train: id, Epoch: l.epoch, Owner: t.guard.Owner}, persistence.HoldPut, unstored)
	}
	if err == nil && !l.term.Valid() {
		err = errLeaseExpired
	}
	return l, err
}

// writeHolds writes holds at once, without the batcher. It runs off the actor.
func (s *System) writeHolds(ctx context.Context, guard persistence.Guard, op persistence.HoldOp, holds []booking.Hold) error {
	for batch := range slices.Chunk(holds, maxBatch) {
		writes := make([]persistence.HoldWrite, len(batch))
		for i, h := range batch {
			writes[i] = persistence.HoldWrite{Guard: guard, Op: op, Hold: h}
		}
		results, err := s.holdStore.WriteHolds(ctx, writes)
		if err = errors.Join(append(results, err)...); err != nil {
			return fmt.Errorf("write %d holds: %w", len(holds), err)
		}
	}
	return nil
}

// readTrain builds the seat map of a train from the stores and from the holds that the last
// activation handed off. unstored are the holds in it that the store does not have, or has
// with another expiry.
func (s *System) readTrain(
	ctx context.Context, id booking.TrainID, handedOff []booking.Hold,
) (seats *booking.SeatMap, unstored []booking.Hold, err error) {
	now := time.Now()
	// A hold that became a booking may still be stored as live, even if that booking was
	// cancelled since. So the cancelled bookings are loaded too, as far back as such a hold
	// could have been confirmed.
	since := now.Add(-booking.HoldRetention - s.rules.TTL)
	train, bookings, err := s.store.LoadTrain(ctx, id, since)
	if err != nil {
		return nil, nil, err
	}
	holds, err := s.holdStore.LoadHolds(ctx, id, now)
	if err != nil {
		return nil, nil, err
	}
	lost := missing(handedOff, holds)
	seats = booking.NewSeatMap(train)
	shortened := seats.Restore(bookings, append(holds, lost...), s.rules.TTL, time.Now())
	for _, h := range lost {
		if _, live := seats.Phase(h.ID); live {
			unstored = append(unstored, h)
		}
	}
	return seats, append(unstored, shortened...), nil
}

// missing returns the holds that are not stored.
func missing(holds, stored []booking.Hold) (lost []booking.Hold) {
	found := make(map[booking.HoldID]bool, len(stored))
	for _, h := range stored {
		found[h.ID] = true
	}
	for _, h := range holds {
		if !found[h.ID] {
			lost = append(lost, h)
		}
	}
	return lost
}

func (t *trainActor) loaded(l loadResult, err error) {
	t.system.metrics.activated(err, time.Since(t.lastRequest))
	t.term = l.term
	t.activation.term.Store(l.term)
	if err != nil {
		t.loadFailed(err)
		return
	}
	t.guard.Epoch, t.seats = l.epoch, l.seats
	t.system.catalogue.replace(t.listed, t.seats.Train()) // an earlier change may have had an unknown outcome
	t.publish()
	t.resume()
}

// loadFailed responds to the requests that waited for the load, and halts.
func (t *trainActor) loadFailed(err error) {
	owned, elsewhere := errors.AsType[*cluster.NotOwnerError](err)
	if !elsewhere {
		t.warnUnlessNotFound("train not activated", err)
	}
	if errors.Is(err, persistence.ErrNotFound) {
		t.system.catalogue.remove(t.listed)
	}
	// The train may have been created again during the load. The next activation finds it.
	again := errors.Is(err, persistence.ErrNotFound) && t.system.catalogue.find(t.guard.Train) != nil
	resp := response{err: loadFailure(err)}
	switch {
	case elsewhere:
		resp = response{retry: true, owner: owned.Address}
	case again, errors.Is(err, persistence.ErrFenced), errors.Is(err, persistence.ErrConflict), errors.Is(err, errLeaseExpired):
		resp = response{retry: true}
	}
	for _, r := range t.waiting {
		r.send(resp)
	}
	t.waiting = nil
	t.halt()
}

// loadFailure returns the error of requests whose command was not run because the load
// failed: they were not executed, even where the outcome of the load itself is unknown.
func loadFailure(err error) error {
	failure := persistence.ClientError(err)
	switch booking.CodeOf(failure) {
	case booking.CodeUnavailable, booking.CodeTimeout:
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
	}
	return failure
}
