package actors

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/booking"
)

// tracer makes spans once the process has said where they go.
//
//	request ──▶ train hold ──▶ (in a peer) train hold ──▶ write holds ──▶ the store's
//
// Only what a sampled request asked for has spans: what nobody asked for would be traces
// of one span each, and what is not sampled shall cost nothing.
func tracer() trace.Tracer { return otel.Tracer("trainbooking.dev/actors") }

// startAsk begins the span of a command for a train, "train <operation>", if the request
// that ctx is of is sampled. Call the function once, with what came of it.
func startAsk(ctx context.Context, operation string, train booking.TrainID) (context.Context, func(error)) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := tracer().Start(ctx, "train "+operation, trace.WithAttributes(attribute.String("train", train.String())))
	return ctx, func(err error) { endSpan(span, err) }
}

// startFlush begins the spans of one write on behalf of several asks, "write <writer>":
// each ask has one below its own, so that its trace is complete, and those of the store
// are below that of the first one. The others and it are linked. Call the function once,
// with the error of the whole write.
func startFlush(ctx context.Context, writer string, asks []trace.SpanContext) (context.Context, func(error)) {
	var links []trace.Link
	for _, ask := range asks {
		if ask.IsSampled() {
			links = append(links, trace.Link{SpanContext: ask})
		}
	}
	if len(links) == 0 {
		return ctx, func(error) {}
	}
	below := func(ask trace.Link, links ...trace.Link) (context.Context, trace.Span) {
		return tracer().Start(trace.ContextWithSpanContext(ctx, ask.SpanContext), "write "+writer, trace.WithLinks(links...))
	}
	first, span := below(links[0], links[1:]...)
	span.SetAttributes(attribute.Int("items", len(asks)))
	spans := []trace.Span{span}
	for _, ask := range links[1:] {
		_, other := below(ask, trace.LinkFromContext(first))
		spans = append(spans, other)
	}
	return first, func(err error) {
		for _, span := range spans {
			endSpan(span, err)
		}
	}
}

// endSpan ends a span. That a seat is taken is an answer, and no error of the span.
func endSpan(span trace.Span, err error) {
	if err != nil {
		code := booking.CodeOf(err)
		span.SetAttributes(attribute.String("code", string(code)))
		switch code {
		case booking.CodeInternal, booking.CodeUnavailable, booking.CodeTimeout, booking.CodeStorageFull:
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// inject returns the trace of ctx as a peer is told of it (W3C Trace Context); nil where
// there is none.
func inject(ctx context.Context) map[string]string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	told := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, told)
	return told
}

// extract goes on with the trace that a peer told of.
func extract(ctx context.Context, told map[string]string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(told))
}
