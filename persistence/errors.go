package persistence

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/booking"
)

// The sentinel errors of a store, which it returns wrapped.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	ErrFenced   = errors.New("fenced: another activation owns the train")
	// ErrConflict means that the write contradicts what is stored: the caller's state of the
	// train is wrong and must be loaded again.
	ErrConflict = errors.New("conflicts with what is stored")
	// ErrStale means that a schedule has another revision than the caller has read.
	ErrStale = errors.New("the schedule has changed")
	// ErrNotLive means that the user has no such booking that is not cancelled.
	ErrNotLive = errors.New("the booking is not live")
	ErrFull    = errors.New("storage is full")
	// ErrLocked means that somebody else has locked what the write needs. It was not executed, and
	// may succeed when it is repeated.
	ErrLocked = errors.New("locked by somebody else")
	// ErrRestarted means that the store was restarted, or replaced by a replica, and may have
	// lost its last writes.
	ErrRestarted = errors.New("restarted or replaced by a replica: the last writes may be lost")
	// ErrUnknown means that the write may have been executed, or may be executed later.
	ErrUnknown = errors.New("outcome unknown")
)

// UserExists returns already_exists with the fields that are taken, or nil if none is.
func UserExists(username, email bool) error {
	fields := map[string]string{}
	if username {
		fields["username"] = "is taken"
	}
	if email {
		fields["email"] = "is taken"
	}
	if len(fields) == 0 {
		return nil
	}
	return &booking.Error{
		Code: booking.CodeAlreadyExists, Message: "A user with this name or email already exists", Fields: fields,
	}
}

// TokenRefused returns the error of RotateRefreshToken for a token that is not valid.
func TokenRefused() error {
	return &booking.Error{Code: booking.CodeUnauthenticated, Message: "The refresh token is not valid"}
}

// ClientError converts an error of a store to the error that clients get: a *booking.Error is
// unchanged, a sentinel gets its code, and the end of a context becomes timeout. Every other
// error, such as a lost connection, becomes unavailable. It returns nil for nil.
func ClientError(err error) error {
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
