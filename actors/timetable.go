package actors

import (
	"slices"
	"sync"

	"trainbooking.dev/booking"
)

// timetable is some of the trains of a route.
type timetable struct {
	trains []*booking.Train

	mu sync.Mutex
	// boards are the trains in the order in which they leave a stop, by the stop: one train may overtake
	// another. A board is made when it is first asked for, since nobody looks at most of them.
	boards map[int][]entry
}

// add adds a train. No board may be in use.
func (t *timetable) add(train *booking.Train) {
	t.trains = append(t.trains, train)
	for stop, board := range t.boards {
		t.boards[stop] = insert(board, departing(train, stop), entry.position)
	}
}

// remove removes a train. No board may be in use.
func (t *timetable) remove(train *booking.Train) {
	i := slices.Index(t.trains, train)
	t.trains = slices.Delete(t.trains, i, i+1)
	for stop, board := range t.boards {
		t.boards[stop] = without(board, departing(train, stop), entry.position)
	}
}

// board returns the trains in the order in which they leave the stop where the segment begins.
func (t *timetable) board(segment booking.Legs) []entry {
	stop, _ := segment.Bounds()
	t.mu.Lock()
	defer t.mu.Unlock()
	if board, made := t.boards[stop]; made {
		return board
	}
	board := make([]entry, len(t.trains))
	for i, train := range t.trains {
		board[i] = departing(train, stop)
	}
	slices.SortFunc(board, entry.compare)
	if t.boards == nil {
		t.boards = map[int][]entry{}
	}
	t.boards[stop] = board
	return board
}

// departing returns the entry of a train on the board of a stop.
func departing(train *booking.Train, stop int) entry {
	return newEntry(train, train.DeparturePosition(booking.Segment(stop, stop+1)))
}
