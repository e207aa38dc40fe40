package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// DefaultTimeout is how long one request may take, including its response body: the server's
// own timeout of 5 seconds, and as much for the network.
const DefaultTimeout = 10 * time.Second

// DefaultUserAgent is the default User-Agent header.
const DefaultUserAgent = "trainbooking-client"

// Options configures a Client. Only URL is required.
type Options struct {
	// URL is the base URL of the API, including a path prefix: https://example.org/rail.
	URL string
	// Token returns the bearer token for a request of user. user is zero for requests that
	// need the token of an admin or the service token. The client calls Token for each
	// request that needs a token. If it returns an error, the client sends nothing.
	// nil: no token is sent.
	Token func(ctx context.Context, user uuid.UUID) (string, error)
	// HTTP sends the requests. The client copies it and follows no redirects. nil: a new
	// one with the settings of http.DefaultTransport, which uses a proxy only for an https URL: another
	// one would read the token.
	HTTP *http.Client
	// CAFile is a file with the certificates, in PEM, of the authorities that sign the server's
	// certificate. The client reads it for each request, so that it can be replaced. While it cannot be
	// read, the last ones stay in use. "": those of the system. It is not used with HTTP.
	CAFile string
	// NoProxy makes the client ignore HTTP_PROXY, HTTPS_PROXY and NO_PROXY and connect to the server
	// itself, so that no proxy sees the token. It is not used with HTTP.
	NoProxy   bool
	Logger    *slog.Logger  // gets a warning when CAFile cannot be read any more; nil: slog.Default
	Timeout   time.Duration // of one request; 0: DefaultTimeout
	UserAgent string        // "": DefaultUserAgent
	// OnCall, if set, is called for each request; see Call.
	OnCall func(Call) func(Result)
}

// Client implements booking.Service over HTTP. It is safe for concurrent use and has no
// goroutines.
type Client struct {
	base      string // without a trailing slash
	token     func(context.Context, uuid.UUID) (string, error)
	http      http.Client
	timeout   time.Duration
	userAgent string
	onCall    func(Call) func(Result)
}

var _ booking.Service = (*Client)(nil)

// New returns a Client. It does not connect. It returns an error if the URL is not an http
// or https URL, or if it has a user, a query or a fragment, or if CAFile has no certificate.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, errors.New("the URL of the API must be like https://example.org") // it may have a password
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the URL of the API must have no user, query or fragment")
	}
	c := &Client{
		base: strings.TrimRight(base.String(), "/"), token: o.Token, onCall: o.OnCall,
		timeout: cmp.Or(o.Timeout, DefaultTimeout), userAgent: cmp.Or(o.UserAgent, DefaultUserAgent),
	}
	if o.HTTP != nil {
		c.http = *o.HTTP
	} else if c.http.Transport, err = NewTransport(o); err != nil {
		return nil, fmt.Errorf("the authorities of the API's certificate: %w", err)
	}
	// The API sends no redirects, and the token must not go to another server.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.token == nil {
		c.token = FixedToken("")
	}
	if c.onCall == nil {
		c.onCall = func(Call) func(Result) { return func(Result) {} }
	}
	return c, nil
}

// FixedToken returns an Options.Token that always returns token, such as the service token
// of the operator.
func FixedToken(token string) func(context.Context, uuid.UUID) (string, error) {
	return func(context.Context, uuid.UUID) (string, error) { return token, nil }
}

// CloseIdleConnections closes the connections that no request is using. The client remains
// usable.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }
