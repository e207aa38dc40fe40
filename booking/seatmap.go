package booking

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// SeatMap is the state of one train. It decides requests deterministically, from its
// state, the request and the given time. It is not safe for concurrent use; the train's
// actor owns it.
//
// A decision that must be stored leaves its hold in transit. The owner reports the result
// of the write, and the hold settles:
//
//	       Hold                    HoldWritten
//	──────────────▶ PhasePending ──────────────▶ PhaseHeld ──▶ (deadline: Expire)
//	                  │ HoldFailed                │    ▲
//	                  ▼                   Confirm │    │ ConfirmFailed
//	                (none)                        ▼    │
//	                           Booked ◀── PhaseConfirming
//	                                              Release of a held one:
//	                (none) ◀─ Released ── PhaseReleasing ─ ReleaseFailed ─▶ PhaseHeld
//	                                              Extend of a held one:
//	                                      PhaseExtending ─ Extended, ExtendFailed ─▶ PhaseHeld
//
// If only some seats of a hold are confirmed or released, the hold keeps the others and is held again.
//
// A hold in transit keeps its seats even past its deadline. A request that concerns a hold
// of the same user in transit gets *InTransitError; repeat it when the hold has settled.
type SeatMap struct {
	train    *Train
	seats    seatTable
	holds    map[HoldID]*liveHold
	byUser   map[uuid.UUID][]*liveHold
	bySeat   map[int][]*liveHold
	bookings map[uuid.UUID]*Booking
	timers   timers

	bySeatOfUser map[userSeat][]seatEntry
	seatsOf      map[uuid.UUID]int // the number of seats that a user has in bySeatOfUser
	pauses       pauses

	changed  bool // since snapshot
	snapshot *Snapshot
}

// Phase is the state of a hold between the seat map and the store.
type Phase int

// The phases of a hold; see SeatMap.
const (
	PhasePending Phase = iota
	PhaseHeld
	PhaseConfirming
	PhaseReleasing
	PhaseExtending
)

type liveHold struct {
	Hold
	phase    Phase
	deadline time.Time // on the owner's monotonic clock
	hasTimer bool
	part     []int     // the seats that are confirming or releasing; nil: all
	released time.Time // while it is releasing

	wanted []int         // its seats that somebody else was refused
	pause  time.Duration // that follows because of them
}

// InTransitError means that the decision depends on a write of Hold whose result is not
// known yet. It never reaches clients.
type InTransitError struct{ Hold HoldID }

func (e *InTransitError) Error() string { return fmt.Sprintf("hold %s is in transit", e.Hold) }

// NewSeatMap returns the map of a train whose seats are all available.
func NewSeatMap(train Train) *SeatMap {
	return &SeatMap{
		train:    &train,
		seats:    newSeatTable(train.Capacity),
		holds:    map[HoldID]*liveHold{},
		byUser:   map[uuid.UUID][]*liveHold{},
		bySeat:   map[int][]*liveHold{},
		bookings: map[uuid.UUID]*Booking{},
		changed:  true,

		bySeatOfUser: map[userSeat][]seatEntry{},
		seatsOf:      map[uuid.UUID]int{},
		pauses:       pauses{byUser: map[uuid.UUID][]pause{}},
	}
}

// Stored is what the stores contain of a train. The slices are in any order, and the map keeps them.
type Stored struct {
	Bookings  []Booking    // live ones
	Seats     map[int]Legs // the legs on which each seat is booked; it should agree with Bookings
	Holds     []Hold       // live ones
	Cancelled []uuid.UUID  // bookings that some of Holds became and that were cancelled since
}

// Restore fills a new map with what is stored. Holds that became bookings or contradict a booking
// are dropped; a hold that became a booking in part has only its other seats. A hold keeps its remaining
// time, but at most ttl, and twice as much if it was extended. Restore returns the holds that it has
// changed; store them again. It also returns the seats on which Bookings and Seats differ, ascending: legs
// that either of them has are taken.
func (m *SeatMap) Restore(stored Stored, ttl time.Duration, now time.Time) (changed []Hold, differing []int) {
	cancelled := make(map[uuid.UUID]bool, len(stored.Cancelled))
	for _, id := range stored.Cancelled {
		cancelled[id] = true
	}
	m.bookings = make(map[uuid.UUID]*Booking, len(stored.Bookings))
	m.bySeatOfUser = make(map[userSeat][]seatEntry, len(stored.Seats))
	for i := range stored.Bookings {
		m.addBooking(&stored.Bookings[i])
	}
	differing = m.compareSeats(stored)
	// Two holds overlap only if a clock was moved. The one with the later deadline was
	// granted after the other had ended.
	holds := slices.SortedFunc(slices.Values(stored.Holds), func(a, b Hold) int { return b.ExpiresAt.Compare(a.ExpiresAt) })
	for _, h := range holds {
		remaining := h.ExpiresAt.Sub(now)
		became := BookingIDOf(h.User, h.ID)
		if m.HasBooking(became) || cancelled[became] || remaining <= 0 || !h.BelongsTo(m.train) {
			continue
		}
		before := len(h.Seats)
		h.Seats = m.notBooked(h)
		if len(h.Seats) == 0 || !m.fits(h) {
			continue
		}
		h.Incarnation = 0
		live := &liveHold{Hold: h, phase: PhaseHeld, deadline: now.Add(remaining)}
		longest := ttl
		if h.Extended {
			longest *= 2
		}
		if remaining > longest {
			live.deadline = deadlineOf(now, longest)
			live.ExpiresAt = live.deadline.Round(0).UTC()
		}
		if remaining > longest || len(h.Seats) < before {
			changed = append(changed, live.Hold)
		}
		m.addHold(live)
		m.startTimer(live)
	}
	return changed, differing
}

