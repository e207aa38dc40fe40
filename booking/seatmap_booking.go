package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// CheckCancel returns why the booking cannot be cancelled at now: *InTransitError while it is being
// confirmed, since the store may have it before the seat map does, or departed if the train has left,
// unless departed ones may be cancelled too. Otherwise the store decides.
func (m *SeatMap) CheckCancel(user, id uuid.UUID, departed bool, now time.Time) error {
	if b := m.bookings[id]; b != nil && !departed && m.train.Departed(b.Legs, now) {
		return m.errDeparted(b.Legs)
	}
	for _, h := range m.byUser[user] {
		if h.phase == PhaseConfirming && h.becomes() == id {
			return &InTransitError{h.ID}
		}
	}
	return nil
}

// Cancelled removes a booking that the store has cancelled, or some of its seats, and puts its
// own legs of these on sale again. It is idempotent.
func (m *SeatMap) Cancelled(id uuid.UUID, seats ...int) {
	b := m.bookings[id]
	switch {
	case b == nil:
		return
	case len(seats) == 0:
		seats = b.Seats
	default:
		seats = slices.DeleteFunc(slices.Clone(seats), func(n int) bool { return !slices.Contains(b.Seats, n) })
	}
	// A new slice, since the old one was returned with the booking.
	b.Seats = slices.DeleteFunc(slices.Clone(b.Seats), func(n int) bool { return slices.Contains(seats, n) })
	if len(b.Seats) == 0 {
		delete(m.bookings, id)
	}
	for _, n := range seats {
		if m.seats.has(n) {
			m.seats.change(n).booked &^= b.Legs
		}
		m.removeEntry(b.User, n, seatEntry{legs: b.Legs, booking: id})
	}
	m.changed = true
}

// IsWhole reports whether the seats are all those of a live booking.
func (m *SeatMap) IsWhole(id uuid.UUID, seats []int) bool {
	b := m.bookings[id]
	return b != nil && slices.Equal(b.Seats, seats)
}

// HasBooking reports whether booking id is live.
func (m *SeatMap) HasBooking(id uuid.UUID) bool { return m.bookings[id] != nil }

func (m *SeatMap) addBooking(b *Booking) {
	m.bookings[b.ID] = b
	for _, n := range b.Seats {
		if m.seats.has(n) { // otherwise the stored train is damaged; see Restore
			m.seats.change(n).booked |= b.Legs
		}
		m.addEntry(b.User, n, seatEntry{legs: b.Legs, booking: b.ID})
	}
	m.changed = true
}
