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

// retryAfter is how long to wait where no server said so: what a server says at least.
const retryAfter = time.Second

// problem is the body of every error of the API (RFC 9457), as package api writes it.
type problem struct {
	Status        int               `json:"status"`
	Code          booking.Code      `json:"code"`
	Error         string            `json:"error"`
	Instance      string            `json:"instance"`
	Fields        map[string]string `json:"fields"`
	Seats         []int             `json:"seats"`
	BecomesFreeAt time.Time         `json:"becomes_free_at"`
	Outcome       booking.Outcome   `json:"outcome"`
}

// errorOf is the error that an answer without success stands for. Codes that this client
// does not know are handed on: a newer server may have them. Of a 500 it is not known
// either whether anything happened, though the server does not say so.
func errorOf(got reply, header http.Header) *booking.Error {
	var p problem
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && media == "application/problem+json" {
		err = json.Unmarshal(got.body, &p)
	}
	if err != nil || p.Code == "" || p.Status != got.status {
		e := unexpected(got.status, fmt.Errorf("status %d with %q", got.status, header.Get("Content-Type")))
		e.RetryAfter = cmp.Or(secondsOf(header), e.RetryAfter)
		return e
	}
	e := &booking.Error{
		Code: p.Code, Message: cmp.Or(p.Error, http.StatusText(got.status)),
		Fields: p.Fields, Seats: p.Seats, BecomesFreeAt: p.BecomesFreeAt.UTC(),
		RetryAfter: secondsOf(header), Outcome: p.Outcome,
	}
	if got.status >= http.StatusInternalServerError {
		e.Outcome = cmp.Or(e.Outcome, booking.OutcomeUnknown)
		e.Cause = fmt.Errorf("request %s", p.Instance)
	}
	return e
}

// secondsOf reads Retry-After; 0 where it is missing or no number of seconds.
func secondsOf(header http.Header) time.Duration {
	seconds, err := strconv.ParseInt(header.Get("Retry-After"), 10, 32) // 68 years
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// unexpected is the error for an answer that this API does not give: a proxy's, another
// server's, one cut short. Its status alone proves nothing.
func unexpected(status int, cause error) *booking.Error {
	cause = fmt.Errorf("this is no answer of the booking API: %w", cause)
	if status == http.StatusGatewayTimeout {
		return booking.Timeout(cause)
	}
	return booking.Unavailable(booking.OutcomeUnknown, retryAfter, cause)
}

// notSent is the error for a request that never left.
func notSent(cause error) *booking.Error {
	return booking.Unavailable(booking.OutcomeNotExecuted, retryAfter, cause)
}

// broken is the error for a request that left and whose answer did not come.
func broken(cause error) *booking.Error {
	late, ok := errors.AsType[net.Error](cause)
	if errors.Is(cause, context.DeadlineExceeded) || ok && late.Timeout() {
		return booking.Timeout(cause)
	}
	return booking.Unavailable(booking.OutcomeUnknown, retryAfter, cause)
}