// compareSeats compares the booked legs of the stored bookings with those of the stored seats, and
// takes those that only the seats have. It returns the numbers of the seats that differ, ascending.
func (m *SeatMap) compareSeats(stored Stored) (differing []int) {
	booked := func(n int) (legs Legs) {
		if m.seats.has(n) {
			legs = m.seats.at(n).booked
		}
		return legs
	}
	for _, b := range stored.Bookings {
		for _, n := range b.Seats {
			if m.seats.has(n) && stored.Seats[n] != booked(n) {
				differing = append(differing, n)
			}
		}
	}
	for n, legs := range stored.Seats {
		if legs == booked(n) {
			continue
		}
		differing = append(differing, n)
		if m.seats.has(n) {
			m.seats.change(n).booked |= legs
		}
	}
	slices.Sort(differing)
	return slices.Compact(differing)
}

// Train returns the current train. Do not modify it.
func (m *SeatMap) Train() *Train { return m.train }

// HasBookings reports whether any seat is booked.
func (m *SeatMap) HasBookings() bool { return len(m.bookings) > 0 }

// HasHolds reports whether any seat is held or a hold is in transit.
func (m *SeatMap) HasHolds() bool { return len(m.holds) > 0 }

// LiveHolds returns every hold that has not ended, in the order of their ids.
func (m *SeatMap) LiveHolds() []Hold {
	holds := make([]Hold, 0, len(m.holds))
	for _, h := range m.holds {
		holds = append(holds, h.Hold)
	}
	slices.SortFunc(holds, func(a, b Hold) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return holds
}

// LiveHold returns a hold that has not ended; false if no such hold has the id.
func (m *SeatMap) LiveHold(id HoldID) (Hold, bool) {
	h, ok := m.holds[id]
	if !ok {
		return Hold{}, false
	}
	return h.Hold, true
}

// Phase returns the phase of a hold; false if no hold has the id.
func (m *SeatMap) Phase(id HoldID) (Phase, bool) {
	h, ok := m.holds[id]
	if !ok {
		return 0, false
	}
	return h.phase, true
}

// Expire ends every settled hold whose deadline is at or before now, and returns their number.
func (m *SeatMap) Expire(now time.Time) (ended int) {
	defer m.pauses.expire(now)
	for {
		t, due := m.timers.popDue(now)
		if !due {
			return ended
		}
		if m.stale(t) {
			continue
		}
		h := m.holds[t.hold]
		h.hasTimer = false // a hold in transit gets another when it settles
		if h.phase == PhaseHeld {
			m.dropHold(h)
			m.pauses.add(h, h.Seats, h.deadline)
			ended++
		}
	}
}

// NextDeadline returns the time at which to call Expire next; false if nothing will expire.
func (m *SeatMap) NextDeadline() (time.Time, bool) { return m.timers.next() }

// Snapshot returns the current state for readers. It returns the same snapshot until
// something visible changes.
func (m *SeatMap) Snapshot() *Snapshot {
	if m.changed {
		m.snapshot = &Snapshot{Train: m.train, seats: m.seats.share()}
		m.changed = false
	}
	return m.snapshot
}

// startTimer adds the timer of a held hold, unless it has one.
func (m *SeatMap) startTimer(h *liveHold) {
	if !h.hasTimer {
		h.hasTimer = true
		m.addTimer(timer{h.deadline, h.ID})
	}
}

// fits reports whether a restored hold lies on seats and legs that are free.
func (m *SeatMap) fits(h Hold) bool {
	return m.train.Run().Contains(h.Legs) && !slices.ContainsFunc(h.Seats, func(n int) bool {
		return !m.seats.has(n) || m.seats.at(n).on(h.Legs) != SeatAvailable
	})
}

func (m *SeatMap) addHold(h *liveHold) {
	m.holds[h.ID] = h
	m.byUser[h.User] = append(m.byUser[h.User], h)
	for _, n := range h.Seats {
		m.seats.change(n).held |= h.Legs
		m.bySeat[n] = append(m.bySeat[n], h)
		m.addEntry(h.User, n, seatEntry{legs: h.Legs, hold: h.ID})
	}
	m.changed = true
}

func (m *SeatMap) dropHold(h *liveHold) {
	delete(m.holds, h.ID)
	removeFrom(m.byUser, h.User, func(o *liveHold) bool { return o == h })
	m.freeSeats(h, h.Seats)
}

// freeSeats takes seats from a hold, which still has them in its list.
func (m *SeatMap) freeSeats(h *liveHold, seats []int) {
	for _, n := range seats {
		m.seats.change(n).held &^= h.Legs
		removeFrom(m.bySeat, n, func(o *liveHold) bool { return o == h })
		m.removeEntry(h.User, n, seatEntry{legs: h.Legs, hold: h.ID})
	}
	m.changed = true
}

// removeFrom removes the matching elements of the list at key, and the key when its list is
// empty.
func removeFrom[K comparable, V any](lists map[K][]V, key K, match func(V) bool) {
	if left := slices.DeleteFunc(lists[key], match); len(left) > 0 {
		lists[key] = left
	} else {
		delete(lists, key)
	}
}
