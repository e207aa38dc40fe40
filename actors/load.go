package actors

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// load adopts the train and reads it.
func (t *train) load() {
	t.busy = true
	t.listed = t.system.catalogue.find(t.activation.train)
	t.guard = persistence.Guard{Train: t.activation.train, Owner: uuid.New()}
	t.asked = time.Now()
	t.laterWithin(loadTimeout, func(ctx context.Context) func() {
		l, err := t.adopt(ctx)
		return func() { t.loaded(l, err) }
	})
}

// adopt runs off the actor: it looks at nothing that changes. The epoch is read first and
// adopted before the rest, so that what is read is final (RELIABILITY.md 2).
func (t *train) adopt(ctx context.Context) (l load, err error) {
	store, id := t.system.store, t.guard.Train
	seen, err := store.Epoch(ctx, id)
	if err != nil {
		return l, err
	}
	epoch, err := store.Adopt(ctx, id, seen, t.guard.Owner)
	if err != nil {
		return l, err
	}
	l, err = t.system.read(ctx, id)
	l.epoch = epoch
	return l, err
}

// load is what an activation starts from.
type load struct {
	epoch     int64
	seats     *booking.SeatMap
	shortened []booking.Hold
}

// read puts a train together from what is stored.
func (s *System) read(ctx context.Context, id booking.TrainID) (l load, err error) {
	now := time.Now()
	// A hold may be there still, live, though it became a booking: what is cancelled is
	// asked for as far back as such a hold could have been confirmed.
	since := now.Add(-booking.HoldMemory - s.rules.TTL)
	definition, bookings, err := s.store.LoadTrain(ctx, id, since)
	if err != nil {
		return l, err
	}
	holds, err := s.heldSeats.LoadHolds(ctx, id, now)
	if err != nil {
		return l, err
	}
	l.seats = booking.NewSeatMap(definition)
	l.shortened = l.seats.Restore(bookings, holds, s.rules.TTL, time.Now())
	return l, nil
}

func (t *train) loaded(l load, err error) {
	t.system.metrics.activated(err)
	if err != nil {
		t.logUnlessGone("train not activated", err)
		if errors.Is(err, persistence.ErrNotFound) {
			t.system.catalogue.remove(t.listed)
		}
		// What was created again while this looked is for the next activation to find.
		again := errors.Is(err, persistence.ErrNotFound) && t.system.catalogue.find(t.guard.Train) != nil
		for _, a := range t.waiting {
			if again || errors.Is(err, persistence.ErrFenced) {
				a.send(reply{retry: true})
			} else {
				a.send(reply{err: persistence.Failure(err)})
			}
		}
		t.waiting = nil
		t.halt()
		return
	}
	t.guard.Epoch, t.seats = l.epoch, l.seats
	t.system.catalogue.replace(t.listed, t.seats.Train()) // a change may have been lost
	for _, h := range l.shortened {                       // or the next load would find them alive again
		t.writeHold(persistence.HoldPut, h, func(err error) {
			if err != nil {
				t.logUnlessGone("shortened hold not stored", err)
			}
		})
	}
	t.publish()
	t.reopen()
}
