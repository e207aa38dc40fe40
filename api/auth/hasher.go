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

// DefaultCost is what OWASP's password storage cheat sheet asks of argon2id at least:
// 19 MiB, 2 passes, 1 lane. One hash takes 20 to 40 ms of one core.
var DefaultCost = Cost{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1}

// maxHashers bounds the hashes that are computed at once, and with them the memory
// (4 of DefaultCost are 76 MiB), whatever the number of cores.
const maxHashers = 4

// hashMargin is the part of a request's time that is kept for the hash itself and for
// the store, once the wait for a turn is over.
const hashMargin = 500 * time.Millisecond

const (
	saltBytes = 16
	keyBytes  = 32
)

// Hasher hashes passwords with argon2id, at most min(4, GOMAXPROCS) at once, and is
// safe for concurrent use.
type Hasher struct {
	cost   Cost
	turns  *semaphore.Weighted
	nobody string // the hash of no password
}

// NewHasher returns a Hasher of new passwords at that cost; it verifies passwords of
// any. Cost must be within its bounds.
func NewHasher(cost Cost) (*Hasher, error) {
	if err := cost.validate(); err != nil {
		return nil, err
	}
	// Random bytes are as good as a hash that was computed: nobody knows its password,
	// and it takes as long to find out.
	nobody := phc{cost: cost, salt: random(saltBytes), key: random(keyBytes)}
	return &Hasher{
		cost:   cost,
		turns:  semaphore.NewWeighted(int64(min(maxHashers, runtime.GOMAXPROCS(0)))),
		nobody: nobody.String(),
	}, nil
}

// Hash returns the PHC string of a password, with a salt of its own. Error:
// unavailable when there was no turn in time.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	hash := phc{cost: h.cost, salt: random(saltBytes), key: make([]byte, keyBytes)}
	key, err := h.derive(ctx, hash, password)
	if err != nil {
		return "", err
	}
	hash.key = key
	return hash.String(), nil
}

// Verify reports whether hash, a PHC string, is that of password, in a time that does
// not depend on how much of it is right. Errors: unavailable when there was no turn
// in time; internal when hash is none.
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

func (h *Hasher) derive(ctx context.Context, like phc, password string) ([]byte, error) {
	if err := h.acquire(ctx); err != nil {
		return nil, err
	}
	defer h.turns.Release(1)
	return argon2.IDKey([]byte(normal(password)), like.salt,
		like.cost.Passes, like.cost.MemoryKiB, like.cost.Lanes, uint32(len(like.key))), nil //nolint:gosec // 64 at most
}

// acquire waits for a turn as long as the answer can still be in time.
func (h *Hasher) acquire(ctx context.Context) error {
	if ctx.Err() == nil && h.turns.TryAcquire(1) {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-hashMargin))
		defer cancel()
	}
	if err := h.turns.Acquire(ctx, 1); err != nil {
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
	}
	return nil
}

// random returns n random bytes; crypto/rand ends the process sooner than fail.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
