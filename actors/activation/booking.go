package activation

import (
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Cancel cancels a booking in the store, then in the seat map, and returns nothing. If the hold that
// became the booking may still be stored, it is dropped first: to readers of the stores the seat would
// otherwise be held.
type Cancel struct {
	User, ID uuid.UUID
	Departed bool // also if the train has left
	By       booking.Canceller
}

func (x Cancel) run(m *Machine, c *call) {
	// A booking that the seat map does not have is still cancelled in the store: a stale
	// owner has not seen the bookings of the next one (I5).
	if err := m.seats.CheckCancel(x.User, x.ID, x.Departed, c.Arrived); err != nil {
		m.respond(c, nil, err)
		return
	}
	if id, stored := m.booked[x.ID]; stored {
		m.dropHold(c, id, func(err error) {
			if err != nil {
				m.respond(c, nil, err)
				return
			}
			delete(m.booked, x.ID)
			m.receive(c)
		})
		return
	}
	m.ask(&WriteCancellation{write{c.Request, func(err error) {
		if m.failed(c, err) {
			return
		}
		if err == nil {
			m.seats.Cancelled(x.ID)
			m.cancels[x.User]++
		}
		m.respond(c, nil, err)
	}}, m.guard, x.ID, m.now.UTC().Truncate(time.Microsecond), x.By})
}
