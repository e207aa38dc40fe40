package booking

import (
	"slices"

	"github.com/google/uuid"
)

// A claim is a segment of a seat that a user has. Claims, and what is remembered of ended
// ones, answer "which hold does this user mean by this seat?": the question has an answer
// as long as all of them are of one segment (API.md 1, ambiguous_hold).
type claim struct {
	legs    Legs
	hold    HoldID    // of a live hold, or zero
	booking uuid.UUID // of a live booking, or zero
}

type claimKey struct {
	user uuid.UUID
	seat int
}

func (m *SeatMap) claim(user uuid.UUID, seat int, c claim) {
	key := claimKey{user, seat}
	m.claims[key] = append(m.claims[key], c)
}

func (m *SeatMap) unclaim(user uuid.UUID, seat int, c claim) {
	without(m.claims, claimKey{user, seat}, func(o claim) bool { return o == c })
}

// resolve finds the live hold or booking that ref means; both nil never comes without
// an error. Errors: not_found, seat_not_locked, ambiguous_hold.
func (m *SeatMap) resolve(ref HoldRef) (*liveHold, *Booking, error) {
	if ref.Seat > len(m.seats) {
		return nil, nil, NotFound("seat on this train")
	}
	hold, booking := m.holds[ref.Hold], m.bookings[BookingIDOf(ref.User, ref.Hold)]
	if ref.Hold.IsZero() {
		c, err := m.onlyClaim(claimKey{ref.User, ref.Seat})
		if err != nil {
			return nil, nil, err
		}
		hold, booking = m.holds[c.hold], m.bookings[c.booking]
	}
	covers := func(seats []int) bool { return ref.Seat == 0 || slices.Contains(seats, ref.Seat) }
	switch {
	case hold != nil && hold.User == ref.User && covers(hold.Seats):
		return hold, nil, nil
	case booking != nil && covers(booking.Seats):
		return nil, booking, nil
	}
	return nil, nil, errNotLocked()
}

// onlyClaim returns the live claim that a user has on a seat, when the user has and had
// no other segment of it. Errors: ambiguous_hold, seat_not_locked.
func (m *SeatMap) onlyClaim(key claimKey) (only claim, err error) {
	had := m.rememberedLegs(key)
	for _, c := range m.claims[key] {
		only = c
		had = append(had, c.legs)
	}
	if slices.ContainsFunc(had, func(l Legs) bool { return l != had[0] }) {
		return claim{}, &Error{
			Code:    CodeAmbiguousHold,
			Message: "You have had several segments of this seat, say which by hold_id",
		}
	}
	if only.legs == 0 {
		return claim{}, errNotLocked()
	}
	return only, nil
}

func errNotLocked() *Error {
	return &Error{Code: CodeSeatNotLocked, Message: "Seat is not locked"}
}
