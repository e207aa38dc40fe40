package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/config"
)

// newLogger returns the logger of a valid Config, which writes colored lines or JSON.
func newLogger(c *config.Config, std stdio) *slog.Logger {
	level, err := config.ParseLevel(c.LogLevel)
	if err != nil {
		level = slog.LevelInfo // Validate rejects it
	}
	if c.LogFormat == config.LogConsole || c.LogFormat == config.LogAuto && std.terminal {
		return slog.New(traced{tint.NewTextHandler(std.err, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !std.terminal,
		})})
	}
	return slog.New(traced{slog.NewJSONHandler(std.err, &slog.HandlerOptions{Level: level})})
}

// traced adds the trace and span ids of the context to each line.
type traced struct{ slog.Handler }

// Handle implements slog.Handler.
func (h traced) Handle(ctx context.Context, line slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		line.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h traced) WithAttrs(attributes []slog.Attr) slog.Handler {
	return traced{h.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler. The trace and span ids are in the group too.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

// commandLogger returns the logger of a command without log settings.
func commandLogger(std stdio) *slog.Logger {
	c := config.Default()
	return newLogger(&c, std)
}
