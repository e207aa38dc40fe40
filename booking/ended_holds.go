package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// maxEnded limits the ended holds that are kept for one user on one train. It is far above
// what a person tries in an hour, and stops a client that holds and releases in a loop from
// making the train large and slow to load.
const maxEnded = 64

// endedHold is a hold that ended without a booking, or a booking that was cancelled. It is
// kept for HoldRetention.
type endedHold struct {
	id      HoldID // of its stored record; zero for a cancelled booking
	seats   []int
	legs    Legs
	expires time.Time // when it is removed
}

// endedHolds are the ended holds of one user.
type endedHolds struct {
	list []endedHold
	next time.Time // when the first of them expires
}

// retain keeps an ended hold until it expires. On a train with one leg no reference can be
// ambiguous, so nothing is kept there.
func (m *SeatMap) retain(user uuid.UUID, e endedHold) {
	if m.train.Run().Count() == 1 {
		m.supersede(user, e)
		return
	}
	ended := m.ended[user]
	if ended == nil {
		ended = &endedHolds{}
		m.ended[user] = ended
	}
	same := func(o endedHold) bool { return o.legs == e.legs && slices.Equal(o.seats, e.seats) }
	if i := slices.IndexFunc(ended.list, same); i >= 0 {
		if ended.list[i].expires.After(e.expires) {
			m.supersede(user, e)
			return
		}
		m.supersede(user, ended.list[i])
		ended.list = slices.Delete(ended.list, i, i+1)
	}
	if len(ended.list) == maxEnded {
		i := ended.first()
		m.supersede(user, ended.list[i])
		ended.list = slices.Delete(ended.list, i, i+1)
	}
	ended.list = append(ended.list, e)
	if ended.next.IsZero() || e.expires.Before(ended.next) {
		m.setEndedTimer(user, ended, e.expires)
	}
}

func (m *SeatMap) setEndedTimer(user uuid.UUID, ended *endedHolds, at time.Time) {
	ended.next = at
	m.addTimer(timer{at: at, user: user})
}

// expireEnded removes the ended holds of a user that expired at or before now, and sets the
// timer for the rest.
func (m *SeatMap) expireEnded(user uuid.UUID, now time.Time) {
	ended := m.ended[user]
	ended.list = slices.DeleteFunc(ended.list, func(e endedHold) bool { return !e.expires.After(now) })
	if len(ended.list) == 0 {
		delete(m.ended, user)
		return
	}
	m.setEndedTimer(user, ended, ended.list[ended.first()].expires)
}

// first returns the index of the hold that expires first. Restore adds holds in any order.
func (ended *endedHolds) first() (first int) {
	for i, e := range ended.list {
		if e.expires.Before(ended.list[first].expires) {
			first = i
		}
	}
	return first
}

// endedLegs returns the segments of a seat on which holds of the user have ended.
func (m *SeatMap) endedLegs(key userSeat) (legs []Legs) {
	ended := m.ended[key.user]
	if ended == nil {
		return nil
	}
	for _, e := range ended.list {
		if slices.Contains(e.seats, key.seat) {
			legs = append(legs, e.legs)
		}
	}
	return legs
}

// supersede marks the stored record of an ended hold as no longer needed.
func (m *SeatMap) supersede(user uuid.UUID, e endedHold) {
	if !e.id.IsZero() {
		m.superseded = append(m.superseded, SupersededHold{e.id, user})
	}
}

// SupersededHold identifies an ended hold whose stored record is no longer needed.
type SupersededHold struct {
	ID   HoldID
	User uuid.UUID
}

// TakeSuperseded returns the holds that were superseded since the last call. Call IsSuperseded
// before the record of one is deleted. A record that is never deleted does no harm.
func (m *SeatMap) TakeSuperseded() []SupersededHold {
	taken := m.superseded
	m.superseded = nil
	return taken
}

// IsSuperseded reports whether the stored record is still not needed. It is needed if a retried
// request has made a hold with the same id, because the record is then that hold's.
func (m *SeatMap) IsSuperseded(h SupersededHold) bool {
	ended := m.ended[h.User]
	return m.holds[h.ID] == nil &&
		(ended == nil || !slices.ContainsFunc(ended.list, func(e endedHold) bool { return e.id == h.ID }))
}

// keepBookingID keeps the id of a cancelled booking until a time. Until then Hold refuses a
// request whose hold would become a booking with that id.
func (m *SeatMap) keepBookingID(id uuid.UUID, until time.Time) {
	m.usedBookingIDs[id] = until
	m.addTimer(timer{at: until, booking: id})
}

// wasBooked reports whether a hold became a booking, cancelled or not.
func (m *SeatMap) wasBooked(user uuid.UUID, id HoldID) bool {
	b := BookingIDOf(user, id)
	_, cancelled := m.usedBookingIDs[b]
	return cancelled || m.HasBooking(b)
}
