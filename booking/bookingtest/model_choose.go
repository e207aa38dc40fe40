package bookingtest

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// named returns the named seats or, if the request wants that, the nearest free one for each that is not
// free, the first of them first.
func (m *Model) named(request booking.HoldRequest, from, to int, now time.Time) ([]int, error) {
	seats := slices.Sorted(slices.Values(request.Seats))
	err, first := m.refused(request, seats, from, to, now)
	if err == nil {
		return seats, nil
	}
	if instead := m.instead(request.User, seats, from, to, now); request.BestAlternative && instead != nil {
		return instead, nil
	}
	if err.Code == booking.CodeSeatLocked {
		m.want(request.User, seats, from, to, now)
	}
	nearest := m.nearest(first, request.User, seats, from, to, now)
	err.Alternatives = nearest[:min(len(nearest), booking.MaxAlternatives)]
	return nil, err
}

// refused returns why the seats cannot be held, and the first of them that cannot; nil if they can.
func (m *Model) refused(request booking.HoldRequest, seats []int, from, to int, now time.Time) (err *booking.Error, first int) {
	var holds []*Ticket
	var booked bool
	var paused time.Time
	for _, n := range slices.Backward(seats) {
		conflicting, pause := m.conflicting(n, from, to, now), m.pausedUntil(request.User, n, from, to, now)
		for _, k := range conflicting {
			if k.State == Booked {
				booked = true
			} else {
				holds = append(holds, k)
			}
		}
		if len(conflicting) > 0 || !pause.IsZero() {
			first = n
		}
		if pause.After(paused) {
			paused = pause
		}
	}
	switch {
	case booked:
		return refusal(booking.CodeSeatBooked), first
	case len(holds) > 0:
		err = locked(holds)
		if paused.After(err.BecomesFreeAt) {
			err.BecomesFreeAt = paused
		}
		return err, first
	case first > 0:
		return &booking.Error{Code: booking.CodeHeldTooLong, BecomesFreeAt: paused}, first
	}
	return nil, 0
}

// free reports whether the user can hold the seat.
func (m *Model) free(user uuid.UUID, seat, from, to int, now time.Time) bool {
	return len(m.conflicting(seat, from, to, now)) == 0 && m.pausedUntil(user, seat, from, to, now).IsZero()
}

// nearest returns every free seat that is not one of the seats, the nearest to n first.
func (m *Model) nearest(n int, user uuid.UUID, seats []int, from, to int, now time.Time) (found []int) {
	for distance := 1; distance < m.train.Capacity; distance++ {
		for _, seat := range []int{n - distance, n + distance} {
			if seat >= 1 && seat <= m.train.Capacity && !slices.Contains(seats, seat) && m.free(user, seat, from, to, now) {
				found = append(found, seat)
			}
		}
	}
	return found
}

// instead returns the seats with the nearest free one for each that is not free; nil if there are too
// few.
func (m *Model) instead(user uuid.UUID, seats []int, from, to int, now time.Time) []int {
	instead := slices.Clone(seats)
	for i, n := range seats {
		if m.free(user, n, from, to, now) {
			continue
		}
		nearest := m.nearest(n, user, append(slices.Clone(seats), instead...), from, to, now)
		if len(nearest) == 0 {
			return nil
		}
		instead[i] = nearest[0]
	}
	return slices.Sorted(slices.Values(instead))
}

// chosen tries every choice of count free seats and returns the best one.
func (m *Model) chosen(request booking.HoldRequest, from, to int, now time.Time) ([]int, error) {
	count := request.Count
	var free, held []int
	var first time.Time // when a hold ends
	for n := 1; n <= m.train.Capacity; n++ {
		conflicting := m.conflicting(n, from, to, now)
		if m.free(request.User, n, from, to, now) {
			free = append(free, n)
		}
		if m.heldByOthers(request.User, conflicting) {
			held = append(held, n)
		}
		for _, k := range conflicting {
			if k.State != Booked && (first.IsZero() || k.Hold.ExpiresAt.Before(first)) {
				first = k.Hold.ExpiresAt
			}
		}
	}
	if len(free) < count {
		if len(free)+len(held) >= count {
			m.want(request.User, held, from, to, now)
		}
		return nil, &booking.Error{Code: booking.CodeNotEnoughSeats, Available: len(free), BecomesFreeAt: first}
	}
	var best []int
	for _, seats := range choices(free, count) {
		if best == nil || slices.Compare(m.cost(seats, free, now), m.cost(best, free, now)) < 0 {
			best = seats
		}
	}
	return best, nil
}

// choices returns every choice of count numbers, in order.
func choices(numbers []int, count int) (all [][]int) {
	if count == 0 {
		return [][]int{nil}
	}
	for i, n := range numbers {
		for _, rest := range choices(numbers[i+1:], count-1) {
			all = append(all, append([]int{n}, rest...))
		}
	}
	return all
}

// cost returns what is to be small, the most important first: the number of groups, then for each
// group, the largest first, its size, negative, then the seats of the blocks that they are in, then for
// each group the number of its seats that are taken on other legs, negative, then the seats.
func (m *Model) cost(seats, free []int, now time.Time) []int {
	groups := runs(seats)
	used := func(group []int) (n int) {
		for _, seat := range group {
			if len(m.conflicting(seat, 0, len(m.train.Stops)-1, now)) > 0 {
				n++
			}
		}
		return n
	}
	slices.SortFunc(groups, func(a, b []int) int { return cmp.Or(len(b)-len(a), used(b)-used(a)) })
	sizes, taken, blocks := []int{}, []int{}, 0
	for _, group := range groups {
		sizes, taken = append(sizes, -len(group)), append(taken, -used(group))
	}
	for _, block := range runs(free) {
		if slices.ContainsFunc(block, func(n int) bool { return slices.Contains(seats, n) }) {
			blocks += len(block)
		}
	}
	return slices.Concat([]int{len(groups)}, sizes, []int{blocks}, taken, seats)
}

// runs divides ascending numbers where one is missing.
func runs(numbers []int) (all [][]int) {
	for i, n := range numbers {
		if i == 0 || numbers[i-1] != n-1 {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], n)
	}
	return all
}
