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

// meaning is what a code means over HTTP.
type meaning struct {
	code   booking.Code
	status int
	// sentence is the error's fixed wording; "" where the error brings its own.
	sentence string
}

// meanings is the table of API.md part 3. Of several codes with one status the first
// is what the status alone means.
var meanings = []meaning{
	{booking.CodeInvalidRequest, http.StatusBadRequest, ""},
	{booking.CodeUnauthenticated, http.StatusUnauthorized, ""},
	{booking.CodeInvalidCredentials, http.StatusUnauthorized, ""},
	{booking.CodeForbidden, http.StatusForbidden, "Your role does not allow this"},
	{booking.CodeNotFound, http.StatusNotFound, ""},
	{booking.CodeMethodNotAllowed, http.StatusMethodNotAllowed, "Method not allowed"},
	{booking.CodeSeatLocked, http.StatusConflict, "Seat is already locked"},
	{booking.CodeSeatBooked, http.StatusConflict, "Seat is already booked"},
	{booking.CodeSeatNotLocked, http.StatusConflict, "Seat is not locked"},
	{booking.CodeAlreadyExists, http.StatusConflict, ""},
	{booking.CodeCapacityInUse, http.StatusConflict, ""},
	{booking.CodeHasBookings, http.StatusConflict, ""},
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
func StatusOf(code booking.Code) int { return meaningOf(code).status }

// CodeOfStatus returns what an HTTP status means where no code came with it; internal
// for one that is not in the table. StatusOf(CodeOfStatus(s)) is s for every status
// in it.
func CodeOfStatus(status int) booking.Code {
	for _, m := range meanings {
		if m.status == status {
			return m.code
		}
	}
	return booking.CodeInternal
}

func meaningOf(code booking.Code) meaning {
	for _, m := range meanings {
		if m.code == code {
			return m
		}
	}
	return meaningOf(booking.CodeInternal)
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
	Outcome       booking.Outcome   `json:"outcome,omitempty"`
}

// problemOf is the answer to a request that ended with err.
func problemOf(err error, requestID string) answer {
	e := asError(err)
	m := meaningOf(e.Code)
	p := problem{
		Type: "about:blank", Status: m.status, Code: m.code,
		Error: cmp.Or(m.sentence, e.Message, http.StatusText(m.status)), Detail: detailOf(e),
		Instance: requestID, Fields: e.Fields, Seats: e.Seats, BecomesFreeAt: e.BecomesFreeAt.UTC(),
	}
	header := http.Header{"Content-Type": {"application/problem+json"}}
	switch m.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer") // RFC 9110, 11.6.1
	case http.StatusTooManyRequests:
		header.Set("Retry-After", wholeSeconds(e.RetryAfter))
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", wholeSeconds(e.RetryAfter))
		p.Outcome = cmp.Or(e.Outcome, booking.OutcomeUnknown)
	case http.StatusGatewayTimeout:
		p.Outcome = booking.OutcomeUnknown
	}
	if errors.Is(err, errHeaderTooLarge) {
		p.Status = http.StatusRequestHeaderFieldsTooLarge
	}
	p.Title = http.StatusText(p.Status)
	return answer{status: p.Status, header: header, body: encode(p)}
}

// asError makes of any error one that clients may see. What is not a *booking.Error
// is internal, but for a deadline that passed, whoever noticed it.
func asError(err error) *booking.Error {
	if e, ok := errors.AsType[*booking.Error](err); ok {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return booking.Timeout(err)
	}
	return &booking.Error{Code: booking.CodeInternal, Cause: err}
}

// detailOf says in one line what the fields say one by one.
func detailOf(e *booking.Error) string {
	lines := make([]string, 0, len(e.Fields))
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		lines = append(lines, name+" "+e.Fields[name])
	}
	return strings.Join(lines, "; ")
}

// wholeSeconds rounds up, to at least one: a client that waits as long as it was told
// must not come too early.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
