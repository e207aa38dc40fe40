package activation

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Cancel cancels a booking, or some of its seats, in the store, then in the seat map, and returns nothing. If
// the hold that became the booking, or of which it was a part, may still be stored with these seats, the
// hold is dropped or stored without them first: otherwise readers of the stores would find them held.
type Cancel struct {
	User, ID uuid.UUID
	Departed bool // also if the train has left
	By       booking.Canceller
	// Seats are those of the booking that are cancelled, ascending; nil: all.
	Seats []int
}

func (x Cancel) run(m *Machine, c *call) {
	if !m.checkCancel(c, x.User, x.ID, x.Departed) {
		return
	}
	if m.seats.IsWhole(x.ID, x.Seats) {
		x.Seats = nil // another cancellation has left no others
	}
	m.ask(&WriteCancellation{write{c.Request, func(err error) {
		switch {
		case m.failed(c, err):
			return
		case errors.Is(err, persistence.ErrConflict):
			err = booking.NotFound("seat of this booking")
		case err == nil:
			m.seats.Cancelled(x.ID, x.Seats...)
			m.cancels[x.User]++
		}
		m.respond(c, nil, err)
	}}, m.guard, x.ID, m.now.UTC().Truncate(time.Microsecond), x.By, x.Seats})
}

// checkCancel reports whether a booking may be cancelled and its hold is not stored with its seats any more.
// Otherwise it responds to the call, or runs it again when the hold is dropped or has only its other seats. A booking that the seat map does not
// have may be cancelled: a stale owner has not seen the bookings of the next one (I5).
func (m *Machine) checkCancel(c *call, user, id uuid.UUID, departed bool) bool {
	if err := m.seats.CheckCancel(user, id, departed, c.Arrived); err != nil {
		m.respond(c, nil, err)
		return false
	}
	hold, stored := m.booked[id]
	if !stored {
		return true
	}
	if phase, live := m.seats.Phase(hold); live && phase != booking.PhaseHeld {
		m.park(hold, c)
		return false
	}
	m.storeRest(c, hold, func(err error) {
		if err != nil {
			m.respond(c, nil, err)
			return
		}
		delete(m.booked, id)
		m.receive(c)
	})
	return false
}
