// Package feed distributes the changes of the seats on one segment of a train to any number of watchers.
//
//	Update, Change ──▶ Feed ──▶ Watcher.Next
//	                    │
//	                    └─ the state of every seat, and the last events
//
// A Feed keeps a bounded number of events. A watcher reads them at its own pace: one that has fallen
// further behind, or resumes from an event that is not kept, gets the state of every seat. So watchers
// wait for nobody, nobody waits for them, and a change is neither missed nor invented.
package feed

import (
	"io"
	"sync"

	"trainbooking.dev/booking"
)

// The bounds of what a Feed keeps: a train of 1,000 seats that sells out in a second, in 100 kB.
const (
	maxEvents = 256
	maxSeats  = 4096 // in all events
)

// Feed has the state of the seats and the last events. It is safe for concurrent use. Create it with New.
type Feed struct {
	mu       sync.Mutex
	from, to string
	states   []state                                      // of each seat, from seat 1 on; nil at first
	base     booking.EventID                              // of the state before events[0]
	events   []*booking.SeatEvent                         // the last ones, of type EventSeat
	first    int                                          // the number of events[0], counted from the first event ever
	seats    int                                          // in events
	whole    map[booking.SeatEventType]*booking.SeatEvent // of the current state
	last     *booking.SeatEvent
	err      error         // after all events
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

// New returns a Feed without a state. Its watchers wait for the first Update.
func New() *Feed { return &Feed{changed: make(chan struct{})} }

// Ready returns a channel that is closed by the next change, or nil if the Feed has a state or has ended.
func (f *Feed) Ready() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.states != nil || f.err != nil {
		return nil
	}
	return f.changed
}

// Update sets the state of every seat, in order of number, and adds an event with those that differ, if
// there are any. If the segment or the number of seats has changed, all watchers get the whole state.
func (f *Feed) Update(id booking.EventID, from, to string, seats []booking.Seat) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(seats) != len(f.states) || from != f.from || to != f.to {
		f.from, f.to, f.states = from, to, make([]state, len(seats))
		for i, seat := range seats {
			f.states[i] = stateOf(seat.State)
		}
		f.first, f.events, f.seats = f.first+len(f.events)+1, nil, 0 // everybody is behind
		f.base = id
		f.notify()
		return
	}
	var differing []booking.Seat
	for i, seat := range seats {
		if f.states[i] != stateOf(seat.State) {
			differing = append(differing, seat)
		}
	}
	f.add(id, differing)
}

// Change adds an event with the seats that have changed since the last Update or Change.
func (f *Feed) Change(id booking.EventID, seats []booking.Seat) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(id, seats)
}

// End adds the last event. Watchers that have read all events get io.EOF.
func (f *Feed) End(t booking.SeatEventType) {
	f.mu.Lock()
	defer f.mu.Unlock()
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

func (f *Feed) add(id booking.EventID, seats []booking.Seat) {
	if len(seats) == 0 {
		return
	}
	for _, seat := range seats {
		if 1 <= seat.Number && seat.Number <= len(f.states) {
			f.states[seat.Number-1] = stateOf(seat.State)
		}
	}
	f.events = append(f.events, &booking.SeatEvent{ID: id, Type: booking.EventSeat, Seats: seats, Memo: &booking.Memo{}})
	f.seats += len(seats)
	for len(f.events) > maxEvents || f.seats > maxSeats && len(f.events) > 1 {
		f.seats -= len(f.events[0].Seats)
		f.base, f.events[0] = f.events[0].ID, nil
		f.events = f.events[1:]
		f.first++
	}
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
