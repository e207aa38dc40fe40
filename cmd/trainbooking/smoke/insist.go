package smoke

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

const (
	// patience is twice the time in which a train is served again after its process was
	// killed (README.md).
	patience = 16 * time.Second
	// pause is between two attempts.
	pause = 250 * time.Millisecond
)

// insist does what a client should (API.md 3): it sends the same request again as long as
// the answer is that the service cannot answer now, and returns the first other answer.
func insist[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	for begun := time.Now(); ; {
		got, err := ask()
		if err == nil || !passing(err) || time.Since(begun) > patience {
			return got, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return got, err
		}
	}
}

// passing reports whether err may be another answer soon.
func passing(err error) bool {
	switch booking.CodeOf(err) {
	case booking.CodeUnavailable, booking.CodeTimeout, booking.CodeRateLimited, booking.CodeInternal:
		return true
	}
	return false
}
