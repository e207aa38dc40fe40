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
	// DefaultLoginFailures is the number of wrong passwords a minute that one account
	// and address may try.
	DefaultLoginFailures = 10

	throttleWindow = time.Minute

	// maxPairs bounds the memory. It is several times the number of passwords that can
	// be verified in a minute (4 at once at 20 ms each are 12,000), so a guesser cannot
	// push out the count of one account by guessing at others.
	maxPairs = 1 << 16
)

// Throttle slows down who guesses passwords: in any minute at most limit failures of
// one account from one address. Success costs nothing and forgives nothing. It is safe
// for concurrent use.
//
// A check that is under way counts as a failure until it has ended, so guesses sent at
// once do not pass together. A check for which there is no room on that account alone
// waits, so neither does a user with many devices fail.
//
// A pair of account and address is in one of three places:
//
//	            Try                      ended, failed within a minute
//	forgotten ───────▶ busy (in a check) ──────────────────────────▶ settled
//	    ▲                │ ended, no failure      ▲       Try            │
//	    ├────────────────┘                        └─────────────────────┤
//	    └──────── a minute passed, or the longest settled past maxPairs ┘
type Throttle struct {
	limit int

	mu      sync.Mutex
	pairs   map[pairKey]*pair
	settled *list.List // of *pair, the longest settled in front
}

// pairKey is a hash of account and address: a long username takes no more room than
// a short one.
type pairKey [sha256.Size]byte

type pair struct {
	key      pairKey
	failures []time.Time   // within the window, oldest first
	checks   int           // under way
	changed  chan struct{} // closed when a check ends
	place    *list.Element // in settled, nil while busy
}

// NewThrottle returns a Throttle of limit failures a minute; 0 turns it off.
func NewThrottle(limit int) *Throttle {
	return &Throttle{limit: limit, pairs: map[pairKey]*pair{}, settled: list.New()}
}

// Try runs check, which reports whether the password was right, unless the account has
// failed too often from that address. An error of check is no failure: nothing was
// guessed. account is a username in any case, of a user or not; address an IP
// address. Errors: rate_limited with RetryAfter; unavailable when other checks of the
// pair took too long; those of check.
func (t *Throttle) Try(ctx context.Context, account, address string, check func() (bool, error)) (bool, error) {
	if t == nil || t.limit <= 0 {
		return check()
	}
	p, err := t.enter(ctx, keyOf(account, address))
	if err != nil {
		return false, err
	}
	failed := true // also when check panics
	defer func() { t.leave(p, failed) }()
	right, err := check()
	failed = err == nil && !right
	return right, err
}

// Pairs returns the number of pairs that are remembered.
func (t *Throttle) Pairs() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pairs)
}

// enter counts a check in, waiting for room.
func (t *Throttle) enter(ctx context.Context, key pairKey) (*pair, error) {
	for {
		p, changed, err := t.tryEnter(key, time.Now())
		if p != nil || err != nil {
			return p, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, ctx.Err())
		}
	}
}

// tryEnter returns the pair with the check counted in, or what to wait for.
func (t *Throttle) tryEnter(key pairKey, now time.Time) (*pair, <-chan struct{}, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	p := t.pairs[key]
	if p == nil {
		p = &pair{key: key, changed: make(chan struct{})}
		t.pairs[key] = p
	}
	p.prune(now)
	if len(p.failures) >= t.limit {
		return nil, nil, rateLimited(p.failures[0].Add(throttleWindow).Sub(now))
	}
	if len(p.failures)+p.checks >= t.limit {
		return nil, p.changed, nil
	}
	p.checks++
	if p.place != nil {
		t.settled.Remove(p.place)
		p.place = nil
	}
	return p, nil, nil
}

// leave counts a check out.
func (t *Throttle) leave(p *pair, failed bool) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if failed {
		p.failures = append(p.failures, now)
	}
	p.checks--
	close(p.changed)
	p.changed = make(chan struct{})
	if p.checks > 0 {
		return
	}
	p.prune(now)
	if len(p.failures) == 0 {
		delete(t.pairs, p.key)
		return
	}
	p.place = t.settled.PushBack(p)
	if t.settled.Len() > maxPairs {
		t.drop(t.settled.Front())
	}
}

// forget drops the settled pairs whose last failure is a minute old, from the front.
// One that succeeded lately may stand before them and keep them a minute longer.
func (t *Throttle) forget(now time.Time) {
	for front := t.settled.Front(); front != nil; front = t.settled.Front() {
		p := front.Value.(*pair) //nolint:forcetypeassert // only pairs are put in
		if p.prune(now); len(p.failures) > 0 {
			return
		}
		t.drop(front)
	}
}

func (t *Throttle) drop(place *list.Element) {
	p := t.settled.Remove(place).(*pair) //nolint:forcetypeassert // only pairs are put in
	delete(t.pairs, p.key)
}

// prune forgets the failures that are a minute old.
func (p *pair) prune(now time.Time) {
	for len(p.failures) > 0 && now.Sub(p.failures[0]) >= throttleWindow {
		p.failures = p.failures[1:]
	}
}

func rateLimited(wait time.Duration) *booking.Error {
	return &booking.Error{
		Code:    booking.CodeRateLimited,
		Message: "Too many wrong passwords, try again later", RetryAfter: wait,
	}
}

func keyOf(account, address string) pairKey {
	return sha256.Sum256([]byte(booking.Fold(account) + "\x00" + network(address)))
}

// network returns what one client can choose its address from: for IPv6 the /64 that
// a customer is given, for IPv4 the address.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // no error: an IPv6 address has 128 bits
	return prefix.String()
}
