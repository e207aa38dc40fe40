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
	if k := m.askedBefore(request, from, to, now); k != nil {
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

// askedBefore finds what the same request made when it was sent before, or the user's
// hold of exactly these seats and this segment.
func (m *Model) askedBefore(request booking.HoldRequest, from, to int, now time.Time) *Ticket {
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

// sell returns the seats that the request takes, ascending, or why it gets none.
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
		for _, k := range m.inTheWay(n, from, to, now) {
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

// chosen returns count neighbours where there are such, the first of them, else the
// lowest free numbers.
func (m *Model) chosen(count, from, to int, now time.Time) ([]int, error) {
	var free []int
	var heldSeats int
	var holds []*Ticket
	for n := 1; n <= m.train.Capacity; n++ {
		inTheWay := m.inTheWay(n, from, to, now)
		switch {
		case len(inTheWay) == 0:
			free = append(free, n)
		case !slices.ContainsFunc(inTheWay, func(k *Ticket) bool { return k.State == Booked }):
			heldSeats++
			holds = append(holds, inTheWay...)
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

// limit refuses what would take the user past the limit. Waiting helps when the first
// of the user's holds ends.
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

// locked says until when at most the holds are in the way.
func locked(holds []*Ticket) *booking.Error {
	err := refusal(booking.CodeSeatLocked)
	for _, k := range holds {
		if k.Hold.ExpiresAt.After(err.BecomesFreeAt) {
			err.BecomesFreeAt = k.Hold.ExpiresAt
		}
	}
	return err
}
