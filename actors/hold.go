package actors

import (
	"context"
	"slices"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Hold implements booking.Service.
func (s *System) Hold(ctx context.Context, request booking.HoldRequest) (booking.Hold, error) {
	if request.ID.IsZero() {
		request.ID = booking.NewHoldID(request.Train)
	}
	return askTrain[booking.Hold](ctx, s, request.Train, hold{request})
}

// Release implements booking.Service.
func (s *System) Release(ctx context.Context, ref booking.HoldRef) error {
	_, lost, err := tryTrain[nothing](ctx, s, ref.Train, release{ref})
	if !lost || booking.CodeOf(err) != booking.CodeSeatNotLocked {
		return err
	}
	// An earlier attempt did it, and its answer was lost; unless it was booked instead.
	booked, failure := s.isBooked(ctx, ref)
	switch {
	case failure != nil:
		return failure
	case booked:
		return err
	}
	return nil
}

// isBooked says whether what the user held by ref is booked, or may be: by a seat alone it
// may also be another stretch of it.
func (s *System) isBooked(ctx context.Context, ref booking.HoldRef) (bool, error) {
	all, err := s.store.UserBookings(ctx, ref.User, booking.PageRequest{})
	if err != nil {
		return false, persistence.Failure(err)
	}
	return slices.ContainsFunc(all.Items, func(b booking.BookedTrain) bool {
		if !ref.Hold.IsZero() {
			return b.ID == booking.BookingIDOf(ref.User, ref.Hold)
		}
		return b.Train == ref.Train && slices.Contains(b.Seats, ref.Seat)
	}), nil
}

// hold: decide in memory → pending → hold writer → reply.
type hold struct{ Request booking.HoldRequest }

func (c hold) run(t *train, a *ask) {
	if id := c.Request.ID; t.dropping[id] {
		t.parked[id] = append(t.parked[id], a)
		return
	}
	h, made, err := t.seats.Hold(c.Request, t.system.rules, a.arrived)
	if err != nil || !made {
		t.answer(a, h, err)
		return
	}
	t.writeHold(a.ctx, persistence.HoldPut, h, func(err error) {
		switch {
		case t.lost(a, err):
			return
		case err != nil:
			t.seats.HoldFailed(h.ID)
		default:
			t.seats.HoldWritten(h.ID)
		}
		t.settle(h.ID, a, h, err)
	})
}

// release: decide → releasing → hold writer → reply. It is stored before it is
// answered, so that a crash does not bring the hold back.
type release struct{ Ref booking.HoldRef }

func (c release) run(t *train, a *ask) {
	h, err := t.seats.Release(c.Ref)
	if err != nil {
		t.answer(a, nothing{}, err)
		return
	}
	t.writeHold(a.ctx, persistence.HoldPut, h, func(err error) {
		switch {
		case t.lost(a, err):
			return
		case err != nil:
			t.seats.ReleaseFailed(h.ID)
		default:
			t.seats.Released(h.ID)
		}
		t.settle(h.ID, a, nothing{}, err)
	})
}
