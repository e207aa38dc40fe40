package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"

	"trainbooking.dev/booking"
)

// DefaultCost is the minimum for argon2id in OWASP's password storage cheat sheet: 19 MiB,
// 2 passes, 1 lane. One hash takes 20 to 40 ms of one core.
var DefaultCost = Cost{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1}

// maxHashers limits the number of concurrent hashes, and so their memory: 4 hashes of
// DefaultCost need 76 MiB.
const maxHashers = 4

// hashMargin is the part of a request's time that is reserved for the hash and the store
// after the wait for a slot.
const hashMargin = 500 * time.Millisecond

const (
	saltBytes = 16
	keyBytes  = 32
)

// Hasher hashes passwords with argon2id, at most min(4, GOMAXPROCS) at once, and is
// safe for concurrent use.
type Hasher struct {
	cost  Cost
	slots *semaphore.Weighted
	dummy string // a hash that matches no password
}

// NewHasher returns a Hasher that hashes passwords with this cost and verifies hashes of
// any cost. It returns an error if the cost is out of bounds.
func NewHasher(cost Cost) (*Hasher, error) {
	if err := cost.validate(); err != nil {
		return nil, err
	}
	// A random key needs no computation, and verifying it takes as long as any other.
	dummy := phc{cost: cost, salt: random(saltBytes), key: random(keyBytes)}
	return &Hasher{
		cost:  cost,
		slots: semaphore.NewWeighted(int64(min(maxHashers, runtime.GOMAXPROCS(0)))),
		dummy: dummy.String(),
	}, nil
}

// Hash returns the PHC string of a password, with a new salt. Error: unavailable if no slot
// became free in time.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	hash := phc{cost: h.cost, salt: random(saltBytes), key: make([]byte, keyBytes)}
	key, err := h.derive(ctx, hash, password)
	if err != nil {
		return "", err
	}
	hash.key = key
	return hash.String(), nil
}

// Verify reports whether hash, a PHC string, is the hash of password. It compares in
// constant time. Errors: unavailable if no slot became free in time; internal if the hash
// is malformed.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	want, err := parsePHC(hash)
	if err != nil {
		return false, fmt.Errorf("verify a password: %w", err)
	}
	got, err := h.derive(ctx, want, password)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want.key) == 1, nil
}

func (h *Hasher) derive(ctx context.Context, parameters phc, password string) ([]byte, error) {
	if err := h.acquire(ctx); err != nil {
		return nil, err
	}
	defer h.slots.Release(1)
	return argon2.IDKey([]byte(normalize(password)), parameters.salt,
		parameters.cost.Passes, parameters.cost.MemoryKiB, parameters.cost.Lanes, uint32(len(parameters.key))), nil //nolint:gosec // 64 at most
}

// acquire waits for a slot until hashMargin before the deadline of ctx.
func (h *Hasher) acquire(ctx context.Context) error {
	if ctx.Err() == nil && h.slots.TryAcquire(1) {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-hashMargin))
		defer cancel()
	}
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
	}
	return nil
}

// random returns n random bytes. rand.Read never returns an error.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
