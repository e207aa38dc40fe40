package redis

import (
	"context"

	"github.com/redis/go-redis/extra/redisotel/v9"
	goredis "github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// traced gives each command, or pipeline, a span below that of its caller. A span tells
// the names of the commands, never keys or values.
func traced(client *goredis.Client, provider trace.TracerProvider) error {
	return redisotel.InstrumentTracing(client,
		redisotel.WithTracerProvider(belowProvider{provider}),
		redisotel.WithDBStatement(false),
		redisotel.WithCallerEnabled(false),
		redisotel.WithDialFilter(true), // dials are on nobody's behalf
	)
}

// belowProvider makes no spans for calls of nobody, as those for health: each would be a
// trace of its own.
type belowProvider struct{ trace.TracerProvider }

func (p belowProvider) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return belowTracer{p.TracerProvider.Tracer(name, options...)}
}

type belowTracer struct{ trace.Tracer }

func (t belowTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, noop.Span{}
	}
	return t.Tracer.Start(ctx, name, options...)
}
