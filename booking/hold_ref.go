package booking

import (
	"slices"

	"github.com/google/uuid"
)

// A seat alone identifies a hold or booking only while its user has, and recently had, a
// single segment of that seat; otherwise the reference is ambiguous (API.md 1,
// ambiguous_hold). SeatMap.bySeatOfUser indexes live holds and bookings, SeatMap.ended the
// ended ones.

type userSeat struct {
	user uuid.UUID
	seat int
}

// seatEntry is a segment of a seat that a user has held or booked: one of hold and booking
// is set.
type seatEntry struct {
	legs    Legs
	hold    HoldID
	booking uuid.UUID
}

func (m *SeatMap) addEntry(user uuid.UUID, seat int, e seatEntry) {
	key := userSeat{user, seat}
	m.bySeatOfUser[key] = append(m.bySeatOfUser[key], e)
}

func (m *SeatMap) removeEntry(user uuid.UUID, seat int, e seatEntry) {
	removeFrom(m.bySeatOfUser, userSeat{user, seat}, func(o seatEntry) bool { return o == e })
}

// resolve finds the live hold or booking that ref refers to. Without an error exactly one of
// them is non-nil. Errors: not_found, seat_not_locked, ambiguous_hold.
func (m *SeatMap) resolve(ref HoldRef) (*liveHold, *Booking, error) {
	if ref.Seat > len(m.seats) {
		return nil, nil, NotFound("seat on this train")
	}
	hold, booking := m.holds[ref.Hold], m.bookings[BookingIDOf(ref.User, ref.Hold)]
	if ref.Hold.IsZero() {
		e, err := m.onlyEntry(userSeat{ref.User, ref.Seat})
		if err != nil {
			return nil, nil, err
		}
		hold, booking = m.holds[e.hold], m.bookings[e.booking]
	}
	switch {
	case hold != nil && ref.Matches(hold.Hold):
		return hold, nil, nil
	case booking != nil && ref.matchesSeat(booking.Seats):
		return nil, booking, nil
	}
	return nil, nil, errNotLocked()
}

// onlyEntry returns the live entry of a user's seat, unless the user has, or recently had,
// another segment of it. Errors: ambiguous_hold, seat_not_locked.
func (m *SeatMap) onlyEntry(key userSeat) (only seatEntry, err error) {
	legs := m.endedLegs(key)
	for _, e := range m.bySeatOfUser[key] {
		only = e
		legs = append(legs, e.legs)
	}
	if slices.ContainsFunc(legs, func(l Legs) bool { return l != legs[0] }) {
		return seatEntry{}, &Error{
			Code:    CodeAmbiguousHold,
			Message: "You have had several segments of this seat, send the hold_id",
		}
	}
	if only.legs == 0 {
		return seatEntry{}, errNotLocked()
	}
	return only, nil
}

func errNotLocked() *Error {
	return &Error{Code: CodeSeatNotLocked, Message: "Seat is not locked"}
}
