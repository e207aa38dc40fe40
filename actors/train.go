package actors

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CreateTrain implements booking.Service.
func (s *System) CreateTrain(ctx context.Context, train booking.Train) (booking.Train, error) {
	if train.ID == (booking.TrainID{}) {
		train.ID = booking.NewTrainID()
	}
	train, err := clean(train)
	if err != nil {
		return booking.Train{}, err
	}
	train.CreatedAt = time.Now().UTC().Truncate(time.Microsecond)
	train.UpdatedAt = train.CreatedAt
	err = s.store.CreateTrain(ctx, train)
	switch {
	case errors.Is(err, persistence.ErrExists):
		return booking.Train{}, &booking.Error{Code: booking.CodeAlreadyExists, Message: "A train has this id"}
	case errors.Is(err, persistence.ErrUnknown):
		// Perhaps it is there: then a retry must find it. If not, its activation finds out.
		s.catalogue.add(&train)
		return booking.Train{}, persistence.Failure(err)
	case err != nil:
		return booking.Train{}, persistence.Failure(err)
	}
	s.catalogue.put(&train)
	if err := s.announce(ctx, news{Put: &train}); err != nil {
		return booking.Train{}, booking.Timeout(err)
	}
	return train, nil
}

// PutTrain implements booking.Service.
func (s *System) PutTrain(ctx context.Context, train booking.Train) (booking.Train, bool, error) {
	train, err := clean(train)
	if err != nil {
		return booking.Train{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for {
		put, err := askTrain[booking.Train](ctx, s, train.ID, change{train})
		if booking.CodeOf(err) != booking.CodeNotFound {
			return put, false, err
		}
		created, err := s.CreateTrain(ctx, train)
		if booking.CodeOf(err) != booking.CodeAlreadyExists {
			return created, err == nil, err
		}
		// Another request created it between the two: change that one, when it is listed.
		if err := pause(ctx, maxBackoff); err != nil {
			return booking.Train{}, false, booking.Timeout(err)
		}
	}
}

// DeleteTrain implements booking.Service.
func (s *System) DeleteTrain(ctx context.Context, id booking.TrainID, force bool) error {
	_, lost, err := tryTrain[nothing](ctx, s, id, remove{force})
	if lost && booking.CodeOf(err) == booking.CodeNotFound {
		return nil // an earlier attempt did it, and its answer was lost
	}
	return err
}

func clean(train booking.Train) (booking.Train, error) {
	if !train.ID.Valid() {
		return booking.Train{}, booking.InvalidField("id", "must be a UUID whose last 16 bits are zero")
	}
	return train.Clean()
}

// change: asks wait → store → seat map and catalogue.
type change struct{ To booking.Train }

func (c change) run(t *trainActor, a *ask) {
	now := t.seats.Train()
	to := c.To
	to.CreatedAt, to.UpdatedAt = now.CreatedAt, laterThan(now.UpdatedAt)
	if now.Same(&to) {
		t.answer(a, *now, nil)
		return
	}
	t.whenQuiet(func() {
		if err := t.seats.CheckChange(to); err != nil {
			t.answer(a, nil, err)
			t.reopen()
			return
		}
		guard := t.guard
		t.later(a, func(ctx context.Context) func() {
			err := t.system.store.ChangeTrain(ctx, guard, to)
			return func() { t.changed(a, to, err) }
		})
	})
}

func (t *trainActor) changed(a *ask, to booking.Train, err error) {
	if t.lost(a, err) {
		return
	}
	if err == nil {
		t.seats.Change(to)
		t.system.catalogue.put(&to)
		t.publish()
		t.reopen()
		t.announce(a, to, news{Put: &to})
		return
	}
	t.answer(a, to, err)
	t.reopen()
}

// announce answers when every peer knows the news. The train goes on meanwhile, and may
// close: what is told is stored.
func (t *trainActor) announce(a *ask, value any, n news) {
	if t.system.cluster == nil {
		t.answer(a, value, nil)
		return
	}
	t.system.background.Go(func() {
		if err := t.system.announce(context.WithoutCancel(a.ctx), n); err != nil {
			a.send(reply{err: booking.Timeout(err)})
			return
		}
		a.send(reply{value: value})
	})
}

// laterThan is now, or just after a time that a faster clock has set.
func laterThan(before time.Time) time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(before) {
		now = before.Add(time.Microsecond)
	}
	return now
}

// remove: asks wait → store → catalogue; then this activation closes, and what waited
// finds no train.
type remove struct{ Force bool }

func (c remove) run(t *trainActor, a *ask) {
	t.whenQuiet(func() {
		if t.seats.HasBookings() && !c.Force {
			t.answer(a, nil, &booking.Error{
				Code: booking.CodeHasBookings, Message: "Seats of this train are booked; force cancels them",
			})
			t.reopen()
			return
		}
		guard, holds := t.guard, t.seats.LiveHolds()
		t.listed = t.system.catalogue.find(guard.Train)
		t.removing = true
		t.later(a, func(ctx context.Context) func() {
			err := t.system.store.DeleteTrain(ctx, guard, time.Now().UTC(), c.Force)
			if err == nil {
				err = t.dropHolds(ctx, guard, holds)
			}
			if err == nil {
				t.system.catalogue.remove(t.listed)
				err = t.system.announceRemoval(ctx, t.listed)
			}
			return func() { t.removed(a, err) }
		})
	})
}

func (t *trainActor) removed(a *ask, err error) {
	if t.lost(a, err) {
		return
	}
	if err != nil {
		t.removing = false
		t.answer(a, nil, err)
		t.reopen()
		return
	}
	t.seats = nil                    // nothing is left that would need an owner
	t.activation.snapshot.Store(nil) // nor that could be seen of a train put again
	a.send(reply{value: nothing{}})
	t.halt()
}

// dropHolds ends the live holds of a deleted train, so that they do not come back with
// it when its id is put again. It runs off the actor. A failure is as good as unknown:
// the train is deleted, its holds may be there.
func (t *trainActor) dropHolds(ctx context.Context, guard persistence.Guard, holds []booking.Hold) error {
	writes := make([]persistence.HoldWrite, len(holds))
	for i, h := range holds {
		writes[i] = persistence.HoldWrite{Guard: guard, Op: persistence.HoldDrop, Hold: h}
	}
	if len(writes) == 0 {
		return nil
	}
	results, err := t.system.heldSeats.WriteHolds(ctx, writes)
	if err = errors.Join(append(results, err)...); err != nil {
		return errors.Join(persistence.ErrUnknown, err)
	}
	return nil
}
