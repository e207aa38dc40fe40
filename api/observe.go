package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	oteltrace "go.opentelemetry.io/otel/trace"

	"trainbooking.dev/booking"
)

// maxHeader is the largest header of a request, its first line included, in bytes.
const maxHeader = 16 << 10

var errHeaderTooLarge = errors.New("header too large")

// observe is around everything: it gives the request an id, bounds its header, sets the
// headers that every answer has, answers errors and panics, counts, and logs.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, header := c.Request(), c.Response().Header()
		t := &trace{requestID: requestID(r.Header), address: c.RealIP(), started: time.Now()}
		c.SetRequest(r.WithContext(withTrace(r.Context(), t)))
		secure(header)
		header.Set("X-Request-Id", t.requestID)

		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		if t.err = checkHeader(r); t.err == nil {
			t.err = guard(t, next, c)
		}
		status := s.conclude(c, t)
		took := time.Since(t.started)
		s.metrics.observe(r.Method, t.pattern(), status, took)
		t.describe(oteltrace.SpanFromContext(r.Context()), r.Method)
		s.log(r.Context(), t, r.Method, status, c.Response().Size, took)
		if t.torn {
			panic(http.ErrAbortHandler) // ends the connection: half an answer must not pass for a whole one
		}
		return nil
	}
}

// conclude answers the request if that has not been done, and returns the status that
// is told to the log.
func (s *Server) conclude(c echo.Context, t *trace) int {
	if t.err == nil {
		return c.Response().Status
	}
	if t.torn {
		return http.StatusInternalServerError
	}
	if c.Response().Committed { // sending failed: there is nobody to tell
		return statusClientGone
	}
	if e, ok := errors.AsType[*echo.HTTPError](t.err); ok && e.Code == http.StatusNotFound {
		t.err = booking.NotFound("path")
	}
	if err := problemOf(t.err, t.requestID).send(c.Response()); err != nil {
		return statusClientGone
	}
	return c.Response().Status
}

// guard makes an error of a panic.
func guard(t *trace, next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		t.stack, t.torn = debug.Stack(), c.Response().Committed
		err = fmt.Errorf("panic: %v", reason)
	}()
	return next(c)
}

// secure sets what browsers shall know. Nothing of the API is to be kept by a cache:
// answers are of a user, hold tokens, or are true for a moment only.
func secure(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
}

// checkHeader refuses a header of more than maxHeader bytes, counted as they were sent.
// net/http has a limit of its own behind it, whose answer is plain text.
func checkHeader(r *http.Request) error {
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n") + len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	if size <= maxHeader {
		return nil
	}
	return &booking.Error{
		Code:    booking.CodeTooLarge,
		Message: fmt.Sprintf("The header of a request has at most %d bytes", maxHeader),
		Cause:   errHeaderTooLarge,
	}
}

// requestID takes the client's id if it is harmless, so that a request can be followed
// through several services, and makes one otherwise.
func requestID(header http.Header) string {
	const longest = 64
	given := header.Get("X-Request-Id")
	strange := strings.ContainsFunc(given, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", r)
	})
	if given == "" || len(given) > longest || strange {
		return uuid.NewString()
	}
	return given
}

// plainPath routes by the decoded path: %6C is an l (RFC 3986, 6.2.2.2). A slash that
// was encoded stays so, and no route matches it.
func plainPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if u := c.Request().URL; !strings.Contains(strings.ToLower(u.RawPath), "%2f") {
			u.RawPath = ""
		}
		return next(c)
	}
}

// notAllowed answers every method that a path does not have.
func notAllowed(path, allow string) echo.HandlerFunc {
	rt := &route{path: path}
	return func(c echo.Context) error {
		traceOf(c.Request().Context()).route = rt
		c.Response().Header().Set("Allow", allow)
		return &booking.Error{Code: booking.CodeMethodNotAllowed}
	}
}
