package booking

import (
	"context"
	"time"
)

// AttemptTime is longer than an attempt takes: a request is answered within 5 s.
const AttemptTime = 10 * time.Second

// AttemptLimit allows Max attempts that count in any Window, at least 1 in at least a millisecond.
type AttemptLimit struct {
	Max    int
	Window time.Duration
}

// Attempts limits attempts at something, such as guessing a password, for each key. Embedded, the
// process counts them, in a cluster Redis does for all processes. It is safe for concurrent use.
type Attempts interface {
	// BeginAttempt begins an attempt, which the caller must end once, within AttemptTime. From its
	// end on, an attempt that counts does so for the Window. Until its end, it takes the place of one
	// that counts, so that concurrent attempts cannot exceed the limit. If attempts under way fill
	// the limit, BeginAttempt waits for one to end. The limit of a key is the same in all calls.
	//
	// Errors: rate_limited, with the time until fewer than Max count as RetryAfter; unavailable,
	// not executed, if ctx ends while it waits. With any other error, the store of the attempts
	// failed; such an attempt counts at most for AttemptTime. The same holds for an error of end,
	// and for an attempt whose process has died.
	BeginAttempt(ctx context.Context, key string, limit AttemptLimit) (end func(counts bool) error, err error)
}

// RateLimited returns the error of BeginAttempt for an attempt above the limit.
func RateLimited(wait time.Duration) *Error {
	return &Error{Code: CodeRateLimited, Message: "Too many attempts, try again later", RetryAfter: wait}
}
