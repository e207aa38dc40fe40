package actors

import (
	"slices"
	"sync"

	"trainbooking.dev/booking"
)

// route is a sequence of stations, with the trains that call there. Trains of many days share it.
type route struct {
	key       string     // the folded names of its stops, each with a 0 after it
	stations  []*station // each once
	ambiguous bool       // two stops have one search key
	trains    []*booking.Train

	mu sync.Mutex
	// boards are the trains in the order in which they leave a stop, by the stop: one train may overtake
	// another. A board is made when it is first asked for, since nobody looks at most of them.
	boards map[int][]entry
}

// addRoute adds the route of a train.
func (c *catalogue) addRoute(key string, train *booking.Train) *route {
	r := &route{key: key}
	c.routes[key] = r
	for i, stop := range train.Stops {
		s := c.spell(stop.Station).station
		if _, twice := s.routes[r]; twice {
			r.ambiguous = true
			continue
		}
		s.routes[r] = i
		r.stations = append(r.stations, s)
	}
	return r
}

// add adds a train. No board may be in use.
func (r *route) add(train *booking.Train) {
	r.trains = append(r.trains, train)
	for stop, board := range r.boards {
		r.boards[stop] = insert(board, departing(train, stop), entry.position)
	}
}

// remove removes a train. No board may be in use.
func (r *route) remove(train *booking.Train) {
	i := slices.Index(r.trains, train)
	r.trains = slices.Delete(r.trains, i, i+1)
	for stop, board := range r.boards {
		r.boards[stop] = without(board, departing(train, stop), entry.position)
	}
}

// board returns the trains in the order in which they leave the stop where the segment begins.
func (r *route) board(segment booking.Legs) []entry {
	stop, _ := segment.Bounds()
	r.mu.Lock()
	defer r.mu.Unlock()
	if board, made := r.boards[stop]; made {
		return board
	}
	board := make([]entry, len(r.trains))
	for i, train := range r.trains {
		board[i] = departing(train, stop)
	}
	slices.SortFunc(board, entry.compare)
	if r.boards == nil {
		r.boards = map[int][]entry{}
	}
	r.boards[stop] = board
	return board
}

// departing returns the entry of a train on the board of a stop.
func departing(train *booking.Train, stop int) entry {
	return newEntry(train, train.DeparturePosition(booking.Segment(stop, stop+1)))
}
