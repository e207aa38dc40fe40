package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// statusClientGone is what the log and the metrics call a request whose client did not
// wait for the answer; nginx made the number known.
const statusClientGone = 499

// trace is what is remembered of a request for its log line and its errors.
type trace struct {
	requestID string
	address   string
	started   time.Time
	route     *route // nil: no such path
	caller    auth.Identity
	err       error
	stack     []byte // of a panic
	torn      bool   // the panic came in the middle of an answer
}

type traceKey struct{}

func withTrace(ctx context.Context, t *trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf returns the trace that observe put there.
func traceOf(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	return t
}

// pattern is the route as a label: "unmatched" where there is none.
func (t *trace) pattern() string {
	if t.route == nil {
		return "unmatched"
	}
	return t.route.path
}

// log writes the one line of a request. Paths, queries, bodies and tokens are not in
// it: the pattern of the route says what was asked.
func (s *Server) log(ctx context.Context, t *trace, method string, status int, size int64, took time.Duration) {
	attributes := []slog.Attr{
		slog.String("method", method),
		slog.String("route", t.pattern()),
		slog.Int("status", status),
		slog.Float64("seconds", took.Seconds()),
		slog.Int64("bytes", size),
		slog.String("request_id", t.requestID),
		slog.String("address", t.address),
	}
	switch {
	case t.caller.Machine:
		attributes = append(attributes, slog.String("user", "train-admin"))
	case t.caller != auth.Identity{}:
		attributes = append(attributes, slog.String("user", t.caller.User.String()))
	}
	if t.err != nil {
		attributes = append(attributes, slog.String("code", string(asError(t.err).Code)))
	}
	level := t.level(status)
	if level >= slog.LevelWarn {
		attributes = append(attributes, slog.Any("error", t.err))
	}
	if t.stack != nil {
		attributes = append(attributes, slog.String("stack", string(t.stack)))
	}
	s.logger.LogAttrs(ctx, level, "request", attributes...)
}

func (t *trace) level(status int) slog.Level {
	switch {
	case t.route != nil && t.route.quiet && t.err == nil:
		return slog.LevelDebug
	case t.err == nil || status < http.StatusInternalServerError:
		return slog.LevelInfo
	case asError(t.err).Code == booking.CodeInternal:
		return slog.LevelError
	}
	return slog.LevelWarn
}
