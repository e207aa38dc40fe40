package booking

import (
	"time"

	"github.com/google/uuid"
)

// Confirm decides to book a live hold at now. The hold is confirming: store the
// booking, then report Booked or ConfirmFailed. For what is booked already, made is
// false. Errors as Service.Confirm, and *InTransitError.
func (m *SeatMap) Confirm(ref HoldRef, now time.Time) (b Booking, hold HoldID, made bool, err error) {
	h, booked, err := m.resolve(ref)
	switch {
	case err != nil:
		return Booking{}, HoldID{}, false, err
	case booked != nil:
		return *booked, HoldID{}, false, nil
	case h.phase != PhaseHeld:
		return Booking{}, HoldID{}, false, &InTransitError{h.ID}
	case !h.deadline.After(now): // it was in transit until just now and is not expired yet
		return Booking{}, HoldID{}, false, errNotLocked()
	}
	h.phase = PhaseConfirming
	return Booking{
		ID: BookingIDOf(h.User, h.ID), Train: m.train.ID, User: h.User,
		Legs: h.Legs, Seats: h.Seats, BookedAt: now.UTC().Truncate(time.Microsecond),
	}, h.ID, true, nil
}

// Booked makes a confirming hold the booking that was stored.
func (m *SeatMap) Booked(id HoldID, b Booking) {
	if h := m.inPhase(id, PhaseConfirming); h != nil {
		m.dropHold(h)
		m.addBooking(&b)
	}
}

// ConfirmFailed settles a hold whose booking was not stored as held.
func (m *SeatMap) ConfirmFailed(id HoldID) { m.settle(id, PhaseConfirming) }

// Cancelled takes out a booking that was cancelled in the store: its own legs are on sale
// again. Idempotent.
func (m *SeatMap) Cancelled(id uuid.UUID, now time.Time) {
	b := m.bookings[id]
	if b == nil {
		return
	}
	delete(m.bookings, id)
	for _, n := range b.Seats {
		m.seat(n).booked &^= b.Legs
		m.unclaim(b.User, n, claim{legs: b.Legs, booking: id})
	}
	m.remember(b.User, endedSegment{seats: b.Seats, legs: b.Legs, forget: now.Add(HoldRetention)})
	m.spend(id, now.Add(HoldRetention))
	m.changed = true
}

// Cancel reports whether booking id of user is live, so that it can be cancelled in the
// store. Error: *InTransitError while its confirm is, since the store may have it before
// the seat map does.
func (m *SeatMap) Cancel(user, id uuid.UUID) (live bool, err error) {
	for _, h := range m.byUser[user] {
		if h.phase == PhaseConfirming && BookingIDOf(user, h.ID) == id {
			return false, &InTransitError{h.ID}
		}
	}
	return m.HasBooking(id), nil
}

// HasBooking reports whether booking id is live.
func (m *SeatMap) HasBooking(id uuid.UUID) bool { return m.bookings[id] != nil }
