package actors

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CancelBooking implements booking.Service.
func (s *System) CancelBooking(ctx context.Context, user, id uuid.UUID) error {
	b, err := s.store.FindBooking(ctx, id)
	switch {
	case errors.Is(err, persistence.ErrNotFound), err == nil && b.User != user:
		return booking.NotFound("booking")
	case err != nil:
		return persistence.ClientError(err)
	case !b.CancelledAt.IsZero():
		return nil
	}
	_, _, err = sendRequest[empty](ctx, s, b.Train, cancel{user, id})
	return err
}

// UserBookings implements booking.Service.
func (s *System) UserBookings(
	ctx context.Context, user uuid.UUID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	found, err := s.store.UserBookings(ctx, user, page)
	return found, persistence.ClientError(err)
}

// TrainBookings implements booking.Service.
func (s *System) TrainBookings(
	ctx context.Context, id booking.TrainID, page booking.PageRequest,
) (booking.Page[booking.Booking], error) {
	if s.catalogue.find(id) == nil {
		return booking.Page[booking.Booking]{}, booking.NotFound("train")
	}
	found, err := s.store.TrainBookings(ctx, id, page)
	return found, persistence.ClientError(err)
}

// cancel cancels a booking in the store, then in the seat map.
type cancel struct{ User, ID uuid.UUID }

func (c cancel) run(t *trainActor, r *request) {
	// A booking that the seat map does not have is still cancelled in the store: a stale
	// owner has not seen the bookings of the next one (I5).
	if err := t.seats.CheckCancel(c.User, c.ID); err != nil {
		t.respond(r, empty{}, err)
		return
	}
	guard, now := t.guard, time.Now()
	t.runAsync(r, func(ctx context.Context) func() {
		err := t.system.store.CancelBooking(ctx, guard, c.ID, now.UTC().Truncate(time.Microsecond))
		return func() {
			if t.haltOnLoss(r, err) {
				return
			}
			if err == nil {
				t.seats.Cancelled(c.ID, now)
			}
			t.respond(r, empty{}, err)
		}
	})
}
