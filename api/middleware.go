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
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/booking"
)

// maxHeader is the maximum size of a request header in bytes, request line included.
const maxHeader = 16 << 10

var errHeaderTooLarge = errors.New("header too large")

// middleware gives each request an id, sets the headers of every response, turns errors and panics into
// responses, and records metrics and a log line.
func (s *Server) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, header := c.Request(), c.Response().Header()
		record := &requestRecord{id: requestID(r.Header), address: c.RealIP(), started: time.Now()}
		c.SetRequest(r.WithContext(withRecord(r.Context(), record)))
		setCommonHeaders(header, record.id)

		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		s.requests.Add(1)
		defer s.leave(record)
		record.err = recoverPanic(record, next, c)
		status := finish(c, record)
		took := time.Since(record.started)
		s.metrics.observe(r.Method, record, status, took)
		record.describeSpan(trace.SpanFromContext(r.Context()), r.Method)
		s.logRequest(r.Context(), record, r.Method, status, c.Response().Size, took)
		if record.truncated {
			panic(http.ErrAbortHandler) // closes the connection, so that the client sees the response is incomplete
		}
		return nil
	}
}

// leave counts a request as ended.
func (s *Server) leave(record *requestRecord) {
	s.requests.Add(-1)
	if record.longList {
		s.longLists.Add(-1)
	}
}

// finish sends the error response, if there is an error, and returns the status for the
// log and the metrics.
func finish(c echo.Context, record *requestRecord) int {
	if record.err == nil {
		return c.Response().Status
	}
	if record.truncated {
		return http.StatusInternalServerError
	}
	if c.Response().Committed { // sending the response failed
		return statusClientClosed
	}
	if e, ok := errors.AsType[*echo.HTTPError](record.err); ok && e.Code == http.StatusNotFound {
		record.err = booking.NotFound("path")
	}
	if err := problemOf(record.err, record.id).write(c.Response()); err != nil {
		return statusClientClosed
	}
	return c.Response().Status
}

// recoverPanic calls next and turns a panic into an error.
func recoverPanic(record *requestRecord, next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		record.stack, record.truncated = debug.Stack(), c.Response().Committed
		err = fmt.Errorf("panic: %v", reason)
	}()
	return next(c)
}

// The values of headers that every response has. They are shared, so they must not be changed.
var (
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"}
)

// setCommonHeaders sets the headers of every response. Caches must store no response of the API: a
// response may be private, contain tokens, or be outdated a moment later. Browsers must not take a
// response for another type than it has. What they may do with a page is said by writeFile.
func setCommonHeaders(header http.Header, requestID string) {
	header["X-Content-Type-Options"] = noSniff
	header["Cache-Control"] = noStore
	header["X-Request-Id"] = []string{requestID}
}

// limitHeader rejects a request whose header is too large.
func limitHeader(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := checkHeader(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}

// checkHeader rejects a header of more than maxHeader bytes, as counted on the wire. The
// limit of net/http is higher, because its response is plain text.
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

// requestID returns the client's X-Request-Id if it is safe to log, so that a request can
// be followed through several services. Otherwise it returns a new id.
func requestID(header http.Header) string {
	const maxLength = 64
	given := header.Get("X-Request-Id")
	unsafe := strings.ContainsFunc(given, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", r)
	})
	if given == "" || len(given) > maxLength || unsafe {
		return uuid.NewString()
	}
	return given
}

// decodePath makes Echo route by the decoded path: %6C is an l (RFC 3986, 6.2.2.2). It
// leaves a path with an encoded slash as it is, and no route matches that.
func decodePath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if u := c.Request().URL; !strings.Contains(strings.ToLower(u.RawPath), "%2f") {
			u.RawPath = ""
		}
		return next(c)
	}
}

// methodNotAllowed handles the methods that a path does not support.
func methodNotAllowed(path, allow string) echo.HandlerFunc {
	rt := &route{path: path}
	return func(c echo.Context) error {
		recordOf(c.Request().Context()).route = rt
		c.Response().Header().Set("Allow", allow)
		return &booking.Error{Code: booking.CodeMethodNotAllowed}
	}
}
