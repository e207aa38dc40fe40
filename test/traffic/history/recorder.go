package history

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Recorder collects the operations of clients. It is safe for concurrent use.
type Recorder struct {
	start time.Time

	mu      sync.Mutex
	history History
	changed chan struct{} // closed and replaced at each operation
}

// NewRecorder returns a Recorder whose times are offsets from now.
func NewRecorder() *Recorder {
	return &Recorder{start: time.Now(), changed: make(chan struct{})}
}

// Now returns the time since the start.
func (r *Recorder) Now() time.Duration { return time.Since(r.start) }

// At converts a time of the wall clock, such as the end of a hold, to an offset.
func (r *Recorder) At(t time.Time) time.Duration {
	now := time.Now()
	return now.Sub(r.start) + t.Sub(now.Round(0))
}

// Add records an operation that has returned.
func (r *Recorder) Add(o Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Operations = append(r.history.Operations, o)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Lose records that Redis lost its data between from and now.
func (r *Recorder) Lose(from time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Losses = append(r.history.Losses, Loss{from, r.Now()})
}

// Violation records a response that contradicts itself or an earlier one.
func (r *Recorder) Violation(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history.Violations = append(r.history.Violations, fmt.Sprintf("at %.3fs: ", r.Now().Seconds())+fmt.Sprintf(format, args...))
}

// History returns what was recorded so far.
func (r *Recorder) History() *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.history
	h.Operations, h.Losses, h.Violations = slices.Clone(h.Operations), slices.Clone(h.Losses), slices.Clone(h.Violations)
	return &h
}

// Count returns the number of operations so far that match.
func (r *Recorder) Count(match func(*Operation) bool) int {
	n, _ := r.count(match)
	return n
}

func (r *Recorder) count(match func(*Operation) bool) (n int, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.history.Operations {
		if match(&r.history.Operations[i]) {
			n++
		}
	}
	return n, r.changed
}

// AwaitBookings waits until n confirms have succeeded since the start of the Recorder. The error
// is that of ctx.
func (r *Recorder) AwaitBookings(ctx context.Context, n int) error {
	for {
		count, changed := r.count(IsBooking)
		if count >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d bookings: %w", count, n, ctx.Err())
		}
	}
}

// IsBooking reports whether an operation is a successful confirm.
func IsBooking(o *Operation) bool { return o.Kind == Confirm && o.Result == Done }
