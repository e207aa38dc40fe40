package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// maxRemembered bounds what is remembered of one user on one train. It is far above what
// a person tries in an hour, and keeps whoever holds and releases in a loop from making
// the train large and slow to load.
const maxRemembered = 64

// endedSegment is a segment of seats that a user had until not long ago.
type endedSegment struct {
	hold   HoldID // whose stored record tells of it; zero where a cancelled booking does
	seats  []int
	legs   Legs
	forget time.Time
}

// memory is what ended of one user, and when the first of it is to be
// forgotten.
type memory struct {
	ended []endedSegment
	next  time.Time
}

// remember keeps that user had a segment, at least until it is to be forgotten. On a train
// with one leg there is nothing to confuse, and nothing is kept.
func (m *SeatMap) remember(user uuid.UUID, e endedSegment) {
	if m.train.Run().Count() == 1 {
		m.supersede(user, e)
		return
	}
	had := m.remembered[user]
	if had == nil {
		had = &memory{}
		m.remembered[user] = had
	}
	same := func(o endedSegment) bool { return o.legs == e.legs && slices.Equal(o.seats, e.seats) }
	if i := slices.IndexFunc(had.ended, same); i >= 0 {
		if had.ended[i].forget.After(e.forget) {
			m.supersede(user, e)
			return
		}
		m.supersede(user, had.ended[i])
		had.ended = slices.Delete(had.ended, i, i+1)
	}
	if len(had.ended) == maxRemembered {
		oldest := had.oldest()
		m.supersede(user, had.ended[oldest])
		had.ended = slices.Delete(had.ended, oldest, oldest+1)
	}
	had.ended = append(had.ended, e)
	if had.next.IsZero() || e.forget.Before(had.next) {
		m.recall(user, had, e.forget)
	}
}

// recall makes forget come to user at the given time.
func (m *SeatMap) recall(user uuid.UUID, had *memory, at time.Time) {
	had.next = at
	m.schedule(agendaItem{at: at, user: user})
}

// forget drops what is remembered of user until now, and comes back for the rest.
func (m *SeatMap) forget(item agendaItem, now time.Time) {
	had := m.remembered[item.user]
	had.ended = slices.DeleteFunc(had.ended, func(e endedSegment) bool { return !e.forget.After(now) })
	if len(had.ended) == 0 {
		delete(m.remembered, item.user)
		return
	}
	m.recall(item.user, had, had.ended[had.oldest()].forget)
}

// oldest returns the index of what is to be forgotten first. A load remembers in no order.
func (had *memory) oldest() (first int) {
	for i, e := range had.ended {
		if e.forget.Before(had.ended[first].forget) {
			first = i
		}
	}
	return first
}

// rememberedLegs returns the segments of a seat that a user had.
func (m *SeatMap) rememberedLegs(key claimKey) (had []Legs) {
	user := m.remembered[key.user]
	if user == nil {
		return nil
	}
	for _, e := range user.ended {
		if slices.Contains(e.seats, key.seat) {
			had = append(had, e.legs)
		}
	}
	return had
}

// supersede notes that the stored record of an ended hold is needed no more.
func (m *SeatMap) supersede(user uuid.UUID, e endedSegment) {
	if !e.hold.IsZero() {
		m.superseded = append(m.superseded, EndedHold{e.hold, user})
	}
}

// EndedHold is a hold whose stored record tells nothing any more.
type EndedHold struct {
	ID   HoldID
	User uuid.UUID
}

// TakeSuperseded returns the ended holds, since the last call, whose stored records tell
// nothing any more: drop them from the store, if then they are still IsSuperseded. One that
// stays does no harm.
func (m *SeatMap) TakeSuperseded() []EndedHold {
	taken := m.superseded
	m.superseded = nil
	return taken
}

// IsSuperseded reports whether the record of an ended hold still tells nothing. A request that
// came again may have made a hold under its id; then the record is that one's.
func (m *SeatMap) IsSuperseded(e EndedHold) bool {
	had := m.remembered[e.User]
	return m.holds[e.ID] == nil &&
		(had == nil || !slices.ContainsFunc(had.ended, func(o endedSegment) bool { return o.hold == e.ID }))
}

// spend keeps the id of a cancelled booking until a time: no hold that would become it can
// be confirmed.
func (m *SeatMap) spend(id uuid.UUID, until time.Time) {
	m.spent[id] = until
	m.schedule(agendaItem{at: until, booking: id})
}

// isSpent reports whether a hold became a booking, be it one that was cancelled.
func (m *SeatMap) isSpent(user uuid.UUID, id HoldID) bool {
	b := BookingIDOf(user, id)
	_, cancelled := m.spent[b]
	return cancelled || m.HasBooking(b)
}
