package booking

import (
	"container/heap"
	"time"
)

// agenda is what a seat map has to do later, earliest first. An item may be stale by
// then: whoever takes it checks.
type agenda struct{ items agendaHeap }

type agendaItem struct {
	at    time.Time
	hold  HoldID // a hold to end, or zero:
	claim claimKey
	legs  Legs // an ended claim to forget
}

func (a *agenda) add(item agendaItem) { heap.Push(&a.items, item) }

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
