package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// statusClientClosed is the status in the log and the metrics for a client that closed its
// connection before the response. It is not in RFC 9110; nginx introduced it.
const statusClientClosed = 499

// maxAttributes is how many attributes the log line of a request has at most.
const maxAttributes = 12

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
	code, unlogged := booking.Code(""), 0
	if r.err != nil {
		code = asError(r.err).Code
	}
	if status == http.StatusConflict {
		admitted := false
		if unlogged, admitted = s.conflicts.admit(code, r.started.Add(took)); !admitted {
			return
		}
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
	if code != "" {
		attributes = append(attributes, slog.String("code", string(code)))
	}
	if unlogged > 0 {
		attributes = append(attributes, slog.Int("unlogged", unlogged))
	}
	if level >= slog.LevelWarn {
		attributes = append(attributes, slog.Any("error", r.err))
	}
	if r.stack != nil {
		attributes = append(attributes, slog.String("stack", string(r.stack)))
	}
	s.logger.LogAttrs(ctx, level, "request", attributes...)
}

// maxConflictLines is how many requests a second have a log line of those that are refused for the same conflict.
const maxConflictLines = 100

// conflictLines limits the log lines of requests that are refused with 409. When a train sells out, there are
// thousands a second, and their lines would say the same and fill the disk. Safe for concurrent use.
type conflictLines struct {
	mu   sync.Mutex
	each map[booking.Code]conflictCount
}

// conflictCount counts the requests with the same code.
type conflictCount struct {
	since    time.Time // when the second began
	lines    int       // in that second
	unlogged int       // since the last line
}

// admit reports whether a request that was refused now gets a line, and how many got none since the line before.
func (l *conflictLines) admit(code booking.Code, now time.Time) (unlogged int, admitted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.each == nil {
		l.each = map[booking.Code]conflictCount{}
	}
	c := l.each[code]
	if now.Sub(c.since) >= time.Second {
		c.since, c.lines = now, 0
	}
	if admitted = c.lines < maxConflictLines; admitted {
		c.lines++
		unlogged, c.unlogged = c.unlogged, 0
	} else {
		c.unlogged++
	}
	l.each[code] = c
	return unlogged, admitted
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
