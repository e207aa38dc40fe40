package bookingtest

import (
	"slices"
	"time"

	"trainbooking.dev/booking"
)

// Hold is SeatMap.Hold. The new ticket is pending.
func (m *Model) Hold(request booking.HoldRequest, now time.Time) (hold booking.Hold, made bool, err error) {
	from, to, err := m.segment(request.From, request.To)
	if err != nil {
		return booking.Hold{}, false, err
	}
	if err := m.checkNumbers(request); err != nil {
		return booking.Hold{}, false, err
	}
	if err := m.notOnSale(now); err != nil {
		return booking.Hold{}, false, err
	}
	if k := m.existing(request, from, to, now); k != nil {
		switch {
		case k.State == Booked:
			return booking.Hold{}, false, refusal(booking.CodeSeatBooked)
		case k.InTransit():
			return booking.Hold{}, false, &booking.InTransitError{Hold: k.Hold.ID}
		}
		return k.Hold, false, nil
	}
	if wanted := max(request.Count, len(request.Seats)); wanted > min(m.rules.MaxSeats, m.train.Capacity) {
		return booking.Hold{}, false, refusal(booking.CodeInvalidRequest)
	}
	seats, err := m.sell(request, from, to, now)
	if err != nil {
		return booking.Hold{}, false, err
	}
	k := &Ticket{
		Hold: booking.Hold{
			ID: request.ID, User: request.User, Legs: booking.Segment(from, to), Seats: seats,
			ExpiresAt: now.Add(m.rules.TTL).Truncate(time.Millisecond),
		},
		State: Pending, from: from, to: to,
	}
	m.tickets = append(m.tickets, k)
	return k.Hold, true, nil
}

// Confirm is SeatMap.Confirm. The ticket is confirming.
func (m *Model) Confirm(ref booking.HoldRef, now time.Time) (b booking.Booking, hold booking.HoldID, made bool, err error) {
	if part := m.ofPart(ref); part != nil && part.State == Booked {
		return part.Sold, booking.HoldID{}, false, nil
	}
	k, err := m.resolve(ref, now)
	if err != nil {
		return booking.Booking{}, booking.HoldID{}, false, err
	}
	part, err := k.some(ref.Seats)
	switch {
	case err != nil:
		return booking.Booking{}, booking.HoldID{}, false, err
	case k.State == Booked:
		return k.Sold, booking.HoldID{}, false, nil
	case k.InTransit():
		return booking.Booking{}, booking.HoldID{}, false, &booking.InTransitError{Hold: k.Hold.ID}
	}
	if err := m.notOnSale(now); err != nil {
		return booking.Booking{}, booking.HoldID{}, false, err
	}
	k.State, k.part = Confirming, part
	k.Sold = booking.Booking{
		ID: booking.BookingIDOf(ref.User, k.Hold.ID), Train: m.train.ID, User: ref.User,
		Legs: k.Hold.Legs, Seats: k.Hold.Seats, BookedAt: now.Truncate(time.Microsecond),
	}
	if part != nil {
		k.Sold.ID, k.Sold.Seats = booking.BookingIDOf(ref.User, k.Hold.ID.Part(part)), part
	}
	return k.Sold, k.Hold.ID, true, nil
}

// Release is SeatMap.Release. The ticket is releasing.
func (m *Model) Release(ref booking.HoldRef, now time.Time) ([]booking.Hold, error) {
	gone := m.ofPart(ref)
	if gone != nil && gone.State == Booked {
		return nil, refusal(booking.CodeSeatNotLocked)
	}
	k, err := m.resolve(ref, now)
	var part []int
	if err == nil {
		part, err = k.some(ref.Seats)
	}
	switch {
	case err != nil && gone != nil && gone.kept(now):
		return nil, nil
	case err != nil:
		return nil, err
	case k.State == Booked:
		return nil, refusal(booking.CodeSeatNotLocked)
	case k.InTransit():
		return nil, &booking.InTransitError{Hold: k.Hold.ID}
	}
	k.State, k.part, k.released = Releasing, part, now
	released := k.Hold
	released.Released = true
	if part == nil {
		return []booking.Hold{released}, nil
	}
	rest := k.Hold
	rest.Seats = slices.DeleteFunc(slices.Clone(rest.Seats), func(n int) bool { return slices.Contains(part, n) })
	released.ID, released.Seats = k.Hold.ID.Part(part), part
	return []booking.Hold{released, rest}, nil
}

// Extend is SeatMap.Extend. The ticket is extending.
func (m *Model) Extend(ref booking.HoldRef, now time.Time) (hold booking.Hold, made bool, err error) {
	k, err := m.resolve(ref, now)
	switch {
	case err != nil:
		return booking.Hold{}, false, err
	case k.State == Booked:
		return booking.Hold{}, false, refusal(booking.CodeSeatNotLocked)
	case k.InTransit():
		return booking.Hold{}, false, &booking.InTransitError{Hold: k.Hold.ID}
	case m.notOnSale(now) != nil:
		return booking.Hold{}, false, m.notOnSale(now)
	case k.Hold.Extended:
		return k.Hold, false, nil
	}
	k.State, k.extended = Extending, k.Hold
	k.extended.ExpiresAt, k.extended.Extended = k.Hold.ExpiresAt.Add(m.rules.TTL), true
	return k.extended, true, nil
}

