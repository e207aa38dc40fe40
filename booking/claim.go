package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// A claim is a stretch of a seat that a user has, or had until not long ago. Claims
// answer "which hold does this user mean by this seat?": the question has an answer
// as long as all the user's claims are of one stretch (API.md 1, ambiguous_hold).
type claim struct {
	legs    Legs
	hold    HoldID    // of a live hold
	booking uuid.UUID // of a live booking
	forget  time.Time // of an ended one: until when it is remembered
}

type claimKey struct {
	user uuid.UUID
	seat int
}

func (m *SeatMap) claim(user uuid.UUID, seat int, c claim) {
	key := claimKey{user, seat}
	m.claims[key] = append(m.claims[key], c)
}

func (m *SeatMap) unclaim(user uuid.UUID, seat int, match func(claim) bool) {
	without(m.claims, claimKey{user, seat}, match)
}

// remember keeps, at least until the given time, that user had the stretch of these
// seats. On a train with one leg there is nothing to confuse, and nothing is kept.
func (m *SeatMap) remember(user uuid.UUID, seats []int, legs Legs, until time.Time) {
	if m.train.Run().Count() == 1 {
		return
	}
	for _, n := range seats {
		key := claimKey{user, n}
		if ended := m.ended(key, legs); ended != nil {
			ended.forget = latest(ended.forget, until)
			continue
		}
		m.claim(user, n, claim{legs: legs, forget: until})
		m.agenda.add(agendaItem{at: until, claim: key, legs: legs})
	}
}

// forget drops the ended claim that item is about, or comes back to it when it was to be
// remembered for longer since.
func (m *SeatMap) forget(item agendaItem, now time.Time) {
	ended := m.ended(item.claim, item.legs)
	if ended == nil {
		return
	}
	if ended.forget.After(now) {
		item.at = ended.forget
		m.agenda.add(item)
		return
	}
	m.unclaim(item.claim.user, item.claim.seat, func(c claim) bool {
		return c.legs == item.legs && !c.forget.IsZero()
	})
}

// ended returns the remembered claim of a stretch; there is at most one.
func (m *SeatMap) ended(key claimKey, legs Legs) *claim {
	claims := m.claims[key]
	for i := range claims {
		if claims[i].legs == legs && !claims[i].forget.IsZero() {
			return &claims[i]
		}
	}
	return nil
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

// onlyClaim returns the claim that a user has on a seat when all of them are of one
// stretch: a live one before ended ones.
func (m *SeatMap) onlyClaim(key claimKey) (only claim, err error) {
	for i, c := range m.claims[key] {
		if i > 0 && c.legs != only.legs {
			return claim{}, &Error{
				Code:    CodeAmbiguousHold,
				Message: "You have had several stretches of this seat, say which by hold_id",
			}
		}
		if i == 0 || c.forget.IsZero() {
			only = c
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
