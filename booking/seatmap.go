package booking

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// SeatMap is the state of one train: a deterministic machine that is told what is
// asked and what time it is, and decides. It is not safe for concurrent use; its
// owner is the train's actor.
//
// A decision that must be stored first leaves its hold in transit; the owner reports
// how the store answered, and the hold settles:
//
//	       Hold                    HoldWritten
//	──────────────▶ PhasePending ──────────────▶ PhaseHeld ──▶ (deadline: Expire)
//	                  │ HoldFailed                │    ▲
//	                  ▼                   Confirm │    │ ConfirmFailed
//	                (gone)                        ▼    │
//	                           Booked ◀── PhaseConfirming
//	                                              Release of a held one:
//	                (gone) ◀─ Released ── PhaseReleasing ─ ReleaseFailed ─▶ PhaseHeld
//
// A hold in transit keeps its seats, whatever the clock says. A request that meets a
// hold of the same user in transit gets *InTransitError: ask again when it settled.
type SeatMap struct {
	train    *Train
	seats    []seatLegs // of seat n at n-1
	holds    map[HoldID]*liveHold
	byUser   map[uuid.UUID][]*liveHold
	bySeat   map[int][]*liveHold
	bookings map[uuid.UUID]*Booking
	spent    map[uuid.UUID]time.Time // ids of cancelled bookings, and until when they are kept
	claims   map[claimKey][]claim
	agenda   agenda

	remembered map[uuid.UUID]*memory // by user
	superseded []EndedHold           // since TakeSuperseded

	changed  bool // since snapshot
	snapshot *Snapshot
}

// seatLegs is where a seat is taken. A leg is never in both.
type seatLegs struct{ booked, held Legs }

// Phase is where a hold stands between the train and the store.
type Phase int

// The phases of a hold; see SeatMap.
const (
	PhasePending Phase = iota
	PhaseHeld
	PhaseConfirming
	PhaseReleasing
)

type liveHold struct {
	Hold
	phase    Phase
	deadline time.Time // on the owner's monotonic clock
	awaited  bool      // on the agenda
}

// InTransitError says that the answer depends on a store's answer about Hold that
// has not come yet. It never reaches clients.
type InTransitError struct{ Hold HoldID }

func (e *InTransitError) Error() string { return fmt.Sprintf("hold %s is in transit", e.Hold) }

// NewSeatMap returns the map of a train with nothing sold.
func NewSeatMap(train Train) *SeatMap {
	return &SeatMap{
		train:    &train,
		seats:    make([]seatLegs, train.Capacity),
		holds:    map[HoldID]*liveHold{},
		byUser:   map[uuid.UUID][]*liveHold{},
		bySeat:   map[int][]*liveHold{},
		bookings: map[uuid.UUID]*Booking{},
		spent:    map[uuid.UUID]time.Time{},
		claims:   map[claimKey][]claim{},
		changed:  true,

		remembered: map[uuid.UUID]*memory{},
	}
}

// Restore puts what the stores know of the train into a new map: its live bookings, those
// cancelled within HoldRetention and ttl (a hold may be there that became one), and its holds. Holds that became bookings or
// contradict what is booked are dropped. A hold has the rest of its time, at most ttl;
// those that lost time by that are returned, to be stored again as they are now.
func (m *SeatMap) Restore(bookings []Booking, holds []Hold, ttl time.Duration, now time.Time) (shortened []Hold) {
	became := make(map[uuid.UUID]bool, len(bookings))
	for _, b := range bookings {
		became[b.ID] = true
		if b.CancelledAt.IsZero() {
			m.addBooking(&b)
		} else {
			m.spend(b.ID, now.Add(b.CancelledAt.Sub(now)+HoldRetention))
			m.remember(b.User, endedSegment{
				seats: b.Seats, legs: b.Legs, forget: now.Add(b.CancelledAt.Sub(now) + HoldRetention),
			})
		}
	}
	// Of two that overlap, which only a clock that was moved can bring about, the later
	// one was given when the other was over.
	holds = slices.SortedFunc(slices.Values(holds), func(a, b Hold) int { return b.ExpiresAt.Compare(a.ExpiresAt) })
	for _, h := range holds {
		switch remaining := h.ExpiresAt.Sub(now); {
		case became[BookingIDOf(h.User, h.ID)]:
		case h.Released || remaining <= 0:
			m.remember(h.User, endedSegment{h.ID, h.Seats, h.Legs, now.Add(remaining + HoldRetention)})
		case m.fits(h):
			live := &liveHold{Hold: h, phase: PhaseHeld, deadline: now.Add(remaining)}
			if remaining > ttl {
				live.deadline = wholeMillisecond(now.Add(ttl))
				live.ExpiresAt = live.deadline.Round(0).UTC()
				shortened = append(shortened, live.Hold)
			}
			m.addHold(live)
			m.await(live)
		}
	}
	return shortened
}