// notOnSale returns why the train sells nothing at now: it is withdrawn, or its sales begin later.
func (m *Model) notOnSale(now time.Time) error {
	switch opens := m.train.SalesOpenAt; {
	case !m.train.OnSale:
		return refusal(booking.CodeNotOnSale)
	case opens.After(now):
		return &booking.Error{Code: booking.CodeNotOnSale, SalesOpenAt: opens}
	}
	return nil
}

// resolve returns the live ticket that ref identifies. A seat alone identifies it if the user
// has, and recently had, only one segment of that seat.
func (m *Model) resolve(ref booking.HoldRef, now time.Time) (*Ticket, error) {
	if ref.Seat > m.train.Capacity {
		return nil, refusal(booking.CodeNotFound)
	}
	var first, live *Ticket
	for _, k := range m.ofUser(ref.User) {
		if !k.kept(now) || !k.matches(ref) {
			continue
		}
		if first == nil {
			first = k
		}
		if ref.Hold.IsZero() && (k.from != first.from || k.to != first.to) {
			return nil, refusal(booking.CodeAmbiguousHold)
		}
		if k.Live(now) {
			live = k
		}
	}
	if live == nil {
		return nil, m.ended(ref, now)
	}
	return live, nil
}

// ended returns hold_expired if the latest hold that ref refers to has expired.
func (m *Model) ended(ref booking.HoldRef, now time.Time) error {
	for _, k := range m.latest(ref.User) {
		switch {
		case k.State == Booked || k.State == Cancelled || !k.kept(now) || !k.matches(ref):
		case k.State == Released:
			return refusal(booking.CodeSeatNotLocked)
		default:
			return &booking.Error{Code: booking.CodeHoldExpired, ExpiredAt: k.Hold.ExpiresAt}
		}
	}
	return refusal(booking.CodeSeatNotLocked)
}

func (m *Model) checkNumbers(request booking.HoldRequest) error {
	if len(request.Seats) == 0 {
		if request.Count < 1 || request.Count > booking.MaxCapacity {
			return refusal(booking.CodeInvalidRequest)
		}
		return nil
	}
	for i, n := range request.Seats {
		if n < 1 || n > booking.MaxCapacity || slices.Contains(request.Seats[:i], n) {
			return refusal(booking.CodeInvalidRequest)
		}
	}
	for _, n := range request.Seats {
		if n > m.train.Capacity {
			return refusal(booking.CodeNotFound)
		}
	}
	return nil
}

// existing returns the live ticket of the same request, or the user's hold of exactly these
// seats and this segment.
func (m *Model) existing(request booking.HoldRequest, from, to int, now time.Time) *Ticket {
	for _, k := range m.ofUser(request.User) {
		if k.Live(now) && k.Hold.ID == request.ID {
			return k
		}
	}
	for _, k := range m.ofUser(request.User) {
		if k.Holding(now) && k.from == from && k.to == to && sameNumbers(k.Hold.Seats, request.Seats) {
			return k
		}
	}
	return nil
}

func sameNumbers(a, b []int) bool {
	for _, n := range a {
		if !slices.Contains(b, n) {
			return false
		}
	}
	return len(a) == len(b)
}

// sell returns the seats of the new hold, ascending, or the reason for refusing it.
func (m *Model) sell(request booking.HoldRequest, from, to int, now time.Time) (seats []int, err error) {
	if m.train.Departed(booking.Segment(from, to), now) {
		return nil, refusal(booking.CodeDeparted)
	}
	if len(request.Seats) > 0 {
		seats, err = m.named(request, from, to, now)
	} else {
		seats, err = m.chosen(request, from, to, now)
	}
	if err != nil {
		return nil, err
	}
	if m.tooMany(request, seats, now) {
		return nil, refusal(booking.CodeTooManySeats)
	}
	return seats, m.limit(request, len(seats), now)
}

// tooMany reports whether the user would have more seats, held and booked, than is allowed.
func (m *Model) tooMany(request booking.HoldRequest, seats []int, now time.Time) bool {
	for _, k := range m.ofUser(request.User) {
		if k.Live(now) {
			seats = append(seats, k.Hold.Seats...)
		}
	}
	different := len(slices.Compact(slices.Sorted(slices.Values(seats))))
	return m.rules.MaxSeatsPerUser > 0 && !request.Unlimited && different > m.rules.MaxSeatsPerUser
}

// limit refuses a hold that would exceed the user's limit. RetryAfter is when enough of the user's
// holds have ended.
func (m *Model) limit(request booking.HoldRequest, more int, now time.Time) error {
	held := func(at time.Time) (seats int) {
		for _, k := range m.ofUser(request.User) {
			if k.Holding(now) && (at.IsZero() || k.Hold.ExpiresAt.After(at)) {
				seats += len(k.Hold.Seats)
			}
		}
		return seats
	}
	if held(time.Time{})+more <= m.rules.MaxSeats {
		return nil
	}
	var enough time.Time
	for _, k := range m.ofUser(request.User) {
		if k.Holding(now) && held(k.Hold.ExpiresAt)+more <= m.rules.MaxSeats &&
			(enough.IsZero() || k.Hold.ExpiresAt.Before(enough)) {
			enough = k.Hold.ExpiresAt
		}
	}
	return &booking.Error{Code: booking.CodeTooManyHolds, RetryAfter: max(0, enough.Sub(now))}
}

// locked returns seat_locked with the last deadline of the holds.
func locked(holds []*Ticket) *booking.Error {
	err := refusal(booking.CodeSeatLocked)
	for _, k := range holds {
		if k.Hold.ExpiresAt.After(err.BecomesFreeAt) {
			err.BecomesFreeAt = k.Hold.ExpiresAt
		}
	}
	return err
}
