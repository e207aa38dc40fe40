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
	held, _, err := sendRequest[booking.Hold](ctx, s, request.Train, hold{request})
	return held, err
}

// Confirm implements booking.Service.
func (s *System) Confirm(ctx context.Context, ref booking.HoldRef) (booking.Booking, error) {
	booked, _, err := sendRequest[booking.Booking](ctx, s, ref.Train, confirm{ref})
	return booked, err
}

// Release implements booking.Service.
func (s *System) Release(ctx context.Context, ref booking.HoldRef) error {
	arrived := time.Now()
	_, lost, err := sendRequest[empty](ctx, s, ref.Train, release{ref})
	if !lost || booking.CodeOf(err) != booking.CodeSeatNotLocked {
		return err
	}
	released, failure := s.wasReleased(ctx, ref, arrived)
	switch {
	case failure != nil:
		return failure
	case released: // by an earlier attempt, whose response was lost
		return nil
	}
	return err
}

// wasReleased reports whether a hold that ref refers to was released since a time. The store
// keeps released holds for longer than they would have lived.
func (s *System) wasReleased(ctx context.Context, ref booking.HoldRef, since time.Time) (bool, error) {
	holds, err := s.holdStore.LoadHolds(ctx, ref.Train, time.Now())
	if err != nil {
		return false, persistence.ClientError(err)
	}
	return slices.ContainsFunc(holds, func(h booking.Hold) bool {
		return h.Released && h.ExpiresAt.After(since) && ref.Matches(h)
	}), nil
}

// hold decides in memory, stores the hold and responds.
type hold struct{ Request booking.HoldRequest }

func (c hold) run(t *trainActor, r *request) {
	if id := c.Request.ID; t.dropping[id] {
		t.parked[id] = append(t.parked[id], r)
		return
	}
	h, made, err := t.seats.Hold(c.Request, t.system.rules, r.arrived)
	if err != nil || !made {
		t.respond(r, h, err)
		return
	}
	t.writeHold(r.ctx, persistence.HoldPut, h, func(err error) {
		switch {
		case t.haltOnLoss(r, err):
			return
		case err != nil:
			t.seats.HoldFailed(h.ID)
		default:
			t.seats.HoldWritten(h.ID)
		}
		t.settle(h.ID, r, h, err)
	})
}

// confirm decides in memory, which suspends the expiry of the hold, stores the sale and
// responds.
type confirm struct{ Ref booking.HoldRef }

func (c confirm) run(t *trainActor, r *request) {
	b, id, made, err := t.seats.Confirm(c.Ref, r.arrived)
	if err != nil || !made {
		t.respond(r, b, err)
		return
	}
	t.inFlight++
	t.system.saleWriter.add(r.ctx, persistence.Sale{Guard: t.guard, Booking: b}, func(err error) {
		t.send(continuation{func() { t.confirmed(r, id, b, err) }})
	})
}

func (t *trainActor) confirmed(r *request, id booking.HoldID, b booking.Booking, err error) {
	switch {
	case t.haltOnLoss(r, err):
		return
	case err != nil:
		t.seats.ConfirmFailed(id)
	default:
		t.seats.Booked(id, b)
		t.dropHold(id) // if that fails, the next load ignores the hold, because it became a booking
	}
	t.settle(id, r, b, err)
}

// release decides in memory, stores the released hold and responds. It is stored before the
// response, so that a crash does not restore the hold.
type release struct{ Ref booking.HoldRef }

func (c release) run(t *trainActor, r *request) {
	h, err := t.seats.Release(c.Ref)
	if err != nil {
		t.respond(r, empty{}, err)
		return
	}
	t.writeHold(r.ctx, persistence.HoldPut, h, func(err error) {
		switch {
		case t.haltOnLoss(r, err):
			return
		case err != nil:
			t.seats.ReleaseFailed(h.ID)
		default:
			t.seats.Released(h.ID)
		}
		t.settle(h.ID, r, empty{}, err)
	})
}
