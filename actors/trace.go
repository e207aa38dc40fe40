package actors

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
)

// tracer returns the tracer of this package.
//
//	HTTP request ──▶ train hold ──▶ (in a peer) train hold ──▶ write holds ──▶ the store's
//
// Only sampled HTTP requests have spans. Background work has none, because each would be a
// trace of a single span, and unsampled requests cost nothing.
func tracer() trace.Tracer { return otel.Tracer("trainbooking.dev/actors") }

// startRequest starts the span of a request to a train, "train " and the command, if ctx is
// sampled. Call the returned function once, with the error of the request.
func startRequest(ctx context.Context, c activation.Command, train booking.TrainID) (context.Context, func(error)) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := tracer().Start(ctx, "train "+commandName(c), trace.WithAttributes(attribute.String("train", train.String())))
	return ctx, func(err error) { endSpan(span, err) }
}

// startFlush starts the spans of one write for several requests, "write <writer>". Each
// sampled request gets a child span, so that its trace is complete. The spans of the store
// are children of the first one, which is linked with the others. Call the returned function
// once, with the error of the whole write.
func startFlush(ctx context.Context, writer string, requests []trace.SpanContext) (context.Context, func(error)) {
	var links []trace.Link
	for _, r := range requests {
		if r.IsSampled() {
			links = append(links, trace.Link{SpanContext: r})
		}
	}
	if len(links) == 0 {
		return ctx, func(error) {}
	}
	child := func(of trace.Link, links ...trace.Link) (context.Context, trace.Span) {
		return tracer().Start(trace.ContextWithSpanContext(ctx, of.SpanContext), "write "+writer, trace.WithLinks(links...))
	}
	first, span := child(links[0], links[1:]...)
	span.SetAttributes(attribute.Int("items", len(requests)))
	spans := []trace.Span{span}
	for _, r := range links[1:] {
		_, other := child(r, trace.LinkFromContext(first))
		spans = append(spans, other)
	}
	return first, func(err error) {
		for _, span := range spans {
			endSpan(span, err)
		}
	}
}

// endSpan ends a span. An error that a client can cause, such as a seat that is taken, is
// not an error of the span.
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

// commandName returns the name of a command in traces.
func commandName(c activation.Command) string {
	switch c.(type) {
	case activation.Hold:
		return "hold"
	case activation.Confirm:
		return "confirm"
	case activation.Exchange:
		return "exchange"
	case activation.Extend:
		return "extend"
	case activation.Release:
		return "release"
	case activation.CheckCancel:
		return "check cancel"
	case activation.Cancel:
		return "cancel"
	case activation.Change:
		return "change"
	case activation.Delete:
		return "delete"
	}
	return "request"
}
