package auth

import (
	"container/list"
	"context"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"trainbooking.dev/booking"
)

const (
	// DefaultLoginFailures is the maximum number of wrong passwords per minute for one
	// account and address.
	DefaultLoginFailures = 10

	throttleWindow = time.Minute

	// maxIdle limits the memory. It is several times the number of passwords that the
	// process can verify in a minute (4 at a time, 20 ms each: 12,000), so that an
	// attacker cannot evict the entry of one account by guessing at others.
	maxIdle = 1 << 16
)

// Throttle limits password guessing: at most limit failed checks per minute for one
// account and address. Successful checks neither count nor reset the count. It is safe for
// concurrent use.
//
// A running check counts as a failure until it ends, so that concurrent guesses cannot
// exceed the limit. If only running checks fill the limit, a new check waits for them, so
// that a user with many devices is not rejected.
//
// The entry of an account and address has three states:
//
//	         Try                   last check ended, failures within a minute
//	absent ───────▶ active (checks run) ──────────────────────────▶ idle
//	   ▲               │ last check ended, no failures    ▲   Try    │
//	   ├───────────────┘                                  └──────────┤
//	   └──── a minute passed, or the oldest of more than maxIdle ────┘
type Throttle struct {
	limit int

	mu      sync.Mutex
	entries map[entryKey]*entry
	idle    *list.List // of *entry, the longest idle in front
}

// entryKey is a hash of account and address, so that a long username needs no more memory
// than a short one.
type entryKey [sha256.Size]byte

type entry struct {
	key      entryKey
	failures []time.Time   // within the window, oldest first
	checks   int           // running
	changed  chan struct{} // closed when a check ends
	element  *list.Element // in idle; nil while active
}

// NewThrottle returns a Throttle with a limit of failures per minute. A limit of 0 turns
// it off.
func NewThrottle(limit int) *Throttle {
	return &Throttle{limit: limit, entries: map[entryKey]*entry{}, idle: list.New()}
}

// Try runs check, which reports whether the password is correct, unless the account has too
// many failures from this address. An error of check does not count as a failure. account
// is a username in any case and need not exist; address is an IP address. Errors:
// rate_limited with RetryAfter; unavailable if ctx ends while Try waits for other checks;
// those of check.
func (t *Throttle) Try(ctx context.Context, account, address string, check func() (bool, error)) (bool, error) {
	if t == nil || t.limit <= 0 {
		return check()
	}
	e, err := t.enter(ctx, keyOf(account, address))
	if err != nil {
		return false, err
	}
	failed := true // also when check panics
	defer func() { t.leave(e, failed) }()
	correct, err := check()
	failed = err == nil && !correct
	return correct, err
}

// Len returns the number of entries.
func (t *Throttle) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.entries)
}

// enter starts a check. It waits while running checks fill the limit.
func (t *Throttle) enter(ctx context.Context, key entryKey) (*entry, error) {
	for {
		e, changed, err := t.tryEnter(key, time.Now())
		if e != nil || err != nil {
			return e, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, ctx.Err())
		}
	}
}

// tryEnter starts a check and returns its entry, or returns the channel to wait for.
func (t *Throttle) tryEnter(key entryKey, now time.Time) (*entry, <-chan struct{}, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.evictExpired(now)
	e := t.entries[key]
	if e == nil {
		e = &entry{key: key, changed: make(chan struct{})}
		t.entries[key] = e
	}
	e.prune(now)
	if len(e.failures) >= t.limit {
		return nil, nil, rateLimited(e.failures[0].Add(throttleWindow).Sub(now))
	}
	if len(e.failures)+e.checks >= t.limit {
		return nil, e.changed, nil
	}
	e.checks++
	if e.element != nil {
		t.idle.Remove(e.element)
		e.element = nil
	}
	return e, nil, nil
}

// leave ends a check.
func (t *Throttle) leave(e *entry, failed bool) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if failed {
		e.failures = append(e.failures, now)
	}
	e.checks--
	close(e.changed)
	e.changed = make(chan struct{})
	if e.checks > 0 {
		return
	}
	e.prune(now)
	if len(e.failures) == 0 {
		delete(t.entries, e.key)
		return
	}
	e.element = t.idle.PushBack(e)
	if t.idle.Len() > maxIdle {
		t.evict(t.idle.Front())
	}
}

// evictExpired removes idle entries from the front whose last failure is a minute old. An
// entry in front of them that became idle after a success may delay this by a minute.
func (t *Throttle) evictExpired(now time.Time) {
	for front := t.idle.Front(); front != nil; front = t.idle.Front() {
		e := front.Value.(*entry) //nolint:forcetypeassert // the list has only entries
		if e.prune(now); len(e.failures) > 0 {
			return
		}
		t.evict(front)
	}
}

func (t *Throttle) evict(element *list.Element) {
	e := t.idle.Remove(element).(*entry) //nolint:forcetypeassert // the list has only entries
	delete(t.entries, e.key)
}

// prune removes the failures that are a minute old.
func (e *entry) prune(now time.Time) {
	for len(e.failures) > 0 && now.Sub(e.failures[0]) >= throttleWindow {
		e.failures = e.failures[1:]
	}
}

func rateLimited(wait time.Duration) *booking.Error {
	return &booking.Error{
		Code:    booking.CodeRateLimited,
		Message: "Too many wrong passwords, try again later", RetryAfter: wait,
	}
}

func keyOf(account, address string) entryKey {
	return sha256.Sum256([]byte(booking.Fold(account) + "\x00" + network(address)))
}

// network returns the range of addresses that one client may use: the /64 of an IPv6
// address, and an IPv4 address itself.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // cannot fail for an IPv6 address
	return prefix.String()
}
