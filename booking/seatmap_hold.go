package booking

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// HoldRules are the operator's settings for holds.
type HoldRules struct {
	TTL      time.Duration // MinHoldTTL to MaxHoldTTL
	MaxSeats int           // that one user holds on one train at once, at least 1
}

// Hold decides a request at now. A new hold is pending: store it, then report
// HoldWritten or HoldFailed. For what the user holds already, made is false and the
// hold is as it was. Errors as Service.Hold, and *InTransitError.
func (m *SeatMap) Hold(request HoldRequest, rules HoldRules, now time.Time) (hold Hold, made bool, err error) {
	segment, err := m.train.Segment(request.From, request.To)
	if err != nil {
		return Hold{}, false, err
	}
	if err := m.checkSeats(request); err != nil {
		return Hold{}, false, err
	}
	if existing := m.sameHold(request, segment); existing != nil {
		if existing.phase != PhaseHeld {
			return Hold{}, false, &InTransitError{existing.ID}
		}
		return existing.Hold, false, nil
	}
	if m.isSpent(request.User, request.ID) {
		return Hold{}, false, errBooked() // a late retry: the user has confirmed what it made
	}
	seats, err := m.sellable(request, segment, rules, now)
	if err != nil {
		return Hold{}, false, err
	}
	deadline := wholeMillisecond(now.Add(rules.TTL))
	h := &liveHold{
		Hold: Hold{
			ID: request.ID, User: request.User, Legs: segment, Seats: seats,
			ExpiresAt: deadline.Round(0).UTC(),
		},
		phase: PhasePending, deadline: deadline,
	}
	m.addHold(h)
	return h.Hold, true, nil
}

// HoldWritten settles a pending hold as held.
func (m *SeatMap) HoldWritten(id HoldID) { m.settle(id, PhasePending) }

// HoldFailed takes out a pending hold that was not stored.
func (m *SeatMap) HoldFailed(id HoldID) {
	if h := m.inPhase(id, PhasePending); h != nil {
		m.dropHold(h)
	}
}

// Release decides to end a live hold. It is releasing: store that, then report Released
// or ReleaseFailed. Returns the hold as it shall be stored. Errors as Service.Release,
// and *InTransitError.
func (m *SeatMap) Release(ref HoldRef) (Hold, error) {
	h, _, err := m.resolve(ref)
	switch {
	case err != nil:
		return Hold{}, err
	case h == nil: // booked
		return Hold{}, errNotLocked()
	case h.phase != PhaseHeld:
		return Hold{}, &InTransitError{h.ID}
	}
	h.phase = PhaseReleasing
	released := h.Hold
	released.Released = true
	return released, nil
}

// Released takes out a hold that was released; its seats are on sale again.
func (m *SeatMap) Released(id HoldID) {
	if h := m.inPhase(id, PhaseReleasing); h != nil {
		m.endHold(h)
	}
}

// ReleaseFailed settles a hold whose release was not stored as held.
func (m *SeatMap) ReleaseFailed(id HoldID) { m.settle(id, PhaseReleasing) }

func (m *SeatMap) inPhase(id HoldID, phase Phase) *liveHold {
	if h := m.holds[id]; h != nil && h.phase == phase {
		return h
	}
	return nil
}

// settle makes a hold held, from the given phase; if its deadline passed meanwhile the
// next Expire ends it.
func (m *SeatMap) settle(id HoldID, from Phase) {
	if h := m.inPhase(id, from); h != nil {
		h.phase = PhaseHeld
		m.await(h)
	}
}

// checkSeats looks at the seat numbers alone.
func (m *SeatMap) checkSeats(request HoldRequest) error {
	if len(request.Seats) == 0 {
		if request.Count < 1 || request.Count > MaxCapacity {
			return InvalidField("count", fmt.Sprintf("must be 1 to %d", MaxCapacity))
		}
		return nil
	}
	seen := make(map[int]bool, len(request.Seats))
	for _, n := range request.Seats {
		if n < 1 || n > MaxCapacity {
			return InvalidField("seats", fmt.Sprintf("seat numbers must be 1 to %d", MaxCapacity))
		}
		if seen[n] {
			return InvalidField("seats", fmt.Sprintf("seat %d is named twice", n))
		}
		seen[n] = true
	}
	if slices.Max(request.Seats) > m.train.Capacity {
		return NotFound("seat on this train")
	}
	return nil
}

