// Package feed distributes the changes of the seats on one segment of a train to any number of watchers.
//
//	Update, Change ──▶ Feed ──▶ Watcher.Next
//	                    │
//	                    └─ the state of every seat, and the last events
//
// A Feed keeps a bounded number of events. A watcher reads them at its own pace: one that has fallen
// further behind, or resumes from an event that is not kept, gets the state of every seat. So nothing
// waits for a slow watcher, no watcher misses a change, and none sees a change that did not happen.
package feed

import (
	"io"
	"slices"
	"sync"
	"time"

	"trainbooking.dev/booking"
)

// The limits of what a Feed keeps. They are enough for a train of 1,000 seats that sells out in a second,
// and take about 100 kB.
const (
	maxEvents = 256
	maxSeats  = 4096 // in all events
)

// Feed has the state of the seats and the last events. It is safe for concurrent use. Create it with New.
type Feed struct {
	interval func() time.Duration

	mu       sync.Mutex
	from, to string
	states   []state                                      // of each seat, from seat 1 on, after the last event; nil at first
	next     []state                                      // the current states, after the next event
	nextID   booking.EventID                              // of next
	due      time.Time                                    // the earliest time of the next event
	timer    *time.Timer                                  // runs while the next event waits for due; otherwise nil
	base     booking.EventID                              // of the state before events[0]
	events   []*booking.SeatEvent                         // the last ones, of type EventSeat
	first    int                                          // the number of events[0], counted from the first event ever
	seats    int                                          // in events
	whole    map[booking.SeatEventType]*booking.SeatEvent // of states
	last     *booking.SeatEvent
	err      error         // returned after all events
	changed  chan struct{} // closed by the next change of the fields above
}

// state is a booking.SeatState in one byte.
type state byte

var seatStates = [...]booking.SeatState{booking.SeatAvailable, booking.SeatHeld, booking.SeatBooked}

func stateOf(s booking.SeatState) state {
	for i, name := range seatStates {
		if s == name {
			return state(i)
		}
	}
	return 0
}

// New returns a Feed without a state. Its watchers wait for the first Update. interval returns the shortest
// time between two events; changes within that time form one event.
func New(interval func() time.Duration) *Feed {
	return &Feed{interval: interval, changed: make(chan struct{})}
}

// Ready returns a channel that is closed by the next change, or nil if the Feed has a state or has ended.
func (f *Feed) Ready() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.states != nil || f.err != nil {
		return nil
	}
	return f.changed
}

// Update sets the state of every seat, in order of number. If the segment or the number of seats has
// changed, all watchers get the whole state at once.
func (f *Feed) Update(id booking.EventID, from, to string, seats []booking.Seat) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(seats) == len(f.states) && from == f.from && to == f.to {
		f.change(id, seats)
		return
	}
	f.from, f.to, f.states, f.next = from, to, nil, make([]state, len(seats))
	f.change(id, seats)
	f.states, f.base = slices.Clone(f.next), id
	f.first, f.events, f.seats = f.first+len(f.events)+1, nil, 0 // every watcher is behind
	f.notify()
}

// Change sets the state of seats that have changed since the last Update or Change.
func (f *Feed) Change(id booking.EventID, seats []booking.Seat) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.change(id, seats)
}

// change sets the state of some seats. They are in the next event, which is added now or when it is due.
func (f *Feed) change(id booking.EventID, seats []booking.Seat) {
	for _, seat := range seats {
		if 1 <= seat.Number && seat.Number <= len(f.next) {
			f.next[seat.Number-1] = stateOf(seat.State)
		}
	}
	f.nextID = id
	if len(f.states) != len(f.next) || f.timer != nil {
		return
	}
	if wait := time.Until(f.due); wait > 0 {
		f.timer = time.AfterFunc(wait, f.flush)
		return
	}
	f.add()
}

func (f *Feed) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.timer = nil
	f.add()
}

// add adds an event with the seats that have changed, if there are any.
func (f *Feed) add() {
	var seats []booking.Seat
	for i, s := range f.next {
		if s != f.states[i] {
			f.states[i] = s
			seats = append(seats, booking.Seat{Number: i + 1, State: seatStates[s]})
		}
	}
	if len(seats) == 0 {
		return
	}
	f.due = time.Now().Add(f.interval())
	f.events = append(f.events, &booking.SeatEvent{ID: f.nextID, Type: booking.EventSeat, Seats: seats, Memo: &booking.Memo{}})
	f.seats += len(seats)
	for len(f.events) > maxEvents || f.seats > maxSeats && len(f.events) > 1 {
		f.seats -= len(f.events[0].Seats)
		f.base, f.events[0] = f.events[0].ID, nil
		f.events = f.events[1:]
		f.first++
	}
	f.notify()
}

// End adds the last event. Watchers that have read all events get io.EOF.
func (f *Feed) End(t booking.SeatEventType) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.states != nil {
		f.add()
	}
	f.last, f.err = &booking.SeatEvent{ID: f.id(), Type: t, Memo: &booking.Memo{}}, io.EOF
	f.notify()
}

// Fail ends the Feed with an error.
func (f *Feed) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.notify()
}

// id returns the id of the current state.
func (f *Feed) id() booking.EventID {
	if n := len(f.events); n > 0 {
		return f.events[n-1].ID
	}
	return f.base
}

// notify wakes the watchers after a change.
func (f *Feed) notify() {
	f.whole = nil
	close(f.changed)
	f.changed = make(chan struct{})
}

// all returns an event with the current state of every seat.
func (f *Feed) all(t booking.SeatEventType) *booking.SeatEvent {
	if e := f.whole[t]; e != nil {
		return e
	}
	seats := make([]booking.Seat, len(f.states))
	for i, s := range f.states {
		seats[i] = booking.Seat{Number: i + 1, State: seatStates[s]}
	}
	if f.whole == nil {
		f.whole = map[booking.SeatEventType]*booking.SeatEvent{}
	}
	f.whole[t] = &booking.SeatEvent{ID: f.id(), Type: t, From: f.from, To: f.to, Seats: seats, Memo: &booking.Memo{}}
	return f.whole[t]
}
