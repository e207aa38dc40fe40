package actors

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CancelBooking implements booking.Service.
func (s *System) CancelBooking(ctx context.Context, user, id uuid.UUID) error {
	return s.cancelBooking(ctx, id, false, func(b booking.Booking) bool { return b.User == user })
}

// CancelAnyBooking implements booking.Service.
func (s *System) CancelAnyBooking(ctx context.Context, id uuid.UUID) error {
	return s.cancelBooking(ctx, id, true, func(booking.Booking) bool { return true })
}

func (s *System) cancelBooking(ctx context.Context, id uuid.UUID, departed bool, visible func(booking.Booking) bool) error {
	b, err := s.store.FindBooking(ctx, id)
	switch {
	case errors.Is(err, persistence.ErrNotFound), err == nil && !visible(b):
		return booking.NotFound("booking")
	case err != nil:
		return persistence.ClientError(err)
	case !b.CancelledAt.IsZero():
		return nil
	}
	_, _, err = sendRequest[empty](ctx, s, b.Train, activation.Cancel{User: b.User, ID: id, Departed: departed})
	return err
}

// FindBooking implements booking.Service.
func (s *System) FindBooking(ctx context.Context, user, id uuid.UUID) (booking.BookedTrain, error) {
	found, err := s.store.FindUserBooking(ctx, user, id)
	if errors.Is(err, persistence.ErrNotFound) {
		return booking.BookedTrain{}, booking.NotFound("booking")
	}
	return found, persistence.ClientError(err)
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
	if _, err := s.findTrain(ctx, id); err != nil {
		return booking.Page[booking.Booking]{}, err
	}
	found, err := s.store.TrainBookings(ctx, id, page)
	return found, persistence.ClientError(err)
}
