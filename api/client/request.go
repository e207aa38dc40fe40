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

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// maxBody is the largest body of an answer that is read, in bytes. The largest page, 1,000
// trains of 64 stops, has 8 MB with ordinary names, and a map of 20,000 seats 1 MB.
const maxBody = 32 << 20

// request is a request of the API as a method of booking.Service writes it.
type request struct {
	operation    string // that method
	method, path string
	query        url.Values
	body         any  // nil: none
	anyone       bool // no token is needed, and none is sent
	user         uuid.UUID
	key          string // Idempotency-Key
	success      []int  // the statuses that it may have; nil: 200
}

// reply is an answer of the API that is a success.
type reply struct {
	status int
	body   []byte
}

// ask sends a request whose answer is a document and returns what shape makes of it; an
// error of shape says that the document is not what the API sends.
func ask[Doc, Out any](ctx context.Context, c *Client, r request, shape func(Doc) (Out, error)) (out Out, err error) {
	err = c.send(ctx, r, func(got reply) (err error) {
		var doc Doc
		if err = json.Unmarshal(got.body, &doc); err == nil {
			out, err = shape(doc)
		}
		return err
	})
	if err != nil {
		var none Out
		return none, err
	}
	return out, nil
}

// send sends a request and lets read read the answer, if it is a success; nil reads
// nothing. The error is always a *booking.Error.
func (c *Client) send(ctx context.Context, r request, read func(reply) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	out, err := c.compose(ctx, r)
	if err != nil {
		return err
	}
	done := c.observe(Call{r.operation, r.user, r.method, out.URL.String(), r.key})
	got, err := c.exchange(out, r.success)
	if err == nil && read != nil {
		if wrong := read(got); wrong != nil {
			err = unexpected(got.status, wrong)
		}
	}
	done(Result{got.status, err})
	return err
}

// compose makes the HTTP request. Nothing was executed when it fails.
func (c *Client) compose(ctx context.Context, r request) (*http.Request, error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil { // a time that RFC 3339 cannot write
			invalid := booking.InvalidField("body", "cannot be written as JSON")
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
	if r.anyone {
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

// exchange sends the request and reads the whole answer. The status is 0 when none came.
func (c *Client) exchange(out *http.Request, success []int) (reply, error) {
	var way way
	response, err := c.http.Do(out.WithContext(httptrace.WithClientTrace(out.Context(), way.trace())))
	if err != nil {
		return reply{}, way.unanswered(err)
	}
	defer response.Body.Close()
	got := reply{status: response.StatusCode}
	got.body, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return got, way.unanswered(fmt.Errorf("%s %s: read the answer: %w", out.Method, out.URL, err))
	case len(got.body) > maxBody:
		return got, unexpected(got.status, fmt.Errorf("a body of more than %d bytes", maxBody))
	case success == nil && got.status == http.StatusOK, slices.Contains(success, got.status):
		return got, nil
	}
	return got, errorOf(got, response.Header)
}

// way is how far a request came.
type way struct{ asked, connected atomic.Bool }

func (w *way) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	}
}

// unanswered is the error of a request that got no answer. Where a connection was asked
// for and there never was one, nothing can have been sent. A RoundTripper that tells
// nothing of connections may have sent it.
func (w *way) unanswered(cause error) *booking.Error {
	if w.asked.Load() && !w.connected.Load() {
		return notSent(cause)
	}
	return broken(cause)
}
