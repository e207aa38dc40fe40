package activation

import (
	"errors"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Change changes the train when nothing is in flight, first in the store and then in the seat map,
// and returns it.
type Change struct{ To booking.Train }

func (x Change) run(m *Machine, c *call) {
	before := m.seats.Train()
	to := x.To
	to.CreatedAt, to.UpdatedAt, to.Follows = before.CreatedAt, laterThan(before.UpdatedAt, m.now), before.Follows
	if before.Same(&to) {
		m.respond(c, *before, nil)
		return
	}
	m.quiesce(c, func() {
		if err := m.seats.CheckChange(to); err != nil {
			m.refuse(c, err)
			return
		}
		m.ask(&WriteChange{write{c.Request, func(err error) { m.changed(c, to, err) }}, m.guard, to})
	})
}

// Follow changes a departure when nothing is in flight, because its schedule has changed, as
// booking.Follow says, and returns it. One that no seat is taken of is deleted if the schedule does not run
// on its date any more. It does nothing if the departure follows another definition than From already.
type Follow struct {
	Date          booking.Date
	Before, After booking.Schedule // definitions
	From, To      int64            // their revisions
}

func (x Follow) run(m *Machine, c *call) {
	if m.seats.Train().Follows != x.From {
		m.respond(c, nil, nil)
		return
	}
	m.quiesce(c, func() {
		departure := m.seats.Train()
		to, following := booking.Follow(*departure, x.Date, m.seats.Taken(), &x.Before, &x.After)
		if following == booking.Dropped {
			m.delete(c, persistence.Deletion{At: m.now.UTC()})
			return
		}
		to.Follows = x.To
		if !to.Same(departure) {
			to.UpdatedAt = laterThan(departure.UpdatedAt, m.now)
		}
		m.ask(&WriteChange{write{c.Request, func(err error) { m.changed(c, to, err) }}, m.guard, to})
	})
}

func (m *Machine) changed(c *call, to booking.Train, err error) {
	switch {
	case m.failed(c, err):
	case errors.Is(err, persistence.ErrConflict):
		m.refuse(c, &booking.Error{Code: booking.CodeCapacityInUse, Message: "Seats above the new capacity are booked or held"})
	case err != nil:
		m.refuse(c, err)
	default:
		m.seats.Change(to)
		m.publish()
		m.do(Announce{c.Request, to})
		m.resume()
	}
}

// refuse responds with an error to a call that made the others wait, and runs those.
func (m *Machine) refuse(c *call, err error) {
	m.respond(c, nil, err)
	m.resume()
}

// laterThan returns now, or the next microsecond after before if that was set by a clock that is
// ahead.
func laterThan(before, now time.Time) time.Time {
	now = now.UTC().Truncate(time.Microsecond)
	if !now.After(before) {
		now = before.Add(time.Microsecond)
	}
	return now
}

// Delete deletes the train when nothing is in flight, and returns nothing. The activation halts.
type Delete struct {
	Force   bool // cancels the bookings
	Cancels bool // the departure; see persistence.Deletion
	// Follows, unless 0, is the definition that the departure follows. One that follows a later one stays.
	Follows int64
}

func (x Delete) run(m *Machine, c *call) {
	if x.Follows != 0 && x.Follows != m.seats.Train().Follows {
		m.respond(c, nil, nil)
		return
	}
	m.quiesce(c, func() {
		if m.seats.HasBookings() && !x.Force {
			m.refuse(c, hasBookings())
			return
		}
		m.delete(c, persistence.Deletion{At: m.now.UTC(), Force: x.Force, Cancels: x.Cancels})
	})
}

func (m *Machine) delete(c *call, deletion persistence.Deletion) {
	m.deleting = true
	m.ask(&WriteDeletion{
		write{c.Request, func(err error) { m.deleted(c, err) }}, m.guard, deletion, m.seats.LiveHolds(),
	})
}

func (m *Machine) deleted(c *call, err error) {
	switch {
	case m.failed(c, err):
	case err != nil:
		m.deleting = false
		if errors.Is(err, persistence.ErrConflict) {
			err = hasBookings()
		}
		m.refuse(c, err)
	default:
		m.do(Publish{}) // a train that is created with this id must not show it
		m.finish(c, nil, nil)
		m.halt()
	}
}

func hasBookings() error {
	return &booking.Error{Code: booking.CodeHasBookings, Message: "Seats of this train are booked; force cancels them"}
}
