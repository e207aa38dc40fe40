package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// maxBody is the maximum size of a response body in bytes. The largest page, 1,000 trains
// with 64 stops, has 8 MB with ordinary names; a map of 20,000 seats has 1 MB.
const maxBody = 32 << 20

// request is a request to the API.
type request struct {
	operation    string // the method of booking.Service
	method, path string
	query        url.Values
	body         any  // nil: no body
	public       bool // needs no token
	user         uuid.UUID
	key          string // Idempotency-Key
	success      []int  // the expected statuses; nil: 200
}

// response is a successful response of the API.
type response struct {
	status int
	body   []byte
}

// do sends a request and converts the JSON of the response. If convert returns an error,
// the response is not from the API.
func do[In, Out any](ctx context.Context, c *Client, r request, convert func(In) (Out, error)) (Out, error) {
	out, _, err := doWithStatus(ctx, c, r, convert)
	return out, err
}

// put is do for a PUT, which also reports whether it created something.
func put[In, Out any](
	ctx context.Context, c *Client, r request, convert func(In) (Out, error),
) (out Out, created bool, err error) {
	r.method, r.success = http.MethodPut, []int{http.StatusOK, http.StatusCreated}
	out, status, err := doWithStatus(ctx, c, r, convert)
	return out, err == nil && status == http.StatusCreated, err
}

// doWithStatus is do that also returns the status of the response.
func doWithStatus[In, Out any](
	ctx context.Context, c *Client, r request, convert func(In) (Out, error),
) (out Out, status int, err error) {
	err = c.send(ctx, r, func(got response) (err error) {
		var in In
		if err = json.Unmarshal(got.body, &in); err == nil {
			out, err = convert(in)
		}
		status = got.status
		return err
	})
	if err != nil {
		return *new(Out), status, err
	}
	return out, status, nil
}

// send sends a request and calls read, which may be nil, with the response if it is a
// success. The error is always a *booking.Error.
func (c *Client) send(ctx context.Context, r request, read func(response) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	out, err := c.newHTTPRequest(ctx, r)
	if err != nil {
		return err
	}
	done := c.onCall(Call{r.operation, r.user, r.method, out.URL.String(), r.key})
	got, err := c.roundTrip(out, r.success)
	if err == nil && read != nil {
		if cause := read(got); cause != nil {
			err = unexpectedResponse(got.status, cause)
		}
	}
	done(Result{got.status, err})
	return err
}

// newHTTPRequest returns the HTTP request. If it fails, nothing was sent.
func (c *Client) newHTTPRequest(ctx context.Context, r request) (*http.Request, error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil { // a time that RFC 3339 cannot represent
			invalid := booking.InvalidField("body", "cannot be encoded as JSON")
			invalid.Cause = err
			return nil, invalid
		}
		body = bytes.NewReader(text)
	}
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	out, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, notSent(err)
	}
	out.Header.Set("Accept", "application/json, application/problem+json")
	out.Header.Set("User-Agent", c.userAgent)
	if body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		out.Header.Set("Idempotency-Key", r.key)
	}
	if r.public {
		return out, nil
	}
	return out, c.authorize(out, r.user)
}

func (c *Client) authorize(out *http.Request, user uuid.UUID) error {
	token, err := c.token(out.Context(), user)
	if _, ours := errors.AsType[*booking.Error](err); err != nil && !ours {
		err = notSent(fmt.Errorf("get a token: %w", err))
	}
	if token != "" {
		out.Header.Set("Authorization", "Bearer "+token)
	}
	return err
}

// do sends the request and returns once the header of the response has arrived. timeout covers the body
// too; 0 means none.
func (c *Client) do(out *http.Request, timeout time.Duration) (*http.Response, error) {
	sender := c.http
	sender.Timeout = timeout
	var conn connection
	resp, err := sender.Do(out.WithContext(httptrace.WithClientTrace(out.Context(), conn.hooks())))
	if err != nil {
		return nil, conn.failure(err)
	}
	return resp, nil
}

// roundTrip sends the request and reads the response. The status is 0 without a response.
func (c *Client) roundTrip(out *http.Request, success []int) (response, error) {
	resp, err := c.do(out, c.http.Timeout)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	got := response{status: resp.StatusCode}
	got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return got, noResponse(fmt.Errorf("%s %s: read the response: %w", out.Method, out.URL, err))
	case len(got.body) > maxBody:
		return got, unexpectedResponse(got.status, fmt.Errorf("a body of more than %d bytes", maxBody))
	case success == nil && got.status == http.StatusOK, slices.Contains(success, got.status):
		return got, nil
	}
	return got, newError(got, resp.Header)
}

// connection records whether the request got a connection.
type connection struct{ requested, established atomic.Bool }

func (c *connection) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { c.requested.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.established.Store(true) },
	}
}

// failure is the error of a request without a complete response. The request was not sent
// if a connection was requested and never established. A RoundTripper that does not call
// the hooks may have sent it.
func (c *connection) failure(cause error) *booking.Error {
	if c.requested.Load() && !c.established.Load() {
		return notSent(cause)
	}
	return noResponse(cause)
}
