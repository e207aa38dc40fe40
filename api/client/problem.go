package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"trainbooking.dev/booking"
)

// defaultRetryAfter is the RetryAfter of an error without a Retry-After header. It is the
// server's minimum.
const defaultRetryAfter = time.Second

// problem is the body of every error of the API (RFC 9457).
type problem struct {
	Status        int               `json:"status"`
	Code          booking.Code      `json:"code"`
	Error         string            `json:"error"`
	Instance      string            `json:"instance"`
	Fields        map[string]string `json:"fields"`
	Seats         []int             `json:"seats"`
	BecomesFreeAt time.Time         `json:"becomes_free_at"`
	ExpiredAt     time.Time         `json:"expired_at"`
	SalesOpenAt   time.Time         `json:"sales_open_at"`
	Available     int               `json:"available"`
	Alternatives  []int             `json:"alternatives"`
	Outcome       booking.Outcome   `json:"outcome"`
}

// newError converts an error response. It keeps codes that this client does not define,
// because a newer server may. The outcome of a 500 is unknown too, although the server does
// not send it.
func newError(got response, header http.Header) *booking.Error {
	var p problem
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && media == "application/problem+json" {
		err = json.Unmarshal(got.body, &p)
	}
	if err != nil || p.Code == "" || p.Status != got.status {
		e := unexpectedResponse(got.status, fmt.Errorf("status %d with %q", got.status, header.Get("Content-Type")))
		e.RetryAfter = cmp.Or(retryAfterOf(header), e.RetryAfter)
		return e
	}
	e := &booking.Error{
		Code: p.Code, Message: cmp.Or(p.Error, http.StatusText(got.status)),
		Fields: p.Fields, Seats: p.Seats, BecomesFreeAt: p.BecomesFreeAt.UTC(), ExpiredAt: p.ExpiredAt.UTC(),
		SalesOpenAt: p.SalesOpenAt.UTC(), Available: p.Available, Alternatives: p.Alternatives,
		RetryAfter: retryAfterOf(header), Outcome: p.Outcome,
	}
	if got.status >= http.StatusInternalServerError {
		e.Outcome = cmp.Or(e.Outcome, booking.OutcomeUnknown)
		e.Cause = fmt.Errorf("request %s", p.Instance)
	}
	return e
}

// retryAfterOf parses Retry-After. It returns 0 if the header is missing or is not a number
// of seconds.
func retryAfterOf(header http.Header) time.Duration {
	seconds, err := strconv.ParseInt(header.Get("Retry-After"), 10, 32) // 68 years
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// unexpectedResponse is the error for a response that is not from the API: from a proxy or
// another server, or truncated.
func unexpectedResponse(status int, cause error) *booking.Error {
	cause = fmt.Errorf("not a response of the booking API: %w", cause)
	if status == http.StatusGatewayTimeout {
		return booking.Timeout(cause)
	}
	return booking.Unavailable(booking.OutcomeUnknown, defaultRetryAfter, cause)
}

// notSent is the error for a request that was not sent.
func notSent(cause error) *booking.Error {
	return booking.Unavailable(booking.OutcomeNotExecuted, defaultRetryAfter, cause)
}

// noResponse is the error for a request that may have been sent and got no response.
func noResponse(cause error) *booking.Error {
	netErr, ok := errors.AsType[net.Error](cause)
	if errors.Is(cause, context.DeadlineExceeded) || ok && netErr.Timeout() {
		return booking.Timeout(cause)
	}
	return booking.Unavailable(booking.OutcomeUnknown, defaultRetryAfter, cause)
}
