package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// load adopts the train and reads it.
func (t *trainActor) load() {
	t.busy = true
	t.listed = t.system.catalogue.find(t.activation.train)
	t.guard = persistence.Guard{Train: t.activation.train, Owner: uuid.New()}
	t.asked = time.Now()
	lost := func() { t.send(halt{}) }
	t.laterWithin(context.Background(), loadTimeout, func(ctx context.Context) func() {
		l, err := t.adopt(ctx, lost)
		return func() { t.loaded(l, err) }
	})
}

// adopt runs off the actor: it looks at nothing that changes. The epoch is read first,
// before the lease is taken, and adopted before the rest, so that what is read is final
// (RELIABILITY.md 2). The load has the tenure also when it fails later.
func (t *trainActor) adopt(ctx context.Context, lost func()) (l load, err error) {
	s, id := t.system, t.guard.Train
	seen, err := s.store.Epoch(ctx, id)
	if err != nil {
		return l, err
	}
	if s.cluster != nil {
		if l.tenure, err = s.cluster.leases.acquire(ctx, id, t.guard.Owner, lost); err != nil {
			return l, err
		}
	}
	if l.epoch, err = s.store.Adopt(ctx, id, seen, t.guard.Owner); err != nil {
		return l, err
	}
	var unstored []booking.Hold
	if l.seats, unstored, err = s.read(ctx, id, s.placement.inherit(id, seen)); err == nil {
		err = s.storeAgain(ctx, persistence.Guard{Train: id, Epoch: l.epoch, Owner: t.guard.Owner}, unstored)
	}
	if err == nil && !l.tenure.valid() {
		err = errLeaseOver
	}
	return l, err
}

// load is what an activation starts from.
type load struct {
	tenure *tenure
	epoch  int64
	seats  *booking.SeatMap
}

// storeAgain writes holds that are not stored as they are now, before anybody is told of
// them: what only this process knows is gone with it.
func (s *System) storeAgain(ctx context.Context, guard persistence.Guard, unstored []booking.Hold) error {
	for some := range slices.Chunk(unstored, maxBatch) {
		writes := make([]persistence.HoldWrite, len(some))
		for i, h := range some {
			writes[i] = persistence.HoldWrite{Guard: guard, Op: persistence.HoldPut, Hold: h}
		}
		results, err := s.heldSeats.WriteHolds(ctx, writes)
		if err = errors.Join(append(results, err)...); err != nil {
			return fmt.Errorf("store holds again: %w", err)
		}
	}
	return nil
}

// read puts a train together from what is stored, and from holds that were inherited.
func (s *System) read(
	ctx context.Context, id booking.TrainID, inherited []booking.Hold,
) (seats *booking.SeatMap, unstored []booking.Hold, err error) {
	now := time.Now()
	// A hold may be there still, live, though it became a booking: what is cancelled is
	// asked for as far back as such a hold could have been confirmed.
	since := now.Add(-booking.HoldRetention - s.rules.TTL)
	definition, bookings, err := s.store.LoadTrain(ctx, id, since)
	if err != nil {
		return nil, nil, err
	}
	holds, err := s.heldSeats.LoadHolds(ctx, id, now)
	if err != nil {
		return nil, nil, err
	}
	lost := missing(inherited, holds)
	seats = booking.NewSeatMap(definition)
	shortened := seats.Restore(bookings, append(holds, lost...), s.rules.TTL, time.Now())
	for _, h := range lost {
		if _, live := seats.Phase(h.ID); live {
			unstored = append(unstored, h)
		}
	}
	return seats, append(unstored, shortened...), nil
}

// missing returns the holds that are not among those stored.
func missing(holds, stored []booking.Hold) (lost []booking.Hold) {
	there := make(map[booking.HoldID]bool, len(stored))
	for _, h := range stored {
		there[h.ID] = true
	}
	for _, h := range holds {
		if !there[h.ID] {
			lost = append(lost, h)
		}
	}
	return lost
}

func (t *trainActor) loaded(l load, err error) {
	t.system.metrics.activated(err, time.Since(t.asked))
	t.tenure = l.tenure
	t.activation.tenure.Store(l.tenure)
	if err != nil {
		t.failed(err)
		return
	}
	t.guard.Epoch, t.seats = l.epoch, l.seats
	t.system.catalogue.replace(t.listed, t.seats.Train()) // a change may have been lost
	t.publish()
	t.reopen()
}

// notBegun is what is told to those whose command was not run because the load failed: that
// the load's own outcome may be unknown is nothing to them.
func notBegun(err error) error {
	failure := persistence.Failure(err)
	switch booking.CodeOf(failure) {
	case booking.CodeUnavailable, booking.CodeTimeout:
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
	}
	return failure
}

// failed answers who waited for the load and closes.
func (t *trainActor) failed(err error) {
	elsewhere, moved := errors.AsType[*elsewhereError](err)
	if !moved {
		t.logUnlessGone("train not activated", err)
	}
	if errors.Is(err, persistence.ErrNotFound) {
		t.system.catalogue.remove(t.listed)
	}
	// What was created again while this looked is for the next activation to find.
	again := errors.Is(err, persistence.ErrNotFound) && t.system.catalogue.find(t.guard.Train) != nil
	r := reply{err: notBegun(err)}
	switch {
	case moved:
		r = reply{retry: true, owner: elsewhere.address}
	case again, errors.Is(err, persistence.ErrFenced), errors.Is(err, persistence.ErrConflict), errors.Is(err, errLeaseOver):
		r = reply{retry: true}
	}
	for _, a := range t.waiting {
		a.send(r)
	}
	t.waiting = nil
	t.halt()
}
