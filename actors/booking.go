package actors

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CancelBooking implements booking.Service.
func (s *System) CancelBooking(ctx context.Context, user, id uuid.UUID, seats ...int) error {
	return s.cancelBooking(ctx, user, id, false, seats)
}

// CancelAnyBooking implements booking.Service.
func (s *System) CancelAnyBooking(ctx context.Context, admin, id uuid.UUID, seats ...int) error {
	return s.cancelBooking(ctx, admin, id, true, seats)
}

func (s *System) cancelBooking(ctx context.Context, caller, id uuid.UUID, asAdmin bool, seats []int) error {
	b, err := s.store.FindBooking(ctx, id)
	own := b.User == caller
	switch {
	case err != nil:
		return bookingError(err)
	case !own && !asAdmin:
		return booking.NotFound("booking")
	}
	seats = slices.Sorted(slices.Values(seats))
	others := slices.ContainsFunc(seats, func(n int) bool { return !slices.Contains(b.Seats, n) })
	switch {
	case others:
		return s.cancelledBefore(ctx, id, seats)
	case !b.CancelledAt.IsZero():
		return nil
	case len(seats) == 0 || len(seats) == len(b.Seats):
		seats = nil
	}
	cancel := activation.Cancel{User: b.User, ID: id, Departed: asAdmin, By: booking.ByAdmin, Seats: seats}
	if own {
		cancel.By = booking.ByPassenger
	}
	_, _, err = sendRequest[empty](ctx, s, b.Train, cancel)
	return err
}

// cancelledBefore returns not_found unless a cancellation of the same seats of a booking has succeeded.
func (s *System) cancelledBefore(ctx context.Context, id uuid.UUID, seats []int) error {
	_, err := s.store.FindBooking(ctx, booking.PartOf(id, seats))
	if errors.Is(err, persistence.ErrNotFound) {
		return booking.NotFound("seat of this booking")
	}
	return persistence.ClientError(err)
}

// cancel executes a cancellation in the store.
func cancel(ctx context.Context, store persistence.Store, w *activation.WriteCancellation) error {
	if w.Seats == nil {
		return store.CancelBooking(ctx, w.Guard, w.Booking, w.At, w.By)
	}
	return store.CancelSeats(ctx, w.Guard, w.Booking, w.Seats, w.At, w.By)
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
	if errors.Is(err, persistence.ErrNotFound) && s.catalogue.findComputed(id) != nil {
		return booking.Page[booking.BookedTrain]{Items: []booking.BookedTrain{}}, nil
	}
	return found, persistence.ClientError(err)
}
