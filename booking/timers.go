package booking

import (
	"container/heap"
	"slices"
	"time"
)

// timers are the timers of a seat map, earliest first. A timer may be stale when it is due:
// see SeatMap.stale.
type timers struct{ heap timerHeap }

// timer is the deadline of a hold.
type timer struct {
	at   time.Time
	hold HoldID
}

// addTimer adds a timer. Stale timers are removed when they are the majority, because the
// timer of a released hold stays until the hold's deadline.
func (m *SeatMap) addTimer(t timer) {
	const few = 64
	if len(m.timers.heap) >= few+2*len(m.holds) {
		m.timers.heap = slices.DeleteFunc(m.timers.heap, m.stale)
		heap.Init(&m.timers.heap)
	}
	heap.Push(&m.timers.heap, t)
}

// stale reports whether a timer has no effect any more. A retried request may have
// made another hold, with a later deadline, under the id of a released one.
func (m *SeatMap) stale(t timer) bool {
	h := m.holds[t.hold]
	return h == nil || !h.deadline.Equal(t.at)
}

// popDue removes and returns the earliest timer if it is at or before now.
func (q *timers) popDue(now time.Time) (timer, bool) {
	if at, ok := q.next(); !ok || at.After(now) {
		return timer{}, false
	}
	return heap.Pop(&q.heap).(timer), true
}

// next returns the time of the earliest timer.
func (q *timers) next() (time.Time, bool) {
	if len(q.heap) == 0 {
		return time.Time{}, false
	}
	return q.heap[0].at, true
}

type timerHeap []timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)        { *h = append(*h, x.(timer)) }
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}
