package booking

import (
	"container/heap"
	"slices"
	"time"

	"github.com/google/uuid"
)

// agenda is what a seat map has to do later, earliest first. An item may be stale by
// then: whoever takes it checks.
type agenda struct{ items agendaHeap }

type agendaItem struct {
	at      time.Time
	hold    HoldID    // a hold to end, or zero:
	booking uuid.UUID // a cancelled one whose id to forget, or zero:
	user    uuid.UUID // of whom to forget what ended
}

// schedule adds an item. Stale ones are taken out when they are most of the agenda, as a
// hold that was released stays on it until its deadline.
func (m *SeatMap) schedule(item agendaItem) {
	const few = 64
	if len(m.agenda.items) >= few+2*(len(m.holds)+len(m.remembered)+len(m.spent)) {
		m.agenda.items = slices.DeleteFunc(m.agenda.items, m.stale)
		heap.Init(&m.agenda.items)
	}
	heap.Push(&m.agenda.items, item)
}

// stale reports whether an item is about nothing any more: also where a request that came
// again has made another hold under the id of one that was released, which ends later.
func (m *SeatMap) stale(item agendaItem) bool {
	if !item.hold.IsZero() {
		h := m.holds[item.hold]
		return h == nil || !h.deadline.Equal(item.at)
	}
	if item.booking != (uuid.UUID{}) {
		until, kept := m.spent[item.booking]
		return !kept || !until.Equal(item.at)
	}
	had := m.remembered[item.user]
	return had == nil || !had.next.Equal(item.at)
}

// due takes out the earliest item if it is at or before now.
func (a *agenda) due(now time.Time) (agendaItem, bool) {
	if at, ok := a.next(); !ok || at.After(now) {
		return agendaItem{}, false
	}
	return heap.Pop(&a.items).(agendaItem), true
}

func (a *agenda) next() (time.Time, bool) {
	if len(a.items) == 0 {
		return time.Time{}, false
	}
	return a.items[0].at, true
}

type agendaHeap []agendaItem

func (h agendaHeap) Len() int           { return len(h) }
func (h agendaHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h agendaHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *agendaHeap) Push(x any)        { *h = append(*h, x.(agendaItem)) }
func (h *agendaHeap) Pop() any {
	last := len(*h) - 1
	item := (*h)[last]
	*h = (*h)[:last]
	return item
}
