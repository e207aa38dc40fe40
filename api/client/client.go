package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// DefaultTimeout is how long one request may take, the body of its answer included. The
// server answers within 5 seconds, if only with a 504; as much again is for the way.
const DefaultTimeout = 10 * time.Second

// DefaultUserAgent is who the client says it is.
const DefaultUserAgent = "trainbooking-client"

// The transport of a client that is given none.
const (
	// idleConnections is how many are kept. net/http keeps two for a host, which makes
	// hundred callers at once dial for nearly every request.
	idleConnections = 100
	// idleTime is shorter than the server's two minutes, so that it is the client that
	// closes, and no request meets a connection that is just being closed.
	idleTime = 90 * time.Second
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
)

// Options is what a Client is made of. URL alone is required.
type Options struct {
	// URL is where the API is, with the prefix of its paths if it has one:
	// https://example.org/rail.
	URL string
	// Token returns the bearer token for requests of user, who is zero where no user is
	// meant: the trains, for which an admin's token or the service token is needed. It is
	// called for each request that needs one. Its error ends the call: nothing was sent.
	// nil: no token is sent.
	Token func(ctx context.Context, user uuid.UUID) (string, error)
	// HTTP sends the requests. It is copied; redirects are not followed. nil: one of its
	// own, with http.DefaultTransport's proxy and TLS settings.
	HTTP      *http.Client
	Timeout   time.Duration // of one request; 0: DefaultTimeout
	UserAgent string        // "": DefaultUserAgent
	// Observe, if set, sees every request; see Call.
	Observe func(Call) func(Result)
}

// Client is booking.Service at the other end of HTTP. It is safe for concurrent use and
// holds no goroutine.
type Client struct {
	base      string // without a slash at its end
	token     func(context.Context, uuid.UUID) (string, error)
	http      http.Client
	timeout   time.Duration
	userAgent string
	observe   func(Call) func(Result)
}

var _ booking.Service = (*Client)(nil)

// New makes a Client. It connects to nothing. It fails when the URL is not one of http or
// https, or carries what has no place there: a user, a query, a fragment.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the URL of the API: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("the URL of the API must be like https://example.org, not %q", o.URL)
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the URL of the API must have no user, query or fragment")
	}
	c := &Client{
		base: strings.TrimRight(base.String(), "/"), token: o.Token, observe: o.Observe,
		timeout: cmp.Or(o.Timeout, DefaultTimeout), userAgent: cmp.Or(o.UserAgent, DefaultUserAgent),
	}
	if o.HTTP != nil {
		c.http = *o.HTTP
	} else {
		c.http.Transport = newTransport()
	}
	// The API sends none, and the token is for nobody else.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.token == nil {
		c.token = FixedToken("")
	}
	if c.observe == nil {
		c.observe = func(Call) func(Result) { return func(Result) {} }
	}
	return c, nil
}

// FixedToken is for a caller who is always the same, as the operator with its service
// token is.
func FixedToken(token string) func(context.Context, uuid.UUID) (string, error) {
	return func(context.Context, uuid.UUID) (string, error) { return token, nil }
}

// CloseIdleConnections closes what no request is using. The client can be used on.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

func newTransport() *http.Transport {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok { // unless somebody replaced it
		transport = standard.Clone()
	}
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = idleConnections, idleConnections
	transport.IdleConnTimeout = idleTime
	transport.MaxResponseHeaderBytes = maxHeader
	return transport
}
