package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trainbooking.dev/booking"
)

// codeStatus is the HTTP status of an error code.
type codeStatus struct {
	code    booking.Code
	status  int
	message string // the fixed message of the code; "" where each error has its own
}

// codeTable is the table of API.md part 3. If several codes have the same status,
// CodeOfStatus returns the first.
var codeTable = []codeStatus{
	{booking.CodeInvalidRequest, http.StatusBadRequest, ""},
	{booking.CodeUnauthenticated, http.StatusUnauthorized, ""},
	{booking.CodeInvalidCredentials, http.StatusUnauthorized, ""},
	{booking.CodeForbidden, http.StatusForbidden, ""},
	{booking.CodeDisabled, http.StatusForbidden, ""},
	{booking.CodeNotFound, http.StatusNotFound, ""},
	{booking.CodeMethodNotAllowed, http.StatusMethodNotAllowed, "Method not allowed"},
	{booking.CodeSeatLocked, http.StatusConflict, "Seat is already locked"},
	{booking.CodeSeatBooked, http.StatusConflict, "Seat is already booked"},
	{booking.CodeHeldTooLong, http.StatusConflict, ""},
	{booking.CodeNotEnoughSeats, http.StatusConflict, ""},
	{booking.CodeTooManySeats, http.StatusConflict, ""},
	{booking.CodeSeatNotLocked, http.StatusConflict, "Seat is not locked"},
	{booking.CodeHoldExpired, http.StatusConflict, "The hold has expired"},
	{booking.CodeHoldConfirmed, http.StatusConflict, ""},
	{booking.CodeBookingCancelled, http.StatusConflict, ""},
	{booking.CodeAlreadyExists, http.StatusConflict, ""},
	{booking.CodeCapacityInUse, http.StatusConflict, ""},
	{booking.CodeHasBookings, http.StatusConflict, ""},
	{booking.CodeLastAdmin, http.StatusConflict, ""},
	{booking.CodeDeparted, http.StatusConflict, ""},
	{booking.CodeNotOnSale, http.StatusConflict, ""},
	{booking.CodeAmbiguousHold, http.StatusConflict, ""},
	{booking.CodeTooLarge, http.StatusRequestEntityTooLarge, ""},
	{booking.CodeUnsupportedMedia, http.StatusUnsupportedMediaType, "The body must be application/json"},
	{booking.CodeKeyReused, http.StatusUnprocessableEntity, "The Idempotency-Key was used for another request"},
	{booking.CodeRateLimited, http.StatusTooManyRequests, ""},
	{booking.CodeTooManyHolds, http.StatusTooManyRequests, ""},
	{booking.CodeInternal, http.StatusInternalServerError, "Internal error"},
	{booking.CodeUnavailable, http.StatusServiceUnavailable, ""},
	{booking.CodeStorageFull, http.StatusServiceUnavailable, ""},
	{booking.CodeTimeout, http.StatusGatewayTimeout, ""},
}

// StatusOf returns the HTTP status of a code; 500 for one that is not in the table.
func StatusOf(code booking.Code) int { return lookupCode(code).status }

// CodeOfStatus returns a code for the HTTP status of a response that has none; internal for
// a status that is not in the table. StatusOf(CodeOfStatus(s)) is s for every s in the table.
func CodeOfStatus(status int) booking.Code {
	for _, row := range codeTable {
		if row.status == status {
			return row.code
		}
	}
	return booking.CodeInternal
}

func lookupCode(code booking.Code) codeStatus {
	for _, row := range codeTable {
		if row.code == code {
			return row
		}
	}
	return lookupCode(booking.CodeInternal)
}

// problem is the body of every error (RFC 9457).
type problem struct {
	Type          string            `json:"type"`
	Title         string            `json:"title"`
	Status        int               `json:"status"`
	Code          booking.Code      `json:"code"`
	Error         string            `json:"error"`
	Detail        string            `json:"detail,omitempty"`
	Instance      string            `json:"instance"`
	Fields        map[string]string `json:"fields,omitempty"`
	Seats         []int             `json:"seats,omitempty"`
	BecomesFreeAt time.Time         `json:"becomes_free_at,omitzero"`
	ExpiredAt     time.Time         `json:"expired_at,omitzero"`
	SalesOpenAt   time.Time         `json:"sales_open_at,omitzero"`
	Available     *int              `json:"available,omitempty"`
	Alternatives  *[]int            `json:"alternatives,omitempty"`
	Outcome       booking.Outcome   `json:"outcome,omitempty"`
}

// problemOf returns the response to a request that failed with err.
func problemOf(err error, requestID string) response {
	e := asError(err)
	row := lookupCode(e.Code)
	p := problem{
		Type: "about:blank", Status: row.status, Code: row.code,
		Error: cmp.Or(row.message, e.Message, http.StatusText(row.status)), Detail: detailOf(e),
		Instance: requestID, Fields: e.Fields, Seats: e.Seats, BecomesFreeAt: e.BecomesFreeAt.UTC(),
		ExpiredAt: e.ExpiredAt.UTC(), SalesOpenAt: e.SalesOpenAt.UTC(),
	}
	switch e.Code {
	case booking.CodeNotEnoughSeats:
		p.Available = &e.Available
	case booking.CodeSeatLocked, booking.CodeSeatBooked, booking.CodeHeldTooLong:
		p.Alternatives = new(append([]int{}, e.Alternatives...))
	}
	header := http.Header{"Content-Type": {"application/problem+json"}}
	switch row.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer") // RFC 9110, 11.6.1
	case http.StatusTooManyRequests:
		header.Set("Retry-After", retryAfterSeconds(e.RetryAfter))
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", retryAfterSeconds(e.RetryAfter))
		p.Outcome = cmp.Or(e.Outcome, booking.OutcomeUnknown)
	case http.StatusGatewayTimeout:
		p.Outcome = booking.OutcomeUnknown
	}
	if errors.Is(err, errHeaderTooLarge) {
		p.Status = http.StatusRequestHeaderFieldsTooLarge
	}
	p.Title = http.StatusText(p.Status)
	return response{status: p.Status, header: header, body: encode(p)}
}

// asError returns the error that clients may see. An error that is not a *booking.Error is
// internal, except for a deadline that passed, which is a timeout.
func asError(err error) *booking.Error {
	if e, ok := errors.AsType[*booking.Error](err); ok {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return booking.Timeout(err)
	}
	return &booking.Error{Code: booking.CodeInternal, Cause: err}
}

// detailOf joins the messages of all fields into one line.
func detailOf(e *booking.Error) string {
	lines := make([]string, 0, len(e.Fields))
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		lines = append(lines, name+" "+e.Fields[name])
	}
	return strings.Join(lines, "; ")
}

// retryAfterSeconds rounds up, to at least one second, so that clients do not retry early.
func retryAfterSeconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
