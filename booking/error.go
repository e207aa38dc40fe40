package booking

import (
	"errors"
	"fmt"
	"time"
)

// Code is the stable, machine-readable name of an error. Codes cross process
// boundaries and HTTP unchanged; package api maps each to one HTTP status.
type Code string

// The codes, in the order of API.md part 3.
const (
	CodeInvalidRequest     Code = "invalid_request"
	CodeUnauthenticated    Code = "unauthenticated"
	CodeInvalidCredentials Code = "invalid_credentials"
	CodeForbidden          Code = "forbidden"
	CodeDisabled           Code = "disabled"
	CodeNotFound           Code = "not_found"
	CodeMethodNotAllowed   Code = "method_not_allowed"
	CodeSeatLocked         Code = "seat_locked"
	CodeSeatBooked         Code = "seat_booked"
	CodeHeldTooLong        Code = "held_too_long"
	CodeNotEnoughSeats     Code = "not_enough_seats"
	CodeTooManySeats       Code = "too_many_seats"
	CodeSeatNotLocked      Code = "seat_not_locked"
	CodeHoldExpired        Code = "hold_expired"
	CodeHoldConfirmed      Code = "hold_confirmed"
	CodeBookingCancelled   Code = "booking_cancelled"
	CodeAlreadyExists      Code = "already_exists"
	CodeCapacityInUse      Code = "capacity_in_use"
	CodeHasBookings        Code = "has_bookings"
	CodeLastAdmin          Code = "last_admin"
	CodeDeparted           Code = "departed"
	CodeNotOnSale          Code = "not_on_sale"
	CodeAmbiguousHold      Code = "ambiguous_hold"
	CodeTooLarge           Code = "too_large"
	CodeUnsupportedMedia   Code = "unsupported_media_type"
	CodeKeyReused          Code = "idempotency_key_reused"
	CodeRateLimited        Code = "rate_limited"
	CodeTooManyHolds       Code = "too_many_holds"
	CodeInternal           Code = "internal"
	CodeUnavailable        Code = "unavailable"
	CodeStorageFull        Code = "storage_full"
	CodeTimeout            Code = "timeout"
)

// Outcome reports whether a request that failed with 503 or 504 was executed.
type Outcome string

const (
	// OutcomeNotExecuted means that nothing was changed and the request may be sent again.
	OutcomeNotExecuted Outcome = "not_executed"
	// OutcomeUnknown means that the request may have been executed. Sending the same
	// request again is safe.
	OutcomeUnknown Outcome = "unknown"
)

// Error is the only error type that reaches clients. The zero value of an
// optional field means that the error has no such detail.
type Error struct {
	Code    Code
	Message string // a sentence for people, without a full stop

	Fields        map[string]string // invalid_request: what is wrong with each invalid field
	Seats         []int             // capacity_in_use: the taken seats above the new capacity, ascending
	BecomesFreeAt time.Time         // seat_locked: when the last conflicting hold ends; not_enough_seats: when the first one ends; held_too_long: when the pause ends
	Alternatives  []int             // seat_locked, seat_booked, held_too_long: free seats, the nearest first
	ExpiredAt     time.Time         // hold_expired: when it ended
	SalesOpenAt   time.Time         // not_on_sale: when sales begin, if the train is not withdrawn
	Available     int               // not_enough_seats: the number of free seats
	RetryAfter    time.Duration     // 429 and 503: how long to wait
	Outcome       Outcome           // 503 and 504

	Cause error `json:"-"` // for the log, never sent to clients
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is(err, &Error{Code: c}) compare only the codes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CodeOf returns the code of the *Error in the chain of err, CodeInternal if there is none, and
// "" if err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// NotFound returns the error for something that does not exist; what names it ("train").
func NotFound(what string) *Error {
	return &Error{Code: CodeNotFound, Message: "No such " + what}
}

// InvalidField returns the error for a request with one invalid field.
func InvalidField(field, problem string) *Error {
	return &Error{
		Code: CodeInvalidRequest, Message: "The request is not valid",
		Fields: map[string]string{field: problem},
	}
}

// Invalid returns the error for a request with these invalid fields; nil if there are none.
func Invalid(fields map[string]string) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalidRequest, Message: "The request is not valid", Fields: fields}
}

// Unavailable returns the error for a request that the service cannot execute now (503).
func Unavailable(outcome Outcome, retryAfter time.Duration, cause error) *Error {
	return &Error{
		Code: CodeUnavailable, Message: "The service is unavailable, try again",
		Outcome: outcome, RetryAfter: retryAfter, Cause: cause,
	}
}

// Timeout returns the error for a request that had no response before its deadline (504).
func Timeout(cause error) *Error {
	return &Error{
		Code: CodeTimeout, Message: "The request timed out, send the same request again",
		Outcome: OutcomeUnknown, Cause: cause,
	}
}
