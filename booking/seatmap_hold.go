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
	// MaxSeatsPerUser is the number of seats of one train that one user may have, held and booked; 0
	// is no limit.
	MaxSeatsPerUser int
	// ReholdPause is how long a user cannot hold a seat again that somebody else wanted meanwhile; 0
	// turns it off.
	ReholdPause time.Duration
}

// Hold decides a request at now. A new hold is pending: store it, then report
// HoldWritten or HoldFailed. If the user has the same hold already, it is returned unchanged
// and made is false. The history is needed unless the id of the request is new. Errors as
// Service.Hold, and *InTransitError.
func (m *SeatMap) Hold(
	request HoldRequest, rules HoldRules, history History, now time.Time,
) (hold Hold, made bool, err error) {
	segment, err := m.train.Segment(request.From, request.To)
	if err != nil {
		return Hold{}, false, err
	}
	if err := m.checkSeats(request); err != nil {
		return Hold{}, false, err
	}
	if !m.train.Sells(now) { // not even a hold that the user has: it cannot be confirmed
		return Hold{}, false, m.errNotOnSale()
	}
	becomes := BookingIDOf(request.User, request.ID)
	existing := m.sameHold(request, segment)
	switch {
	case m.HasBooking(becomes): // a late retry of a hold that was confirmed
		return Hold{}, false, errBooked()
	case existing != nil && existing.phase != PhaseHeld:
		return Hold{}, false, &InTransitError{existing.ID}
	case existing != nil:
		return existing.Hold, false, nil
	case history.cancelled(becomes):
		return Hold{}, false, errBooked()
	}
	if err := m.checkSize(request, rules); err != nil {
		return Hold{}, false, err
	}
	seats, err := m.selectSeats(request, segment, rules, now)
	if err != nil {
		return Hold{}, false, err
	}
	deadline := deadlineOf(now, rules.TTL)
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

// HoldWritten makes a pending hold held.
func (m *SeatMap) HoldWritten(id HoldID) { m.settle(id, PhasePending) }

// HoldFailed removes a pending hold that was not stored.
func (m *SeatMap) HoldFailed(id HoldID) {
	if h := m.inPhase(id, PhasePending); h != nil {
		m.dropHold(h)
	}
}

// Confirm decides to book a live hold, or some of its seats, at now. The hold is confirming: store the
// booking, then report Booked, ConfirmFailed or ConfirmRefused. If these seats are booked already,
// made is false. The history is that of NeedsHistory. Errors as Service.Confirm, and
// *InTransitError. After not_on_sale, release the hold.
func (m *SeatMap) Confirm(ref HoldRef, history History, now time.Time) (b Booking, hold HoldID, made bool, err error) {
	h, booked, err := m.resolve(ref, history, now)
	switch {
	case err != nil:
		return Booking{}, HoldID{}, false, err
	case booked != nil:
		return *booked, HoldID{}, false, nil
	case h.phase != PhaseHeld:
		return Booking{}, HoldID{}, false, &InTransitError{h.ID}
	case !h.deadline.After(now): // it settled after its deadline, and Expire has not run yet
		return Booking{}, HoldID{}, false, errExpired(h.ExpiresAt)
	case !m.train.Sells(now):
		return Booking{}, HoldID{}, false, m.errNotOnSale()
	}
	h.phase, h.part = PhaseConfirming, h.partOf(ref.Seats)
	return Booking{
		ID: h.becomes(), Train: m.train.ID, User: h.User,
		Legs: h.Legs, Seats: h.leaving(), BookedAt: now.UTC().Truncate(time.Microsecond),
	}, h.ID, true, nil
}

// Booked replaces a confirming hold, or its part, by the booking that was stored.
func (m *SeatMap) Booked(id HoldID, b Booking) {
	if h := m.inPhase(id, PhaseConfirming); h != nil {
		m.leave(h)
		m.addBooking(&b)
	}
}

// ConfirmFailed makes a hold held again because its booking was not stored.
func (m *SeatMap) ConfirmFailed(id HoldID) { m.settle(id, PhaseConfirming) }

// ConfirmRefused removes a hold whose booking the store refuses for good, and returns
// seat_not_locked. The store has the last word, even where the map has no reason for it.
func (m *SeatMap) ConfirmRefused(id HoldID) error {
	if h := m.inPhase(id, PhaseConfirming); h != nil {
		m.dropHold(h)
	}
	return errNotLocked()
}

// Release decides to end a live hold, or to take some seats from it, and returns the holds to be stored,
// in their order. The hold is releasing: when the last one is stored, report Released, otherwise
// ReleaseFailed. Of a part, the first one records what was released, and the second has the other seats.
// There is none if the part was released before. The history is that of NeedsHistory. Errors as
// Service.Release, and *InTransitError.
func (m *SeatMap) Release(ref HoldRef, history History, now time.Time) ([]Hold, error) {
	h, _, err := m.resolve(ref, history, now)
	switch {
	case err != nil && history.released(ref):
		return nil, nil
	case err != nil:
		return nil, err
	case h == nil: // booked
		return nil, errNotLocked()
	case h.phase != PhaseHeld:
		return nil, &InTransitError{h.ID}
	}
	h.phase, h.released, h.part = PhaseReleasing, now, h.partOf(ref.Seats)
	released := h.Hold
	released.Released = true
	if h.part == nil {
		return []Hold{released}, nil
	}
	released.ID, released.Seats = h.ID.Part(h.part), h.part
	rest := h.Hold
	rest.Seats = h.without(h.part)
	return []Hold{released, rest}, nil
}

// Released removes a hold that was released, or its part, and puts the seats on sale again.
func (m *SeatMap) Released(id HoldID) {
	if h := m.inPhase(id, PhaseReleasing); h != nil {
		m.pauses.add(h, h.leaving(), h.released)
		m.leave(h)
	}
}

// ReleaseFailed makes a hold held again because its release was not stored.
func (m *SeatMap) ReleaseFailed(id HoldID) { m.settle(id, PhaseReleasing) }

func (m *SeatMap) inPhase(id HoldID, phase Phase) *liveHold {
	if h := m.holds[id]; h != nil && h.phase == phase {
		return h
	}
	return nil
}

// settle makes a hold held if it is in the given phase. If its deadline has passed, the next
// Expire ends it.
func (m *SeatMap) settle(id HoldID, from Phase) {
	if h := m.inPhase(id, from); h != nil {
		m.hold(h)
	}
}

func (m *SeatMap) hold(h *liveHold) {
	h.phase, h.part = PhaseHeld, nil
	m.startTimer(h)
}

// checkSeats checks the seat numbers, not whether the seats are free.
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
			return InvalidField("seats", fmt.Sprintf("seat %d is given twice", n))
		}
		seen[n] = true
	}
	if slices.Max(request.Seats) > m.train.Capacity {
		return NotFound("seat on this train")
	}
	return nil
}

