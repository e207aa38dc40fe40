package actors

import (
	"sync"
	"time"

	"trainbooking.dev/booking"
)

// maxWaiting is how many commands may wait for one train (DESIGN.md 4). It bounds
// memory and keeps the wait of the last one below askTimeout at any sane drain rate.
const maxWaiting = 1024

// pressure counts the commands that wait for a train, and how fast they are answered.
type pressure struct {
	mu       sync.Mutex
	waiting  int
	since    time.Time // start of the present window
	answered int       // in it
	rate     float64   // answers a second, smoothed over windows
}

// enter counts a command in, or refuses it: the queue is full, come back when it will
// have drained.
func (p *pressure) enter() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting >= maxWaiting {
		return booking.Unavailable(booking.OutcomeNotExecuted, p.drainTime(), nil)
	}
	if p.waiting == 0 { // idling says nothing of how fast it drains
		p.since, p.answered = time.Now(), 0
	}
	p.waiting++
	return nil
}

// leave counts a command out.
func (p *pressure) leave(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
	p.answered++
	window := now.Sub(p.since)
	if window < time.Second {
		if p.waiting == 0 { // so many go in less than a second
			p.rate = max(p.rate, float64(p.answered))
		}
		return
	}
	rate := float64(p.answered) / window.Seconds()
	if p.rate > 0 {
		rate = (rate + p.rate) / 2
	}
	p.since, p.answered, p.rate = now, 0, rate
}

// drainTime is how long the present queue takes at the present rate, 1 s to 30 s.
func (p *pressure) drainTime() time.Duration {
	seconds := float64(p.waiting) / max(p.rate, float64(p.answered), 1)
	return min(max(time.Duration(seconds*float64(time.Second)), time.Second), 30*time.Second)
}
