package actors

import (
	"sync"
	"time"

	"trainbooking.dev/booking"
)

// maxWaiting is how many commands may wait for one train (DESIGN.md 4). It bounds
// memory and keeps the wait of the last one below askTimeout at any sane drain rate.
const maxWaiting = 1024

// load counts the commands that wait for a train, and how fast they are answered.
type load struct {
	mu       sync.Mutex
	waiting  int
	since    time.Time // start of the present window
	answered int       // in it
	rate     float64   // answers a second, smoothed over windows
}

// enter counts a command in, or refuses it: the queue is full, come back when it will
// have drained.
func (l *load) enter() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= maxWaiting {
		return booking.Unavailable(booking.OutcomeNotExecuted, l.drainTime(), nil)
	}
	l.waiting++
	return nil
}

// leave counts a command out.
func (l *load) leave(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	l.answered++
	window := now.Sub(l.since)
	if window < time.Second {
		return
	}
	rate := float64(l.answered) / window.Seconds()
	if l.rate > 0 {
		rate = (rate + l.rate) / 2
	}
	l.since, l.answered, l.rate = now, 0, rate
}

// drainTime is how long the present queue takes at the present rate, 1 s to 30 s.
func (l *load) drainTime() time.Duration {
	seconds := float64(l.waiting) / max(l.rate, float64(l.answered), 1)
	return min(max(time.Duration(seconds*float64(time.Second)), time.Second), 30*time.Second)
}