// sameHold returns the user's hold of the same id, or of exactly the same seats and segment,
// or nil.
func (m *SeatMap) sameHold(request HoldRequest, segment Legs) *liveHold {
	if h := m.holds[request.ID]; h != nil && h.User == request.User {
		return h
	}
	theirs := m.byUser[request.User]
	if len(theirs) == 0 {
		return nil
	}
	seats := sorted(request.Seats)
	for _, h := range theirs {
		if h.Legs == segment && slices.Equal(h.Seats, seats) {
			return h
		}
	}
	return nil
}

// selectSeats returns the seats of a new hold, ascending, or the reason for refusing it.
func (m *SeatMap) selectSeats(request HoldRequest, segment Legs, rules HoldRules, now time.Time) ([]int, error) {
	if m.train.Departed(segment, now) {
		return nil, m.errDeparted(segment)
	}
	choose := m.named
	if len(request.Seats) == 0 {
		choose = m.choose
	}
	seats, err := choose(request, segment, rules, now)
	if err != nil {
		return nil, err
	}
	return seats, m.withinLimits(request, seats, rules, now)
}

// sorted returns a copy of some seat numbers, ascending.
func sorted(seats []int) []int {
	seats = slices.Clone(seats)
	slices.Sort(seats)
	return seats
}

