package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/lmittmann/tint"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/config"
)

// newLogger returns the log of a valid Config: colored lines for a person, JSON for a
// machine.
func newLogger(c *config.Config, std streams) *slog.Logger {
	level, err := config.ParseLevel(c.LogLevel)
	if err != nil {
		level = slog.LevelInfo // Validate has refused it before
	}
	if c.LogFormat == config.LogConsole || c.LogFormat == config.LogAuto && std.terminal {
		return slog.New(traced{tint.NewTextHandler(std.err, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !std.terminal,
		})})
	}
	return slog.New(traced{slog.NewJSONHandler(std.err, &slog.HandlerOptions{Level: level})})
}

// traced adds to a line which trace its context is part of, if of any.
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

// WithGroup implements slog.Handler. The trace of a line is in the group too.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

// commandLogger returns the log of a command that was told nothing about it.
func commandLogger(std streams) *slog.Logger {
	c := config.Default()
	return newLogger(&c, std)
}
