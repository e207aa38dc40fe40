package actors

import (
	"context"
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
	held, _, err := sendRequest[booking.Hold](ctx, s, request.Train, activation.Hold{HoldRequest: request, NewID: isNew})
	return held, err
}

// Confirm implements booking.Service.
func (s *System) Confirm(ctx context.Context, ref booking.HoldRef) (booking.Booking, error) {
	ref.Seats = slices.Sorted(slices.Values(ref.Seats))
	booked, _, err := sendRequest[booking.Booking](ctx, s, ref.Train, activation.Confirm{HoldRef: ref})
	return booked, err
}

// Extend implements booking.Service.
func (s *System) Extend(ctx context.Context, ref booking.HoldRef) (booking.Hold, error) {
	extended, _, err := sendRequest[booking.Hold](ctx, s, ref.Train, activation.Extend{HoldRef: ref})
	return extended, err
}

// Release implements booking.Service.
func (s *System) Release(ctx context.Context, ref booking.HoldRef) error {
	ref.Seats = slices.Sorted(slices.Values(ref.Seats))
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