// Train returns the train as it is now.
func (m *SeatMap) Train() *Train { return m.train }

// HasBookings reports whether any seat is booked.
func (m *SeatMap) HasBookings() bool { return len(m.bookings) > 0 }

// HasHolds reports whether any seat is held or a hold is in transit.
func (m *SeatMap) HasHolds() bool { return len(m.holds) > 0 }

// LiveHolds returns every hold that has not ended, in no order.
func (m *SeatMap) LiveHolds() []Hold {
	holds := make([]Hold, 0, len(m.holds))
	for _, h := range m.holds {
		holds = append(holds, h.Hold)
	}
	return holds
}

// Phase returns the phase of a hold; false when there is none with that id.
func (m *SeatMap) Phase(id HoldID) (Phase, bool) {
	h, ok := m.holds[id]
	if !ok {
		return 0, false
	}
	return h.phase, true
}

// Expire ends every settled hold whose deadline is at or before now, and forgets
// ended ones that are past remembering. Returns how many holds ended.
func (m *SeatMap) Expire(now time.Time) (ended int) {
	for {
		item, ok := m.agenda.due(now)
		if !ok {
			return ended
		}
		switch {
		case m.stale(item):
			continue
		case item.booking != uuid.UUID{}:
			delete(m.spent, item.booking)
			continue
		case item.hold.IsZero():
			m.forget(item, now)
			continue
		}
		h := m.holds[item.hold]
		h.awaited = false // in transit: until it settles
		if h.phase == PhaseHeld {
			m.endHold(h)
			ended++
		}
	}
}

// NextDeadline returns when Expire has something to do next; false for never.
func (m *SeatMap) NextDeadline() (time.Time, bool) { return m.agenda.next() }

// Snapshot returns the present state for readers. The same one is returned until
// something visible changes.
func (m *SeatMap) Snapshot() *Snapshot {
	if m.changed {
		m.snapshot = &Snapshot{Train: m.train, seats: slices.Clone(m.seats)}
		m.changed = false
	}
	return m.snapshot
}

// await puts the deadline of a held hold on the agenda, once.
func (m *SeatMap) await(h *liveHold) {
	if !h.awaited {
		h.awaited = true
		m.schedule(agendaItem{at: h.deadline, hold: h.ID})
	}
}

func (m *SeatMap) seat(n int) *seatLegs { return &m.seats[n-1] }

// fits reports whether a restored hold lies on seats and legs that are free.
func (m *SeatMap) fits(h Hold) bool {
	return m.train.Run().Contains(h.Legs) && !slices.ContainsFunc(h.Seats, func(n int) bool {
		return n > len(m.seats) || (m.seat(n).booked | m.seat(n).held).Overlaps(h.Legs)
	})
}

func (m *SeatMap) addHold(h *liveHold) {
	m.holds[h.ID] = h
	m.byUser[h.User] = append(m.byUser[h.User], h)
	for _, n := range h.Seats {
		m.seat(n).held |= h.Legs
		m.bySeat[n] = append(m.bySeat[n], h)
		m.claim(h.User, n, claim{legs: h.Legs, hold: h.ID})
	}
	m.changed = true
}

// dropHold takes a hold out, its claims too.
func (m *SeatMap) dropHold(h *liveHold) {
	delete(m.holds, h.ID)
	without(m.byUser, h.User, func(o *liveHold) bool { return o == h })
	for _, n := range h.Seats {
		m.seat(n).held &^= h.Legs
		without(m.bySeat, n, func(o *liveHold) bool { return o == h })
		m.unclaim(h.User, n, claim{legs: h.Legs, hold: h.ID})
	}
	m.changed = true
}

// without takes the matching elements out of the list at key, and an empty list out of
// the map.
func without[K comparable, V any](lists map[K][]V, key K, match func(V) bool) {
	if left := slices.DeleteFunc(lists[key], match); len(left) > 0 {
		lists[key] = left
	} else {
		delete(lists, key)
	}
}

// endHold takes out a hold that ended without a booking.
func (m *SeatMap) endHold(h *liveHold) {
	m.dropHold(h)
	m.remember(h.User, endedSegment{h.ID, h.Seats, h.Legs, h.deadline.Add(HoldRetention)})
}

func (m *SeatMap) addBooking(b *Booking) {
	m.bookings[b.ID] = b
	for _, n := range b.Seats {
		m.seat(n).booked |= b.Legs
		m.claim(b.User, n, claim{legs: b.Legs, booking: b.ID})
	}
	m.changed = true
}
