package booking

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// block is a run of adjacent seats that are free on a segment.
type block struct {
	first, length int
	used          int // its seats that are taken on other legs
}

func (b block) seats(list []int) []int {
	for n := b.first; n < b.first+b.length; n++ {
		list = append(list, n)
	}
	return list
}

// choose returns count free seats, ascending: as few groups of adjacent seats as possible, the largest
// possible groups, from the smallest blocks that have them. Among those it prefers seats that are
// taken on other legs, so that seats which are free on the whole route stay so, and then the lowest
// numbers. If too few seats are free for the user, the error is not_enough_seats.
func (m *SeatMap) choose(request HoldRequest, segment Legs, rules HoldRules, now time.Time) ([]int, error) {
	count, blocks := request.Count, m.freeBlocks(request.User, segment, now)
	free := 0
	for _, b := range blocks {
		free += b.length
	}
	if free < count {
		m.wantHeld(request, free, segment, rules)
		return nil, &Error{
			Code:      CodeNotEnoughSeats,
			Message:   fmt.Sprintf("%d of %d seats are free on this segment", free, count),
			Available: free, BecomesFreeAt: m.firstEnd(segment),
		}
	}
	bySize := func(a, b block) int {
		return cmp.Or(cmp.Compare(b.length, a.length), cmp.Compare(b.used, a.used), cmp.Compare(a.first, b.first))
	}
	slices.SortFunc(blocks, bySize)
	var seats []int
	for len(blocks) > 0 && blocks[0].length <= count-len(seats) {
		seats, blocks = blocks[0].seats(seats), blocks[1:]
	}
	if rest := count - len(seats); rest > 0 {
		seats = m.tightest(blocks, rest).seats(seats)
	}
	slices.Sort(seats)
	return seats, nil
}

// tightest returns the best count adjacent seats of the smallest blocks that have as many. The blocks
// are ordered by length, the longest first.
func (m *SeatMap) tightest(blocks []block, count int) (best block) {
	best.used = -1
	length := 0 // of the smallest that fit
	for _, b := range slices.Backward(blocks) {
		if length > 0 && b.length > length {
			break
		}
		if b.length < count {
			continue
		}
		length = b.length
		group := block{first: b.first, length: count}
		for n := b.first; n < b.first+b.length; n++ {
			group.used += m.used(n)
			if n >= b.first+count {
				group.used -= m.used(n - count)
				group.first++
			}
			if n >= b.first+count-1 && (group.used > best.used || group.used == best.used && group.first < best.first) {
				best = group
			}
		}
	}
	return best
}

// used returns 1 if seat n is taken on any leg, otherwise 0.
func (m *SeatMap) used(n int) int {
	if s := m.seats.at(n); s.booked|s.held != 0 {
		return 1
	}
	return 0
}

// freeBlocks returns the blocks of a segment that are free for the user, by number.
func (m *SeatMap) freeBlocks(user uuid.UUID, segment Legs, now time.Time) (blocks []block) {
	for from, to := range m.freeRuns(user, segment, now) {
		b := block{first: from, length: to - from + 1}
		if last := len(blocks) - 1; last >= 0 && blocks[last].first+blocks[last].length == from {
			b, blocks = block{first: blocks[last].first, length: blocks[last].length + b.length}, blocks[:last]
		}
		blocks = append(blocks, b)
	}
	for i := range blocks {
		for n := blocks[i].first; n < blocks[i].first+blocks[i].length; n++ {
			blocks[i].used += m.used(n)
		}
	}
	return blocks
}

// firstEnd returns when the first hold on the segment ends; zero if there is none.
func (m *SeatMap) firstEnd(segment Legs) (first time.Time) {
	for _, h := range m.holds {
		if h.Legs.Overlaps(segment) && (first.IsZero() || h.ExpiresAt.Before(first)) {
			first = h.ExpiresAt
		}
	}
	return first
}
