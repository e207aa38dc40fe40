package actors

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// entry is a train on a board. It has the time of its position, in microseconds, so that boards are
// sorted and merged without a look at the trains.
type entry struct {
	at    int64
	train *booking.Train
}

func newEntry(train *booking.Train, position booking.Cursor) entry {
	return entry{position.At.UnixMicro(), train}
}

func (e entry) position() booking.Cursor {
	return booking.Cursor{At: time.UnixMicro(e.at).UTC(), ID: uuid.UUID(e.train.ID)}
}

func (e entry) compare(o entry) int {
	if r := cmp.Compare(e.at, o.at); r != 0 {
		return r
	}
	return bytes.Compare(e.train.ID[:], o.train.ID[:])
}

// search returns where a position is in an ordered list, and whether an item has it.
func search[T any](list []T, p booking.Cursor, position func(T) booking.Cursor) (at int, found bool) {
	return slices.BinarySearchFunc(list, p, func(item T, p booking.Cursor) int { return position(item).Compare(p) })
}

// after returns the items that come after a position.
func after[T any](list []T, p booking.Cursor, position func(T) booking.Cursor) []T {
	at, found := search(list, p, position)
	if found {
		at++
	}
	return list[at:]
}

func insert[T any](list []T, item T, position func(T) booking.Cursor) []T {
	at, _ := search(list, position(item), position)
	return slices.Insert(list, at, item)
}

// without removes an item, if it is there.
func without[T any](list []T, item T, position func(T) booking.Cursor) []T {
	if at, found := search(list, position(item), position); found {
		return slices.Delete(list, at, at+1)
	}
	return list
}

// take returns the first items that are to be kept, at most limit (0: all).
func take[T any](list []T, limit int, keep func(T) bool) []T {
	if limit == 0 {
		limit = len(list)
	}
	taken := make([]T, 0, min(limit, len(list)))
	for _, item := range list {
		if len(taken) == limit {
			break
		}
		if keep(item) {
			taken = append(taken, item)
		}
	}
	return taken
}

// merge returns what boards contain, in order, at most limit (0: all).
func merge(parts [][]entry, limit int) []entry {
	parts = slices.DeleteFunc(parts, func(part []entry) bool { return len(part) == 0 })
	total := 0
	for _, part := range parts {
		total += len(part)
	}
	if limit == 0 {
		limit = total
	}
	if len(parts) == 1 {
		return parts[0][:min(limit, total)]
	}
	heads := mergeHeap(parts)
	heap.Init(&heads)
	merged := make([]entry, 0, min(limit, total))
	for len(merged) < limit && len(heads) > 0 {
		merged = append(merged, heads[0][0])
		if heads[0] = heads[0][1:]; len(heads[0]) == 0 {
			heap.Pop(&heads)
		} else {
			heap.Fix(&heads, 0)
		}
	}
	return merged
}

func trainsOf(entries []entry) []*booking.Train {
	trains := make([]*booking.Train, len(entries))
	for i, e := range entries {
		trains[i] = e.train
	}
	return trains
}

// mergeHeap has the board with the first head first. No board is empty.
type mergeHeap [][]entry

func (h mergeHeap) Len() int           { return len(h) }
func (h mergeHeap) Less(i, j int) bool { return h[i][0].compare(h[j][0]) < 0 }
func (h mergeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *mergeHeap) Push(x any)        { *h = append(*h, x.([]entry)) }
func (h *mergeHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
