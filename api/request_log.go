package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// statusClientClosed is the status in the log and the metrics for a client that closed its
// connection before the response. It is not in RFC 9110; nginx introduced it.
const statusClientClosed = 499

// maxAttributes is how many attributes the log line of a request has at most.
const maxAttributes = 11

// requestRecord collects what the log line, the span and the errors of a request need.
type requestRecord struct {
	id        string
	address   string // of the client
	started   time.Time
	route     *route // nil: no such path
	caller    auth.Identity
	err       error
	stack     []byte // of a panic
	longList  bool   // it is one of Server.longLists
	streamed  bool   // the response is a stream, which lasts for as long as the client wants
	truncated bool   // a panic ended the response after its header was sent
}

type recordKey struct{}

func withRecord(ctx context.Context, record *requestRecord) context.Context {
	return context.WithValue(ctx, recordKey{}, record)
}

// recordOf returns the record that the middleware added to the context.
func recordOf(ctx context.Context) *requestRecord {
	record, _ := ctx.Value(recordKey{}).(*requestRecord)
	return record
}

// pattern returns the pattern of the route, or "unmatched".
func (r *requestRecord) pattern() string {
	if r.route == nil {
		return "unmatched"
	}
	return r.route.path
}

// logRequest writes the one log line of a request, if its level is logged. The line has the pattern of the route,
// but no path, query, body or token.
func (s *Server) logRequest(
	ctx context.Context, r *requestRecord, method string, status int, size int64, took time.Duration,
) {
	level := r.level(status)
	if !s.logger.Enabled(ctx, level) {
		return
	}
	attributes := append(make([]slog.Attr, 0, maxAttributes),
		slog.String("method", method),
		slog.String("route", r.pattern()),
		slog.Int("status", status),
		slog.Float64("seconds", took.Seconds()),
		slog.Int64("bytes", size),
		slog.String("request_id", r.id),
		slog.String("address", r.address),
	)
	switch {
	case r.caller.Machine:
		attributes = append(attributes, slog.String("user", "train-admin"))
	case r.caller != auth.Identity{}:
		attributes = append(attributes, slog.String("user", r.caller.User.String()))
	}
	if r.err != nil {
		attributes = append(attributes, slog.String("code", string(asError(r.err).Code)))
	}
	if level >= slog.LevelWarn {
		attributes = append(attributes, slog.Any("error", r.err))
	}
	if r.stack != nil {
		attributes = append(attributes, slog.String("stack", string(r.stack)))
	}
	s.logger.LogAttrs(ctx, level, "request", attributes...)
}

func (r *requestRecord) level(status int) slog.Level {
	switch {
	case r.route != nil && r.route.frequent() && r.err == nil && status < http.StatusBadRequest:
		return slog.LevelDebug
	case r.err == nil || status < http.StatusInternalServerError:
		return slog.LevelInfo
	case asError(r.err).Code == booking.CodeInternal:
		return slog.LevelError
	}
	return slog.LevelWarn
}