// sameHold finds the user's hold that request asks for again: by its id, or by exactly
// its seats and segment.
func (m *SeatMap) sameHold(request HoldRequest, segment Legs) *liveHold {
	if h := m.holds[request.ID]; h != nil && h.User == request.User {
		return h
	}
	seats := slices.Sorted(slices.Values(request.Seats))
	for _, h := range m.byUser[request.User] {
		if h.Legs == segment && slices.Equal(h.Seats, seats) {
			return h
		}
	}
	return nil
}

// sellable returns the seats, ascending, that a new hold takes, or why it may not.
func (m *SeatMap) sellable(request HoldRequest, segment Legs, rules HoldRules, now time.Time) ([]int, error) {
	switch {
	case !m.train.OnSale:
		return nil, &Error{Code: CodeNotOnSale, Message: "This train is not on sale"}
	case m.train.Departed(segment, now):
		from, _ := m.train.Ends(segment)
		return nil, &Error{Code: CodeDeparted, Message: "The train has left " + from.Station}
	}
	seats, err := m.free(request, segment)
	if err != nil {
		return nil, err
	}
	return seats, m.withinLimit(request.User, len(seats), rules, now)
}

// free returns the seats asked for, named or chosen, or why there are not enough.
func (m *SeatMap) free(request HoldRequest, segment Legs) ([]int, error) {
	if len(request.Seats) == 0 {
		return m.choose(request.Count, segment)
	}
	seats := slices.Sorted(slices.Values(request.Seats))
	var until time.Time
	for _, n := range seats {
		if m.seat(n).booked.Overlaps(segment) {
			return nil, errBooked() // whatever is held beside it: waiting would not help
		}
		until = latest(until, m.heldUntil(n, segment))
	}
	if !until.IsZero() {
		return nil, errLocked(until)
	}
	return seats, nil
}

// heldUntil returns when the last hold on the segment of seat n ends, zero when it is
// not held.
func (m *SeatMap) heldUntil(n int, segment Legs) (until time.Time) {
	for _, h := range m.bySeat[n] {
		if h.Legs.Overlaps(segment) {
			until = latest(until, h.ExpiresAt)
		}
	}
	return until
}

// withinLimit is the 429 for a user who would hold more than the limit; it ends when
// the earliest of the user's holds does.
func (m *SeatMap) withinLimit(user uuid.UUID, more int, rules HoldRules, now time.Time) error {
	held, wait := more, rules.TTL
	for _, h := range m.byUser[user] {
		held += len(h.Seats)
		wait = min(wait, max(h.deadline.Sub(now), 0))
	}
	if held <= rules.MaxSeats {
		return nil
	}
	return &Error{
		Code:       CodeTooManyHolds,
		Message:    fmt.Sprintf("You may hold %d seats of one train at once", rules.MaxSeats),
		RetryAfter: wait,
	}
}

// choose returns count free seats: the first run of neighbours, else the lowest
// numbers. Where too few are free, the error reports whether holds stand in the way, and
// until when at most, or bookings do.
func (m *SeatMap) choose(count int, segment Legs) ([]int, error) {
	var all, run []int
	var held int
	var until time.Time
	for i, s := range m.seats {
		switch s.on(segment) {
		case SeatAvailable:
			all, run = append(all, i+1), append(run, i+1)
			if len(run) == count {
				return run, nil
			}
			continue
		case SeatHeld:
			held++
			until = latest(until, m.heldUntil(i+1, segment))
		case SeatBooked:
		}
		run = nil
	}
	switch {
	case len(all) >= count:
		return all[:count], nil
	case len(all)+held >= count:
		return nil, errLocked(until)
	}
	return nil, errBooked()
}

func errBooked() *Error {
	return &Error{Code: CodeSeatBooked, Message: "Seat is already booked"}
}

func errLocked(until time.Time) *Error {
	return &Error{Code: CodeSeatLocked, Message: "Seat is already locked", BecomesFreeAt: until}
}

// wholeMillisecond cuts t to a whole millisecond and keeps its monotonic reading,
// which Truncate would strip.
func wholeMillisecond(t time.Time) time.Time {
	return t.Add(-time.Duration(t.Nanosecond() % int(time.Millisecond)))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
