package feed

import (
	"context"

	"trainbooking.dev/booking"
)

// Watcher reads the events of a Feed. It is for use by one goroutine, and need not be closed.
type Watcher struct {
	feed  *Feed
	next  int                   // the number of the next event
	whole booking.SeatEventType // what to return first, or ""
	ended bool
}

// Watch returns a Watcher that begins after the event with the given id. If after is zero, it begins with
// EventSeats; if the event is not kept, with EventResync.
func (f *Feed) Watch(after booking.EventID) *Watcher {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := &Watcher{feed: f, next: f.first + len(f.events), whole: booking.EventSeats}
	if after == (booking.EventID{}) {
		return w
	}
	w.whole = booking.EventResync
	if f.states == nil {
		return w
	}
	if after == f.base {
		w.next, w.whole = f.first, ""
	}
	for i, e := range f.events {
		if e.ID == after {
			w.next, w.whole = f.first+i+1, ""
		}
	}
	return w
}

// Next returns the next event. It waits until there is one, or until ctx ends. After the last one it
// returns the error of the Feed.
func (w *Watcher) Next(ctx context.Context) (*booking.SeatEvent, error) {
	for {
		e, changed, err := w.take()
		if e != nil || err != nil {
			return e, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take returns the next event, an error, or a channel to wait for.
func (w *Watcher) take() (*booking.SeatEvent, <-chan struct{}, error) {
	f := w.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.states != nil {
		if w.next < f.first && w.whole == "" {
			w.whole = booking.EventResync
		}
		if t := w.whole; t != "" {
			w.whole, w.next = "", f.first+len(f.events)
			return f.all(t), nil, nil
		}
		if w.next < f.first+len(f.events) {
			w.next++
			return f.events[w.next-1-f.first], nil, nil
		}
	}
	if f.last != nil && !w.ended {
		w.ended = true
		return f.last, nil, nil
	}
	return nil, f.changed, f.err
}
