package auth

import (
	"container/list"
	"context"
	"sync"
	"time"

	"trainbooking.dev/booking"
)

// maxIdle limits the memory. It is several times the number of passwords that the process can
// verify in a minute (4 at a time, 20 ms each: 12,000), so that an attacker cannot evict the entry
// of one account by guessing at others. Who registers users from so many addresses in an hour does
// not need to.
const maxIdle = 1 << 16

// LocalAttempts counts the attempts of this process.
//
// The entry of a key has three states:
//
//	       BeginAttempt          last attempt ended, some count
//	absent ───────▶ active (attempts under way) ─────────────────▶ idle
//	   ▲               │ last attempt ended, none counts    ▲        │ BeginAttempt
//	   ├───────────────┘                                    └────────┤
//	   └── a window has passed, or the oldest of more than maxIdle ──┘
type LocalAttempts struct {
	mu      sync.Mutex
	entries map[string]*entry
	idle    *list.List // of *entry, the longest idle in front
}

var _ booking.Attempts = (*LocalAttempts)(nil)

type entry struct {
	key      string
	window   time.Duration
	counted  []time.Time   // ends of attempts within the window, oldest first
	underWay int           // attempts
	changed  chan struct{} // closed when an attempt ends
	element  *list.Element // in idle; nil while active
}

// NewLocalAttempts returns a LocalAttempts without attempts.
func NewLocalAttempts() *LocalAttempts {
	return &LocalAttempts{entries: map[string]*entry{}, idle: list.New()}
}

// BeginAttempt implements booking.Attempts.
func (a *LocalAttempts) BeginAttempt(
	ctx context.Context, key string, limit booking.AttemptLimit,
) (end func(counts bool) error, err error) {
	for {
		e, changed, err := a.tryBegin(key, limit, time.Now())
		if err != nil {
			return nil, err
		}
		if e != nil {
			return func(counts bool) error { a.end(e, counts); return nil }, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, ctx.Err())
		}
	}
}

// tryBegin begins an attempt and returns its entry, or returns the channel to wait for.
func (a *LocalAttempts) tryBegin(key string, limit booking.AttemptLimit, now time.Time) (*entry, <-chan struct{}, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.evictExpired(now)
	e := a.entries[key]
	if e == nil {
		e = &entry{key: key, window: limit.Window, changed: make(chan struct{})}
		a.entries[key] = e
	}
	e.prune(now)
	if len(e.counted) >= limit.Max {
		return nil, nil, booking.RateLimited(e.counted[0].Add(e.window).Sub(now))
	}
	if len(e.counted)+e.underWay >= limit.Max {
		return nil, e.changed, nil
	}
	e.underWay++
	if e.element != nil {
		a.idle.Remove(e.element)
		e.element = nil
	}
	return e, nil, nil
}

// end ends an attempt.
func (a *LocalAttempts) end(e *entry, counts bool) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if counts {
		e.counted = append(e.counted, now)
	}
	e.underWay--
	close(e.changed)
	e.changed = make(chan struct{})
	if e.underWay > 0 {
		return
	}
	e.prune(now)
	if len(e.counted) == 0 {
		delete(a.entries, e.key)
		return
	}
	e.element = a.idle.PushBack(e)
	if a.idle.Len() > maxIdle {
		a.evict(a.idle.Front())
	}
}

// evictExpired removes idle entries of which nothing counts any more. It stops at the first other
// entry in the list, and so may remove those behind it up to a window late.
func (a *LocalAttempts) evictExpired(now time.Time) {
	for front := a.idle.Front(); front != nil; front = a.idle.Front() {
		e := front.Value.(*entry) //nolint:forcetypeassert // the list has only entries
		if e.prune(now); len(e.counted) > 0 {
			return
		}
		a.evict(front)
	}
}

func (a *LocalAttempts) evict(element *list.Element) {
	e := a.idle.Remove(element).(*entry) //nolint:forcetypeassert // the list has only entries
	delete(a.entries, e.key)
}

// prune removes the attempts that no longer count.
func (e *entry) prune(now time.Time) {
	for len(e.counted) > 0 && now.Sub(e.counted[0]) >= e.window {
		e.counted = e.counted[1:]
	}
}
