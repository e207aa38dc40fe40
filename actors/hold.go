package actors

import (
	"context"
	"errors"
	"slices"
	"time"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Hold implements booking.Service.
func (s *System) Hold(ctx context.Context, request booking.HoldRequest) (booking.Hold, error) {
	isNew := request.ID.IsZero()
	if isNew {
		request.ID = booking.NewHoldID(request.Train)
	}
	err := s.refuseComputed(ctx, request.Train, func(seats *booking.SeatMap) error {
		_, _, err := seats.Hold(request, s.rules, booking.History{}, time.Now())
		return err
	})
	if err != nil {
		return booking.Hold{}, err
	}
	held, _, err := sendRequest[booking.Hold](ctx, s, request.Train, activation.Hold{HoldRequest: request, NewID: isNew})
	return held, err
}

// Confirm implements booking.Service.
func (s *System) Confirm(ctx context.Context, ref booking.HoldRef) (booking.Booking, error) {
	ref.Seats = slices.Sorted(slices.Values(ref.Seats))
	if err := s.refuseUnheld(ctx, ref); err != nil {
		return booking.Booking{}, err
	}
	booked, _, err := sendRequest[booking.Booking](ctx, s, ref.Train, activation.Confirm{HoldRef: ref})
	return booked, err
}

// Extend implements booking.Service.
func (s *System) Extend(ctx context.Context, ref booking.HoldRef) (booking.Hold, error) {
	if err := s.refuseUnheld(ctx, ref); err != nil {
		return booking.Hold{}, err
	}
	extended, _, err := sendRequest[booking.Hold](ctx, s, ref.Train, activation.Extend{HoldRef: ref})
	return extended, err
}

// Release implements booking.Service.
func (s *System) Release(ctx context.Context, ref booking.HoldRef) error {
	ref.Seats = slices.Sorted(slices.Values(ref.Seats))
	if err := s.refuseUnheld(ctx, ref); err != nil {
		return err
	}
	arrived := time.Now()
	_, lost, err := sendRequest[empty](ctx, s, ref.Train, activation.Release{HoldRef: ref})
	if !lost || len(ref.Seats) > 0 || booking.CodeOf(err) != booking.CodeSeatNotLocked {
		return err
	}
	released, failure := s.wasReleased(ctx, ref, arrived)
	switch {
	case failure != nil:
		return unknownIfLost(failure, lost)
	case released: // by an earlier attempt, whose response was lost
		return nil
	}
	return err
}

// wasReleased reports whether a hold that ref refers to was released since a time. The store
// keeps released holds for longer than they would have lived.
func (s *System) wasReleased(ctx context.Context, ref booking.HoldRef, since time.Time) (bool, error) {
	holds, err := s.holdStore.UserHolds(ctx, ref.Train, ref.User, time.Now())
	if err != nil {
		return false, persistence.ClientError(err)
	}
	return slices.ContainsFunc(holds, func(h booking.Hold) bool {
		return h.Released && h.ExpiresAt.After(since) && ref.Matches(h)
	}), nil
}

// refuseUnheld returns the error of a reference to a hold of a departure without a row: there is none.
func (s *System) refuseUnheld(ctx context.Context, ref booking.HoldRef) error {
	return s.refuseComputed(ctx, ref.Train, func(seats *booking.SeatMap) error {
		_, _, _, err := seats.Confirm(ref, booking.History{}, time.Now())
		return err
	})
}

// refuseComputed returns the error of a request to a departure without a row, if its empty seat map refuses
// it. So nobody makes rows of departures, by the id of any date, on which nothing is sold.
func (s *System) refuseComputed(ctx context.Context, id booking.TrainID, decide func(*booking.SeatMap) error) error {
	train := s.catalogue.findComputed(id)
	if train == nil {
		return nil
	}
	refusal := decide(booking.NewSeatMap(*train))
	if refusal == nil {
		return nil
	}
	// Another process may have made the row just now. It is read as for an activation: what a sale needs does
	// not wait for readers.
	rows, err := s.store.Epochs(ctx, []booking.TrainID{id})
	switch {
	case err != nil:
		return persistence.ClientError(err)
	case errors.Is(rows[0].Err, persistence.ErrNotFound):
		return refusal
	}
	return persistence.ClientError(rows[0].Err)
}
