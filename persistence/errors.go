package persistence

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/booking"
)

// Failure returns the error that clients see for one of a store: a *booking.Error as it
// is, a sentinel as its code, a deadline as timeout, and everything else as
// unavailable, since a store that answers none of these is out of reach or broken. nil
// stays nil.
func Failure(err error) error {
	switch _, domain := errors.AsType[*booking.Error](err); {
	case err == nil, domain:
		return err
	case errors.Is(err, ErrNotFound):
		return booking.NotFound("train")
	case errors.Is(err, ErrFull):
		return &booking.Error{
			Code: booking.CodeStorageFull, Message: "The storage is full",
			Outcome: booking.OutcomeNotExecuted, RetryAfter: 10 * time.Second, Cause: err,
		}
	case errors.Is(err, ErrUnknown):
		return booking.Unavailable(booking.OutcomeUnknown, time.Second, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return booking.Timeout(err)
	}
	return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
}
