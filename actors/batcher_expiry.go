package actors

import (
	"fmt"
	"time"
)

// setExpiry sets the timer for the oldest item in the queue, if there is one.
func (p *partition[T]) setExpiry() {
	p.timed = len(p.queue) > 0
	switch {
	case !p.timed:
	case p.expiry == nil:
		p.expiry = time.AfterFunc(time.Until(p.queue[0].since.Add(p.batcher.limits.age)), p.expire)
	default:
		p.expiry.Reset(time.Until(p.queue[0].since.Add(p.batcher.limits.age)))
	}
}

// expire refuses the items that have waited too long, while others may be in flight.
func (p *partition[T]) expire() {
	old := p.takeOld(time.Now().Add(-p.batcher.limits.age))
	for _, q := range old {
		q.done(tooOld(q.err))
	}
	if len(old) > 0 {
		p.batcher.running.Done()
	}
}

// takeOld removes the items from the queue that were added at a time or before. If there are any,
// the caller must mark one of the running as done.
func (p *partition[T]) takeOld(last time.Time) []queued[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.queue) && !p.queue[n].since.After(last) {
		n++
	}
	old := p.takeFirst(n)
	if n > 0 {
		p.batcher.running.Add(1) // wait has not returned, since what is in the queue is to be written
	}
	p.setExpiry()
	return old
}

// tooOld is errQueueAge with the reason, if it is known.
func tooOld(reason error) error {
	if reason == nil {
		return errQueueAge
	}
	return fmt.Errorf("%w: %w", errQueueAge, reason)
}
