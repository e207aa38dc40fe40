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
	return s.cancelBooking(ctx, user, id, false)
}

// CancelAnyBooking implements booking.Service.
func (s *System) CancelAnyBooking(ctx context.Context, admin, id uuid.UUID) error {
	return s.cancelBooking(ctx, admin, id, true)
}

func (s *System) cancelBooking(ctx context.Context, caller, id uuid.UUID, asAdmin bool) error {
	b, err := s.store.FindBooking(ctx, id)
	own := b.User == caller
	switch {
	case err != nil:
		return bookingError(err)
	case !own && !asAdmin:
		return booking.NotFound("booking")
	case !b.CancelledAt.IsZero():
		return nil
	}
	cancel := activation.Cancel{User: b.User, ID: id, Departed: asAdmin, By: booking.ByAdmin}
	if own {
		cancel.By = booking.ByPassenger
	}
	_, _, err = sendRequest[empty](ctx, s, b.Train, cancel)
	return err
}

// FindBooking implements booking.Service.
func (s *System) FindBooking(ctx context.Context, user, id uuid.UUID) (booking.BookedTrain, error) {
	found, err := s.FindAnyBooking(ctx, id)
	if err == nil && found.User != user {
		return booking.BookedTrain{}, booking.NotFound("booking")
	}
	return found, err
}

// FindAnyBooking implements booking.Service.
func (s *System) FindAnyBooking(ctx context.Context, id uuid.UUID) (booking.BookedTrain, error) {
	found, err := s.store.FindBookedTrain(ctx, id)
	return found, bookingError(err)
}

// bookingError is persistence.ClientError for a call that finds a booking.
func bookingError(err error) error {
	if errors.Is(err, persistence.ErrNotFound) {
		return booking.NotFound("booking")
	}
	return persistence.ClientError(err)
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
) (booking.Page[booking.BookedTrain], error) {
	found, err := s.store.TrainBookings(ctx, id, page)
	return found, persistence.ClientError(err)
}
