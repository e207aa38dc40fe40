package actors

import (
	"context"
	"slices"
	"time"

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

// Confirm implements booking.Service.
func (s *System) Confirm(ctx context.Context, ref booking.HoldRef) (booking.Booking, error) {
	return askTrain[booking.Booking](ctx, s, ref.Train, confirm{ref})
}

// Release implements booking.Service.
func (s *System) Release(ctx context.Context, ref booking.HoldRef) error {
	arrived := time.Now()
	_, lost, err := tryTrain[nothing](ctx, s, ref.Train, release{ref})
	if !lost || booking.CodeOf(err) != booking.CodeSeatNotLocked {
		return err
	}
	released, failure := s.wasReleased(ctx, ref, arrived)
	switch {
	case failure != nil:
		return failure
	case released: // by an earlier attempt, whose answer was lost
		return nil
	}
	return err
}

// wasReleased reports whether a hold that ref can mean was released since a time: it is kept
// as released for longer than it would have lived.
func (s *System) wasReleased(ctx context.Context, ref booking.HoldRef, since time.Time) (bool, error) {
	holds, err := s.heldSeats.LoadHolds(ctx, ref.Train, time.Now())
	if err != nil {
		return false, persistence.Failure(err)
	}
	return slices.ContainsFunc(holds, func(h booking.Hold) bool {
		return h.Released && h.User == ref.User && h.ExpiresAt.After(since) &&
			(ref.Hold.IsZero() || h.ID == ref.Hold) && (ref.Seat == 0 || slices.Contains(h.Seats, ref.Seat))
	}), nil
}

// hold: decide in memory → pending → hold writer → reply.
type hold struct{ Request booking.HoldRequest }

func (c hold) run(t *trainActor, a *ask) {
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

// confirm: decide → confirming, expiry suspended → commit writer → reply.
type confirm struct{ Ref booking.HoldRef }

func (c confirm) run(t *trainActor, a *ask) {
	b, id, made, err := t.seats.Confirm(c.Ref, a.arrived)
	if err != nil || !made {
		t.answer(a, b, err)
		return
	}
	t.inFlight++
	t.system.sales.add(a.ctx, persistence.Sale{Guard: t.guard, Booking: b}, func(err error) {
		t.send(resume{func() { t.confirmed(a, id, b, err) }})
	})
}

func (t *trainActor) confirmed(a *ask, id booking.HoldID, b booking.Booking, err error) {
	switch {
	case t.lost(a, err):
		return
	case err != nil:
		t.seats.ConfirmFailed(id)
	default:
		t.seats.Booked(id, b)
		t.dropHold(id) // one that stays does no harm: a load drops holds that became bookings
	}
	t.settle(id, a, b, err)
}

// release: decide → releasing → hold writer → reply. It is stored before it is
// answered, so that a crash does not bring the hold back.
type release struct{ Ref booking.HoldRef }

func (c release) run(t *trainActor, a *ask) {
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
