package activation

import (
	"errors"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Hold decides in memory, stores the hold and returns it.
type Hold struct {
	booking.HoldRequest
	// NewID reports that the id was made for this request, so that no earlier request had it.
	NewID bool
}

func (h Hold) run(m *Machine, c *call) {
	if (!h.NewID || c.Lost) && m.needHistory(c, h.User) { // it may have been booked
		return
	}
	held, made, err := m.seats.Hold(h.HoldRequest, m.rules, c.past(), c.Arrived)
	if err != nil || !made {
		m.respond(c, held, err)
		return
	}
	m.putHold(c, held, held, nil, m.seats.HoldWritten, m.seats.HoldFailed)
}

// Confirm decides in memory, which suspends the expiry of the hold, stores the sale and returns
// the booking.
type Confirm struct{ booking.HoldRef }

func (f Confirm) run(m *Machine, c *call) {
	b, id, made, refused := m.confirm(c, f.HoldRef)
	switch {
	case refused:
	case !made:
		m.respond(c, b, nil)
	default:
		m.ask(&WriteSale{m.sale(c, id, b, func(err error) error { return err }), persistence.Sale{Guard: m.guard, Booking: b}})
	}
}

// confirm decides to book a hold for a call; see booking.SeatMap.Confirm. If it is refused, confirm responds,
// or arranges that something else does.
func (m *Machine) confirm(c *call, ref booking.HoldRef) (b booking.Booking, id booking.HoldID, made, refused bool) {
	if m.seats.NeedsHistory(ref) && m.needHistory(c, ref.User) {
		return b, id, false, true
	}
	b, id, made, err := m.seats.Confirm(ref, c.past(), c.Arrived)
	switch {
	case m.mayHaveExpired(c, ref.User, err):
	case booking.CodeOf(err) == booking.CodeNotOnSale:
		m.release(c, ref, err)
	case err != nil:
		m.respond(c, nil, err)
	}
	return b, id, made, err != nil
}

// sale is what the writes of a sale have in common. written runs before the hold is settled.
func (m *Machine) sale(c *call, id booking.HoldID, b booking.Booking, written func(error) error) write {
	m.sales++
	return write{c.Request, func(err error) {
		m.sales--
		m.confirmed(c, id, b, written(err))
	}}
}

func (m *Machine) confirmed(c *call, id booking.HoldID, b booking.Booking, err error) {
	if errors.Is(err, persistence.ErrFenced) {
		m.report(TakeoverDuringConfirm, 1, nil)
	}
	switch {
	case m.failed(c, err):
		return
	case errors.Is(err, persistence.ErrConflict):
		err = m.seats.ConfirmRefused(id)
		m.dropHold(nil, id, func(error) {})
	case err != nil:
		m.seats.ConfirmFailed(id)
	default:
		m.seats.Booked(id, b)
		m.booked[b.ID] = id
		m.storeRest(nil, id, func(err error) {
			if err == nil {
				delete(m.booked, b.ID)
			}
		})
	}
	m.settle(id, c, b, err)
}

// Release decides in memory, stores the released hold and returns nothing. It is stored before the
// response, so that a crash does not restore the hold.
type Release struct{ booking.HoldRef }

func (r Release) run(m *Machine, c *call) {
	if m.seats.NeedsHistory(r.HoldRef) && m.needHistory(c, r.User) {
		return
	}
	m.release(c, r.HoldRef, nil)
}

// Extend decides in memory, stores the extended hold and returns it.
type Extend struct{ booking.HoldRef }

func (x Extend) run(m *Machine, c *call) {
	if m.seats.NeedsHistory(x.HoldRef) && m.needHistory(c, x.User) {
		return
	}
	h, made, err := m.seats.Extend(x.HoldRef, m.rules, c.past(), c.Arrived)
	switch {
	case m.mayHaveExpired(c, x.User, err):
	case err != nil || !made:
		m.respond(c, h, err)
	default:
		m.putHold(c, h, h, nil, func(booking.HoldID) { m.seats.Extended(h) }, m.seats.ExtendFailed)
	}
}

// release releases a hold and responds with result.
func (m *Machine) release(c *call, ref booking.HoldRef, result error) {
	stored, err := m.seats.Release(ref, c.past(), c.Arrived)
	switch {
	case m.mayHaveExpired(c, ref.User, err):
	case err != nil || len(stored) == 0:
		m.respond(c, nil, err)
	default:
		last := len(stored) - 1
		for _, h := range stored[:last] {
			m.recordHold(h)
		}
		m.putHold(c, stored[last], nil, result, m.seats.Released, m.seats.ReleaseFailed)
	}
}

// recordHold stores a hold that has ended. If it is not stored, nothing but the history lacks it.
func (m *Machine) recordHold(h booking.Hold) {
	m.writeHold(nil, persistence.HoldPut, h, func(err error) {
		if m.contradicts(err) {
			m.halt()
		}
	})
}

// mayHaveExpired asks for the history of a user whose hold was not found, and reports whether it did:
// the history shows whether the hold has expired.
func (m *Machine) mayHaveExpired(c *call, user uuid.UUID, err error) bool {
	return booking.CodeOf(err) == booking.CodeSeatNotLocked && m.needHistory(c, user)
}

// past returns the history that was read for the call.
func (c *call) past() booking.History {
	if c.history == nil {
		return booking.History{}
	}
	return *c.history
}

// settle responds to the call whose write of a hold has ended, and runs those that were parked on
// the hold.
func (m *Machine) settle(id booking.HoldID, c *call, value any, err error) {
	m.respond(c, value, err)
	m.unpark(id)
}

// putHold stores a hold for a call, settles the hold in the seat map, and responds with value or result.
func (m *Machine) putHold(
	c *call, h booking.Hold, value any, result error, written, failed func(booking.HoldID),
) {
	m.writeHold(c, persistence.HoldPut, h, func(err error) {
		switch {
		case m.failed(c, err):
			return
		case err != nil:
			failed(h.ID)
			m.settle(h.ID, c, nil, err)
		default:
			written(h.ID)
			m.settle(h.ID, c, value, result)
		}
	})
}

// writeHold writes a hold for a call, or for none. then runs when it is written.
func (m *Machine) writeHold(c *call, op persistence.HoldOp, h booking.Hold, then func(error)) {
	var request *Request
	if c != nil {
		request = c.Request
	}
	h.Incarnation = m.incarnation
	m.ask(&WriteHold{write{request, then}, persistence.HoldWrite{Guard: m.guard, Op: op, Hold: h}})
}

// storeRest stores what is left of a hold of which seats were booked. then runs as after dropHold.
func (m *Machine) storeRest(c *call, id booking.HoldID, then func(error)) {
	if rest, live := m.seats.LiveHold(id); live {
		m.writeAfterSale(c, persistence.HoldPutAgain, rest, then)
		return
	}
	m.dropHold(c, id, then)
}

// dropHold drops the stored record of a hold, for a call or for none. then runs unless the activation
// halts. A drop that may still be executed is fenced by the next activation.
func (m *Machine) dropHold(c *call, id booking.HoldID, then func(error)) {
	m.writeAfterSale(c, persistence.HoldDrop, booking.Hold{ID: id}, then)
}

func (m *Machine) writeAfterSale(c *call, op persistence.HoldOp, h booking.Hold, then func(error)) {
	m.writeHold(c, op, h, func(err error) {
		switch {
		case c != nil && m.failed(c, err):
		case c == nil && m.contradicts(err):
			m.halt()
		default:
			then(err)
		}
	})
}
