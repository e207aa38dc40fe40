package actors

import (
	"sync"
	"time"

	"trainbooking.dev/booking"
)

// maxWaiting bounds the requests that wait for one train (DESIGN.md 4). It bounds memory, and
// at usual rates the last request waits for less than requestTimeout.
const maxWaiting = 1024

// backlog counts the requests that wait for a train and the rate at which they get their
// responses. Safe for concurrent use.
type backlog struct {
	mu        sync.Mutex
	waiting   int
	since     time.Time // start of the current window
	completed int       // in the window
	rate      float64   // responses a second, smoothed over windows
}

// enter adds a request. When the backlog is full it returns a 503 whose RetryAfter is the
// time in which the backlog will have drained.
func (b *backlog) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting >= maxWaiting {
		return booking.Unavailable(booking.OutcomeNotExecuted, b.drainTime(), nil)
	}
	if b.waiting == 0 { // the time without requests is not part of the rate
		b.since, b.completed = time.Now(), 0
	}
	b.waiting++
	return nil
}

// leave removes a request.
func (b *backlog) leave(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
	b.completed++
	window := now.Sub(b.since)
	if window < time.Second {
		if b.waiting == 0 { // the rate is at least this
			b.rate = max(b.rate, float64(b.completed))
		}
		return
	}
	rate := float64(b.completed) / window.Seconds()
	if b.rate > 0 {
		rate = (rate + b.rate) / 2
	}
	b.since, b.completed, b.rate = now, 0, rate
}

// drainTime returns how long the backlog takes at the current rate, 1 s to 30 s.
func (b *backlog) drainTime() time.Duration {
	seconds := float64(b.waiting) / max(b.rate, float64(b.completed), 1)
	return min(max(time.Duration(seconds*float64(time.Second)), time.Second), 30*time.Second)
}
