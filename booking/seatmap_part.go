package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// A part is some seats of a hold that are confirmed or released without the others. It is booked, and
// its release is recorded, as if it were a hold with the id HoldID.Part. A part of all seats is the hold.

// resolvePart is resolve for a reference to some seats of a hold. Error also: not_found with the
// Seats that the hold does not have.
func (m *SeatMap) resolvePart(ref HoldRef, history History, now time.Time) (*liveHold, *Booking, error) {
	if part := m.bookings[BookingIDOf(ref.User, ref.Hold.Part(ref.Seats))]; part != nil {
		return nil, part, nil
	}
	whole := ref
	whole.Seats = nil
	h, b, err := m.resolve(whole, history, now)
	switch {
	case err != nil:
		return nil, nil, err
	case h != nil && !h.has(ref.Seats):
		return nil, nil, errNotInHold(h.Seats, ref.Seats)
	case b != nil && !slices.Equal(b.Seats, ref.Seats):
		return nil, nil, errNotInHold(nil, ref.Seats)
	}
	return h, b, nil
}

// errNotInHold has those of the wanted seats that are not held.
func errNotInHold(held, wanted []int) *Error {
	err := NotFound("seat of this hold")
	err.Seats = slices.DeleteFunc(slices.Clone(wanted), func(n int) bool { return slices.Contains(held, n) })
	return err
}

// released reports whether the part that ref refers to was released.
func (h History) released(ref HoldRef) bool {
	part := ref.Hold.Part(ref.Seats)
	return len(ref.Seats) > 0 && slices.ContainsFunc(h.Holds, func(o Hold) bool { return o.ID == part && o.Released })
}

// BookedFrom returns the ids of the live bookings that a stored hold, or a part of it, became.
func (m *SeatMap) BookedFrom(h Hold) (ids []uuid.UUID) {
	for _, n := range h.Seats {
		for _, e := range m.bySeatOfUser[userSeat{h.User, n}] {
			b := m.bookings[e.booking]
			if b != nil && (b.ID == BookingIDOf(h.User, h.ID) || b.ID == BookingIDOf(h.User, h.ID.Part(b.Seats))) {
				ids = append(ids, b.ID)
			}
		}
	}
	return ids
}

// notBooked returns the seats of a stored hold that its user has not booked on its legs: the others left
// it, and this was not stored.
func (m *SeatMap) notBooked(h Hold) []int {
	return slices.DeleteFunc(slices.Clone(h.Seats), func(n int) bool {
		return slices.ContainsFunc(m.bySeatOfUser[userSeat{h.User, n}], func(e seatEntry) bool {
			return m.bookings[e.booking] != nil && e.legs.Overlaps(h.Legs)
		})
	})
}

// leave takes the seats that are confirmed or released from a hold, and removes it if they are all.
func (m *SeatMap) leave(h *liveHold) {
	if h.part == nil {
		m.dropHold(h)
		return
	}
	m.freeSeats(h, h.part)
	h.Seats = h.without(h.part)
	m.hold(h)
}

// partOf returns the part that consists of some seats, which the hold has: nil if they are all.
func (h *liveHold) partOf(seats []int) []int {
	if len(seats) == len(h.Seats) {
		return nil
	}
	return seats
}

// leaving returns the seats that are confirming or releasing.
func (h *liveHold) leaving() []int {
	if h.part != nil {
		return h.part
	}
	return h.Seats
}

// becomes returns the id of the booking of a confirming hold.
func (h *liveHold) becomes() uuid.UUID {
	if h.part != nil {
		return BookingIDOf(h.User, h.ID.Part(h.part))
	}
	return BookingIDOf(h.User, h.ID)
}

func (h *liveHold) has(seats []int) bool {
	return !slices.ContainsFunc(seats, func(n int) bool { return !slices.Contains(h.Seats, n) })
}

// without returns the seats of the hold without some of them, in a new slice.
func (h *liveHold) without(seats []int) []int {
	return slices.DeleteFunc(slices.Clone(h.Seats), func(n int) bool { return slices.Contains(seats, n) })
}
