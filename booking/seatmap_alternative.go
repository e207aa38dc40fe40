package booking

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"
)

// MaxAlternatives is the number of free seats that a refusal offers at most.
const MaxAlternatives = 5

// named returns the seats that the request names, ascending. If some are not free for the user, it
// returns the nearest free ones in their place, if the request asks for that, or else an error with the
// seats that are nearest to the first of them: seat_booked, seat_locked or held_too_long.
func (m *SeatMap) named(request HoldRequest, segment Legs, rules HoldRules, now time.Time) ([]int, error) {
	seats := sorted(request.Seats)
	taken, err := m.taken(request.User, seats, segment, now)
	if err == nil {
		return seats, nil
	}
	if request.BestAlternative {
		if instead := m.replaced(request.User, seats, taken, segment, now); instead != nil {
			return instead, nil
		}
	}
	if err.Code == CodeSeatLocked {
		m.want(request.User, taken, segment, rules)
	}
	err.Alternatives = m.nearest(taken[0], request.User, segment, seats, now)
	return nil, err
}

// taken returns those of the seats that are not free for the user, and the reason; nil if there are
// none. If waiting would not help, that is the reason.
func (m *SeatMap) taken(user uuid.UUID, seats []int, segment Legs, now time.Time) (taken []int, err *Error) {
	var booked, locked bool
	var until time.Time
	for _, n := range seats {
		held, pause := m.heldUntil(n, segment), m.pauses.until(user, n, segment, now)
		switch {
		case m.seats.at(n).booked.Overlaps(segment):
			booked = true
		case !held.IsZero():
			locked = true
		case pause.IsZero():
			continue
		}
		taken, until = append(taken, n), latest(until, latest(held, pause))
	}
	switch {
	case booked:
		return taken, errBooked()
	case locked:
		return taken, errLocked(until)
	case taken != nil:
		return taken, errHeldTooLong(until)
	}
	return nil, nil
}

// replaced returns the seats, ascending, with the nearest free one in place of each that is taken; nil
// if there are not enough.
func (m *SeatMap) replaced(user uuid.UUID, seats, taken []int, segment Legs, now time.Time) []int {
	instead := slices.DeleteFunc(slices.Clone(seats), func(n int) bool { return slices.Contains(taken, n) })
	except := seats
	for _, n := range taken {
		nearest := m.nearest(n, user, segment, except, now)
		if len(nearest) == 0 {
			return nil
		}
		instead, except = append(instead, nearest[0]), append(slices.Clip(except), nearest[0])
	}
	slices.Sort(instead)
	return instead
}

// nearest returns the free seats that are nearest to seat n, without some: the nearest first, and of two
// that are as near the one with the lower number; at most MaxAlternatives.
func (m *SeatMap) nearest(n int, user uuid.UUID, segment Legs, except []int, now time.Time) []int {
	var below, above []int
	enough := MaxAlternatives + len(except)
	for from, to := range m.freeRuns(user, segment, now) {
		for seat := max(from, min(n, to)-enough); seat <= to && len(above) < MaxAlternatives; seat++ {
			switch {
			case slices.Contains(except, seat):
			case seat < n:
				below = append(below, seat)
			default:
				above = append(above, seat)
			}
		}
		below = below[max(0, len(below)-MaxAlternatives):]
		if len(above) == MaxAlternatives {
			break
		}
	}
	found := slices.Concat(below, above)
	distance := func(seat int) int { return max(seat-n, n-seat) }
	slices.SortFunc(found, func(a, b int) int { return cmp.Or(cmp.Compare(distance(a), distance(b)), cmp.Compare(a, b)) })
	return found[:min(len(found), MaxAlternatives)]
}

// freeRuns yields the first and the last seat of each run of seats that are free on the segment and that
// the user may hold at now, in order.
func (m *SeatMap) freeRuns(user uuid.UUID, segment Legs, now time.Time) iter.Seq2[int, int] {
	paused := m.pauses.seats(user, segment, now)
	if len(paused) == 0 {
		return m.seats.freeRuns(segment)
	}
	return func(yield func(from, to int) bool) {
		for from, to := range m.seats.freeRuns(segment) {
			for n := from; n <= to; n++ {
				if !slices.Contains(paused, n) {
					continue
				}
				if from < n && !yield(from, n-1) {
					return
				}
				from = n + 1
			}
			if from <= to && !yield(from, to) {
				return
			}
		}
	}
}