// heldUntil returns when the last hold on the segment of seat n ends; zero if it is not
// held.
func (m *SeatMap) heldUntil(n int, segment Legs) (until time.Time) {
	for _, h := range m.bySeat[n] {
		if h.Legs.Overlaps(segment) {
			until = latest(until, h.ExpiresAt)
		}
	}
	return until
}

// checkSize refuses a request for more seats than the user may hold or the train has: waiting would
// not help.
func (m *SeatMap) checkSize(request HoldRequest, rules HoldRules) error {
	field, wanted := "count", request.Count
	if len(request.Seats) > 0 {
		field, wanted = "seats", len(request.Seats)
	}
	switch {
	case wanted > rules.MaxSeats:
		return InvalidField(field, fmt.Sprintf("must be at most %d, the seats of one train that a user may hold at once", rules.MaxSeats))
	case wanted > m.train.Capacity:
		return InvalidField(field, fmt.Sprintf("must be at most %d, the capacity of the train", m.train.Capacity))
	}
	return nil
}

// withinLimits returns too_many_seats or too_many_holds if the user would have more seats than the
// limits.
func (m *SeatMap) withinLimits(request HoldRequest, seats []int, rules HoldRules, now time.Time) error {
	if rules.MaxSeatsPerUser > 0 && !request.Unlimited {
		have := m.seatsOf[request.User]
		for _, n := range seats {
			if _, had := m.bySeatOfUser[userSeat{request.User, n}]; !had {
				have++
			}
		}
		if have > rules.MaxSeatsPerUser {
			return &Error{
				Code:    CodeTooManySeats,
				Message: fmt.Sprintf("You may hold and book %d seats of one train", rules.MaxSeatsPerUser),
			}
		}
	}
	return m.withinHolds(request.User, len(seats), rules, now)
}

// withinHolds returns too_many_holds if the user would hold more than the limit. RetryAfter
// is when enough of the user's holds have ended.
func (m *SeatMap) withinHolds(user uuid.UUID, more int, rules HoldRules, now time.Time) error {
	theirs := m.byUser[user]
	excess := more - rules.MaxSeats
	for _, h := range theirs {
		excess += len(h.Seats)
	}
	if excess <= 0 {
		return nil
	}
	var wait time.Duration
	byDeadline := func(a, b *liveHold) int { return a.deadline.Compare(b.deadline) }
	for _, h := range slices.SortedFunc(slices.Values(theirs), byDeadline) {
		if excess <= 0 {
			break
		}
		excess -= len(h.Seats)
		wait = max(h.deadline.Sub(now), 0)
	}
	return &Error{
		Code:       CodeTooManyHolds,
		Message:    fmt.Sprintf("You may hold %d seats of one train at once", rules.MaxSeats),
		RetryAfter: wait,
	}
}

// errNotOnSale has the time at which sales begin, unless the train is withdrawn.
func (m *SeatMap) errNotOnSale() *Error {
	if m.train.OnSale {
		return &Error{
			Code: CodeNotOnSale, Message: "This train is not on sale yet", SalesOpenAt: m.train.SalesOpenAt,
		}
	}
	return &Error{Code: CodeNotOnSale, Message: "This train is not on sale"}
}

func (m *SeatMap) errDeparted(segment Legs) *Error {
	from, _ := m.train.Ends(segment)
	return &Error{Code: CodeDeparted, Message: "The train has left " + from.Station}
}

func errBooked() *Error {
	return &Error{Code: CodeSeatBooked, Message: "Seat is already booked"}
}

func errLocked(until time.Time) *Error {
	return &Error{Code: CodeSeatLocked, Message: "Seat is already locked", BecomesFreeAt: until}
}

// deadlineOf returns the deadline of a hold that is made at now: a whole millisecond. It keeps
// the monotonic reading of now, which Truncate would strip.
func deadlineOf(now time.Time, ttl time.Duration) time.Time {
	t := now.Add(ttl)
	return t.Add(-time.Duration(t.Nanosecond() % int(time.Millisecond)))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
