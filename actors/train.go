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
		return booking.Train{}, &booking.Error{Code: booking.CodeAlreadyExists, Message: "A train with this id already exists"}
	case errors.Is(err, persistence.ErrUnknown):
		// If it was created, a retry must find it. If not, its first load removes it.
		s.catalogue.add(&train)
		return booking.Train{}, persistence.ClientError(err)
	case err != nil:
		return booking.Train{}, persistence.ClientError(err)
	}
	s.catalogue.put(&train)
	if err := s.broadcast(ctx, catalogueUpdate{Put: &train}); err != nil {
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
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		put, _, err := sendRequest[booking.Train](ctx, s, train.ID, changeTrain{train})
		if booking.CodeOf(err) != booking.CodeNotFound {
			return put, false, err
		}
		created, err := s.CreateTrain(ctx, train)
		if booking.CodeOf(err) != booking.CodeAlreadyExists {
			return created, err == nil, err
		}
		// Another request created it between the two calls: change it when it is listed.
		if err := pause(ctx, maxBackoff); err != nil {
			return booking.Train{}, false, booking.Timeout(err)
		}
	}
}

// DeleteTrain implements booking.Service.
func (s *System) DeleteTrain(ctx context.Context, id booking.TrainID, force bool) error {
	_, lost, err := sendRequest[empty](ctx, s, id, deleteTrain{force})
	if lost && booking.CodeOf(err) == booking.CodeNotFound {
		return nil // an earlier attempt did it, and its response was lost
	}
	return err
}

func clean(train booking.Train) (booking.Train, error) {
	if !train.ID.Valid() {
		return booking.Train{}, booking.InvalidField("id", "must be a UUID whose last 16 bits are zero")
	}
	return train.Clean()
}

// changeTrain quiesces the train, then changes the store, the seat map and the catalogue.
type changeTrain struct{ To booking.Train }

func (c changeTrain) run(t *trainActor, r *request) {
	now := t.seats.Train()
	to := c.To
	to.CreatedAt, to.UpdatedAt = now.CreatedAt, laterThan(now.UpdatedAt)
	if now.Same(&to) {
		t.respond(r, *now, nil)
		return
	}
	t.quiesce(func() {
		if err := t.seats.CheckChange(to); err != nil {
			t.respond(r, nil, err)
			t.resume()
			return
		}
		guard := t.guard
		t.runAsync(r, func(ctx context.Context) func() {
			err := t.system.store.ChangeTrain(ctx, guard, to)
			return func() { t.changed(r, to, err) }
		})
	})
}

func (t *trainActor) changed(r *request, to booking.Train, err error) {
	if t.haltOnLoss(r, err) {
		return
	}
	if err == nil {
		t.seats.Change(to)
		t.system.catalogue.put(&to)
		t.publish()
		t.resume()
		t.broadcast(r, to, catalogueUpdate{Put: &to})
		return
	}
	t.respond(r, to, err)
	t.resume()
}

// broadcast responds when every peer has the update. The actor does not wait for that and
// may even close, because the update is stored.
func (t *trainActor) broadcast(r *request, value any, u catalogueUpdate) {
	t.system.background.Go(func() {
		if err := t.system.broadcast(context.WithoutCancel(r.ctx), u); err != nil {
			r.send(response{err: booking.Timeout(err)})
			return
		}
		r.send(response{value: value})
	})
}

// laterThan returns the current time, or the next microsecond after before if that was set by a
// clock that is ahead.
func laterThan(before time.Time) time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(before) {
		now = before.Add(time.Microsecond)
	}
	return now
}

// deleteTrain quiesces the train, then deletes it from the store and from the catalogue, and
// halts the activation. Requests that waited find no train.
type deleteTrain struct{ Force bool }

func (c deleteTrain) run(t *trainActor, r *request) {
	t.quiesce(func() {
		if t.seats.HasBookings() && !c.Force {
			t.respond(r, nil, &booking.Error{
				Code: booking.CodeHasBookings, Message: "Seats of this train are booked; force cancels them",
			})
			t.resume()
			return
		}
		guard, holds := t.guard, t.seats.LiveHolds()
		t.listed = t.system.catalogue.find(guard.Train)
		t.deleting = true
		t.runAsync(r, func(ctx context.Context) func() {
			err := t.system.store.DeleteTrain(ctx, guard, time.Now().UTC(), c.Force)
			if err == nil { // a train that is created with this id must not have the holds
				if err = t.system.writeHolds(ctx, guard, persistence.HoldDrop, holds); err != nil {
					err = errors.Join(persistence.ErrUnknown, err)
				}
			}
			if err == nil {
				t.system.catalogue.remove(t.listed)
				err = t.system.broadcastDeletion(ctx, t.listed)
			}
			return func() { t.deleted(r, err) }
		})
	})
}

func (t *trainActor) deleted(r *request, err error) {
	if t.haltOnLoss(r, err) {
		return
	}
	if err != nil {
		t.deleting = false
		t.respond(r, nil, err)
		t.resume()
		return
	}
	t.seats = nil                    // no hold reactivates the train
	t.activation.snapshot.Store(nil) // a train that is created with this id must not show it
	r.send(response{value: empty{}})
	t.halt()
}
