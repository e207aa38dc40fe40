package api

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// DefaultTimeout is how long a request may take before its response is 504.
const DefaultTimeout = 5 * time.Second

// The limits for slow clients.
const (
	headerTimeout = 5 * time.Second  // from the connection to the end of the header
	readTimeout   = 15 * time.Second // to the end of the body: 64 KiB at 5 KB/s
	writeTimeout  = 60 * time.Second // to the end of the response: 2 MB of seats at 40 KB/s
	idleTimeout   = 2 * time.Minute  // between two requests

	// netHeaderLimit is where net/http stops reading. It is above maxHeader, so that the
	// response to most headers that are too large is application/problem+json.
	netHeaderLimit = 2 * maxHeader
)

// Options configures a Server. Service, Accounts, Users and Replies are required.
type Options struct {
	Service  booking.Service
	Accounts *auth.Accounts
	Users    booking.Users
	Replies  booking.Replies

	// Health returns what the process can reach, for /readyz. It must not wait. If it is nil, the
	// process is always ready.
	Health   func() Health
	Logger   *slog.Logger         // nil: no log
	Registry *prometheus.Registry // nil: a new registry
	// Traces records a span for each request except health probes. nil: no spans.
	Traces  trace.TracerProvider
	Timeout time.Duration // of one request; 0: DefaultTimeout
	// TrustedProxies are the networks of the proxies whose X-Forwarded-For is trusted.
	TrustedProxies []netip.Prefix
	// Origins are the origins whose pages may call the API, such as https://a.example. Empty: only
	// pages of this server.
	Origins []string
	Page    *WebPage         // nil: none, and / is 404
	Now     func() time.Time // nil: time.Now
}

// Server is the HTTP API. It is safe for concurrent use. It has no goroutines and needs no
// Close; the caller shuts down the http.Server that serves its handlers.
type Server struct {
	service  booking.Service
	accounts *auth.Accounts
	users    booking.Users
	replies  booking.Replies
	health   func() Health
	logger   *slog.Logger
	registry *prometheus.Registry
	metrics  *metrics
	timeout  time.Duration
	now      func() time.Time
	draining atomic.Bool
	watchers atomic.Int64
	streams  streamLimits
	stopping context.Context // ends when a server of HTTPServer shuts down
	stop     context.CancelFunc
	routes   []route
	handler  http.Handler

	searches      keptSearches
	conflicts     conflictLines
	requests      atomic.Int64  // in progress
	longLists     atomic.Int64  // those of them whose responses have many items
	encodingSlots chan struct{} // has a value for each response of many items that is encoded
}

// New returns a Server. It returns an error if a required option is missing or the metrics
// are already registered.
func New(o Options) (*Server, error) {
	if o.Service == nil || o.Accounts == nil || o.Users == nil || o.Replies == nil {
		return nil, errors.New("api needs a Service, Accounts, Users and Replies")
	}
	s := &Server{
		service: o.Service, accounts: o.Accounts, users: o.Users, replies: o.Replies,
		health: o.Health, logger: o.Logger, registry: o.Registry, timeout: o.Timeout, now: o.Now,
		encodingSlots: newEncodingSlots(), streams: defaultStreams,
	}
	s.setDefaults()
	stopping, stop := context.WithCancel(context.Background()) //nolint:gosec // HTTPServer calls it
	s.stopping, s.stop = stopping, stop
	var err error
	if s.metrics, err = newMetrics(s.registry, &s.watchers); err != nil {
		return nil, err
	}
	s.routes = append(s.routeTable(), o.Page.routes()...)
	e := echo.New()
	e.IPExtractor = clientAddress(o.TrustedProxies, s.logger)
	e.Pre(s.middleware)
	if len(o.Origins) > 0 {
		e.Pre(cors(o.Origins))
	}
	e.Pre(limitHeader, decodePath)
	s.registerRoutes(e)
	s.handler = e
	if o.Traces != nil {
		s.handler = s.traced(e, o.Traces)
	}
	return s, nil
}

func (s *Server) setDefaults() {
	if s.health == nil {
		s.health = func() Health { return Health{} }
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

// Handler returns the handler of the API.
func (s *Server) Handler() http.Handler { return s.handler }

// SetDraining makes /readyz return 503, so that load balancers send no new requests. The
// API continues to serve all requests.
func (s *Server) SetDraining() { s.draining.Store(true) }

// HTTPServer returns a server for the API with limits for the time, header and body of a
// request. The caller listens with a Listener, serves and shuts down, which ends the streams of all servers.
func (s *Server) HTTPServer() *http.Server {
	server := s.newHTTPServer(s.Handler())
	server.WriteTimeout = writeTimeout
	server.ConnContext = withConnection
	server.RegisterOnShutdown(s.stop)
	return server
}

// OperationsServer returns a server for OperationsHandler. It has no write timeout, because
// the client chooses how long a profile takes.
func (s *Server) OperationsServer(profiles bool) *http.Server {
	return s.newHTTPServer(s.OperationsHandler(profiles))
}

func (s *Server) newHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:                      handler,
		ReadHeaderTimeout:            headerTimeout,
		ReadTimeout:                  readTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               netHeaderLimit,
		DisableGeneralOptionsHandler: true, // OPTIONS * is routed like any other request
		ErrorLog:                     log.New(logWriter{s.logger}, "", 0),
	}
}

// logWriter logs the messages of net/http at debug level. They are about failed handshakes
// and connections, which clients cause.
type logWriter struct{ logger *slog.Logger }

func (w logWriter) Write(line []byte) (int, error) {
	w.logger.Debug("http server", "message", string(line))
	return len(line), nil
}
