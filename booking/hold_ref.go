package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// A seat alone identifies a hold or booking only while its user has, and recently had, a
// single segment of that seat; otherwise the reference is ambiguous (API.md 1,
// ambiguous_hold). SeatMap.bySeatOfUser indexes live holds and bookings; a History has the
// ended ones, which no SeatMap keeps.

// History is what a user had on a train before, as far as its stores keep it.
type History struct {
	Holds     []Hold    // that expired or were released, the latest first; live ones do no harm
	Cancelled []Booking // bookings that were cancelled
}

// NeedsHistory reports whether the user's history decides what ref refers to. On a train with
// one leg no reference by seat is ambiguous. Some seats that a hold does not have may have left it before.
func (m *SeatMap) NeedsHistory(ref HoldRef) bool {
	if len(ref.Seats) > 0 {
		h := m.holds[ref.Hold]
		return h == nil || !h.has(ref.Seats)
	}
	return ref.Hold.IsZero() && m.train.Run().Count() > 1
}

// cancelled reports whether the booking was cancelled.
func (h History) cancelled(id uuid.UUID) bool {
	return slices.ContainsFunc(h.Cancelled, func(b Booking) bool { return b.ID == id })
}

// legsOf returns the segments of a seat that ended less than HoldRetention before now. The stores
// return no older hold.
func (h History) legsOf(seat int, now time.Time) (legs []Legs) {
	for _, o := range h.Holds {
		if slices.Contains(o.Seats, seat) && !h.cancelled(BookingIDOf(o.User, o.ID)) {
			legs = append(legs, o.Legs)
		}
	}
	for _, b := range h.Cancelled {
		if slices.Contains(b.Seats, seat) && b.CancelledAt.After(now.Add(-HoldRetention)) {
			legs = append(legs, b.Legs)
		}
	}
	return legs
}

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
	if len(m.bySeatOfUser[key]) == 0 {
		m.seatsOf[user]++
	}
	m.bySeatOfUser[key] = append(m.bySeatOfUser[key], e)
}

func (m *SeatMap) removeEntry(user uuid.UUID, seat int, e seatEntry) {
	key := userSeat{user, seat}
	removeFrom(m.bySeatOfUser, key, func(o seatEntry) bool { return o == e })
	if len(m.bySeatOfUser[key]) > 0 {
		return
	}
	if m.seatsOf[user]--; m.seatsOf[user] == 0 {
		delete(m.seatsOf, user)
	}
}

// resolve finds the live hold or booking that ref refers to. Without an error exactly one of
// them is non-nil. Errors: not_found, seat_not_locked, hold_expired (with the history), ambiguous_hold.
func (m *SeatMap) resolve(ref HoldRef, history History, now time.Time) (*liveHold, *Booking, error) {
	if ref.Seat > m.train.Capacity {
		return nil, nil, NotFound("seat on this train")
	}
	if len(ref.Seats) > 0 {
		return m.resolvePart(ref, history, now)
	}
	hold, booking := m.holds[ref.Hold], m.bookings[BookingIDOf(ref.User, ref.Hold)]
	if ref.Hold.IsZero() {
		e, err := m.onlyEntry(userSeat{ref.User, ref.Seat}, history, now)
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
	return nil, nil, history.refusal(ref, now)
}

// refusal returns hold_expired if ref refers to a hold that expired, otherwise seat_not_locked. Of
// several holds of a seat, it is about the latest.
func (h History) refusal(ref HoldRef, now time.Time) *Error {
	for _, o := range h.Holds {
		if !ref.Matches(o) || h.cancelled(BookingIDOf(o.User, o.ID)) {
			continue
		}
		if o.Released || o.ExpiresAt.After(now) {
			break
		}
		return errExpired(o.ExpiresAt)
	}
	return errNotLocked()
}

// onlyEntry returns the live entry of a user's seat, zero if there is none, unless the user has, or
// recently had, another segment of it. Error: ambiguous_hold.
func (m *SeatMap) onlyEntry(key userSeat, history History, now time.Time) (only seatEntry, err error) {
	legs := history.legsOf(key.seat, now)
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
	return only, nil
}

func errExpired(at time.Time) *Error {
	return &Error{Code: CodeHoldExpired, Message: "The hold has expired", ExpiredAt: at}
}

func errNotLocked() *Error {
	return &Error{Code: CodeSeatNotLocked, Message: "Seat is not locked"}
}
