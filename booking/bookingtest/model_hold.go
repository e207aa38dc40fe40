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
	if k := m.existing(request, from, to, now); k != nil {
		switch {
		case k.State == Booked:
			return booking.Hold{}, false, refusal(booking.CodeSeatBooked)
		case k.InTransit():
			return booking.Hold{}, false, &booking.InTransitError{Hold: k.Hold.ID}
		}
		return k.Hold, false, nil
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
	k, err := m.resolve(ref, now)
	switch {
	case err != nil:
		return booking.Booking{}, booking.HoldID{}, false, err
	case k.State == Booked:
		return k.Sold, booking.HoldID{}, false, nil
	case k.InTransit():
		return booking.Booking{}, booking.HoldID{}, false, &booking.InTransitError{Hold: k.Hold.ID}
	}
	k.State = Confirming
	k.Sold = booking.Booking{
		ID: booking.BookingIDOf(ref.User, k.Hold.ID), Train: m.train.ID, User: ref.User,
		Legs: k.Hold.Legs, Seats: k.Hold.Seats, BookedAt: now.Truncate(time.Microsecond),
	}
	return k.Sold, k.Hold.ID, true, nil
}

// Release is SeatMap.Release. The ticket is releasing.
func (m *Model) Release(ref booking.HoldRef, now time.Time) (booking.Hold, error) {
	k, err := m.resolve(ref, now)
	switch {
	case err != nil:
		return booking.Hold{}, err
	case k.State == Booked:
		return booking.Hold{}, refusal(booking.CodeSeatNotLocked)
	case k.InTransit():
		return booking.Hold{}, &booking.InTransitError{Hold: k.Hold.ID}
	}
	k.State = Releasing
	released := k.Hold
	released.Released = true
	return released, nil
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
		return nil, refusal(booking.CodeSeatNotLocked)
	}
	return live, nil
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
	departs := m.train.Stops[from].DepartsAt
	switch {
	case !m.train.OnSale:
		return nil, refusal(booking.CodeNotOnSale)
	case !departs.IsZero() && !departs.After(now):
		return nil, refusal(booking.CodeDeparted)
	}
	if len(request.Seats) > 0 {
		seats, err = m.named(request.Seats, from, to, now)
	} else {
		seats, err = m.chosen(request.Count, from, to, now)
	}
	if err != nil {
		return nil, err
	}
	return seats, m.limit(request, len(seats), now)
}

func (m *Model) named(seats []int, from, to int, now time.Time) ([]int, error) {
	var holds []*Ticket
	for _, n := range seats {
		for _, k := range m.conflicting(n, from, to, now) {
			if k.State == Booked {
				return nil, refusal(booking.CodeSeatBooked)
			}
			holds = append(holds, k)
		}
	}
	if len(holds) > 0 {
		return nil, locked(holds)
	}
	return slices.Sorted(slices.Values(seats)), nil
}

// chosen returns the first count adjacent free seats, else the lowest free numbers.
func (m *Model) chosen(count, from, to int, now time.Time) ([]int, error) {
	var free []int
	var heldSeats int
	var holds []*Ticket
	for n := 1; n <= m.train.Capacity; n++ {
		conflicting := m.conflicting(n, from, to, now)
		switch {
		case len(conflicting) == 0:
			free = append(free, n)
		case !slices.ContainsFunc(conflicting, func(k *Ticket) bool { return k.State == Booked }):
			heldSeats++
			holds = append(holds, conflicting...)
		}
	}
	for i := range free {
		if last := i + count - 1; last < len(free) && free[last] == free[i]+count-1 {
			return free[i : last+1], nil
		}
	}
	switch {
	case len(free) >= count:
		return free[:count], nil
	case len(free)+heldSeats >= count:
		return nil, locked(holds)
	}
	return nil, refusal(booking.CodeSeatBooked)
}

// limit refuses a hold that would exceed the user's limit. RetryAfter is when the first of
// the user's holds ends.
func (m *Model) limit(request booking.HoldRequest, more int, now time.Time) error {
	held, wait := more, m.rules.TTL
	for _, k := range m.ofUser(request.User) {
		if k.Holding(now) {
			held += len(k.Hold.Seats)
			wait = min(wait, max(0, k.Hold.ExpiresAt.Sub(now)))
		}
	}
	if held <= m.rules.MaxSeats {
		return nil
	}
	return &booking.Error{Code: booking.CodeTooManyHolds, RetryAfter: wait}
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
