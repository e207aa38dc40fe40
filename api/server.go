package api

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	oteltrace "go.opentelemetry.io/otel/trace"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// DefaultTimeout is how long a request may take before its answer is 504.
const DefaultTimeout = 5 * time.Second

// The patience of the server with its clients.
const (
	headerTime = 5 * time.Second  // from the connection to the end of the header
	readTime   = 15 * time.Second // to the end of the body: 64 KiB at 5 KB/s
	writeTime  = 60 * time.Second // to the end of the answer: 2 MB of seats at 40 KB/s
	idleTime   = 2 * time.Minute  // between two requests

	// netHeaderLimit is where net/http itself stops reading, above maxHeader, so that
	// most headers that are too large get an answer in the form of every other error.
	netHeaderLimit = 2 * maxHeader
)

// Options is what a Server is made of. Service, Accounts, Users and Replies are
// required.
type Options struct {
	Service  booking.Service
	Accounts *auth.Accounts
	Users    booking.Users
	Replies  booking.Replies

	// Ready asks what the process needs and returns an error, or nil, for each by name.
	// nil: always ready.
	Ready    func(context.Context) map[string]error
	Logger   *slog.Logger         // nil: nothing is logged
	Registry *prometheus.Registry // nil: one of its own
	// Traces gets a span for each request but those for health; nil: there are none.
	Traces  oteltrace.TracerProvider
	Timeout time.Duration // of one request; 0: DefaultTimeout
	// TrustedProxies may say in X-Forwarded-For who the client is; nobody else may.
	TrustedProxies []netip.Prefix
	Now            func() time.Time // nil: time.Now
}

// Server is the HTTP API. It is safe for concurrent use, holds no goroutine and needs
// no closing; whoever serves its handlers shuts that down.
type Server struct {
	service   booking.Service
	accounts  *auth.Accounts
	users     booking.Users
	replies   booking.Replies
	ready     func(context.Context) map[string]error
	logger    *slog.Logger
	registry  *prometheus.Registry
	metrics   *metrics
	timeout   time.Duration
	now       func() time.Time
	draining  atomic.Bool
	readiness readiness
	keys      keyLocks
	routes    []route
	handle    http.Handler
}

// New makes a Server. It fails when something required is missing or the metrics are
// registered already.
func New(o Options) (*Server, error) {
	if o.Service == nil || o.Accounts == nil || o.Users == nil || o.Replies == nil {
		return nil, errors.New("api needs a Service, Accounts, Users and Replies")
	}
	s := &Server{
		service: o.Service, accounts: o.Accounts, users: o.Users, replies: o.Replies,
		ready: o.Ready, logger: o.Logger, registry: o.Registry, timeout: o.Timeout, now: o.Now,
	}
	s.setDefaults()
	var err error
	if s.metrics, err = newMetrics(s.registry); err != nil {
		return nil, err
	}
	s.routes = s.table()
	e := echo.New()
	e.IPExtractor = clientAddress(o.TrustedProxies)
	e.Pre(s.observe, plainPath)
	s.registerRoutes(e)
	s.handle = e
	if o.Traces != nil {
		s.handle = s.traced(e, o.Traces)
	}
	return s, nil
}

func (s *Server) setDefaults() {
	if s.ready == nil {
		s.ready = func(context.Context) map[string]error { return nil }
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if s.registry == nil {
		s.registry = prometheus.NewRegistry()
	}
	if s.timeout <= 0 {
		s.timeout = DefaultTimeout
	}
	if s.now == nil {
		s.now = time.Now
	}
}

// Handler serves the API.
func (s *Server) Handler() http.Handler { return s.handle }

// SetDraining makes /readyz say that the process is about to end, so that no new
// request is sent to it. Everything is served on.
func (s *Server) SetDraining() { s.draining.Store(true) }

// HTTPServer returns a server for the API that bounds what a client can take: time,
// header and body. The caller listens, serves and shuts down.
func (s *Server) HTTPServer() *http.Server {
	server := s.bounded(s.Handler())
	server.WriteTimeout = writeTime
	return server
}

// OperationsServer returns a server for OperationsHandler. It has no time limit for an
// answer, as a profile takes as long as was asked for.
func (s *Server) OperationsServer(profiles bool) *http.Server {
	return s.bounded(s.OperationsHandler(profiles))
}

func (s *Server) bounded(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:                      handler,
		ReadHeaderTimeout:            headerTime,
		ReadTimeout:                  readTime,
		IdleTimeout:                  idleTime,
		MaxHeaderBytes:               netHeaderLimit,
		DisableGeneralOptionsHandler: true, // OPTIONS * is answered like all else
		ErrorLog:                     log.New(logWriter{s.logger}, "", 0),
	}
}

// logWriter takes what net/http logs: handshakes and connections that failed, which
// clients cause, so it is for debugging.
type logWriter struct{ logger *slog.Logger }

func (w logWriter) Write(line []byte) (int, error) {
	w.logger.Debug("http server", "message", string(line))
	return len(line), nil
}

// clientAddress returns who the client is: the peer of the connection, or what the
// trusted proxies in front of it say. Echo's own default believes everybody.
func clientAddress(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range trusted {
		_, network, err := net.ParseCIDR(prefix.Masked().String())
		if err == nil { // a netip.Prefix that is not valid trusts nobody
			options = append(options, echo.TrustIPRange(network))
		}
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
