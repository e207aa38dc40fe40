package actors_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
)

// The process has one place where spans go, so that the steps are of one test: what is
// made before is not sent there, and what other tests do is of no trace.
func TestAsksAndTheirWritesAreOfTheTraceOfTheirRequest(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	otel.SetTracerProvider(provider)
	requests := provider.Tracer("test")

	background, end := actors.StartAsk(context.Background(), "hold", booking.NewTrainID())
	end(nil)
	require.Equal(t, context.Background(), background)
	require.Nil(t, actors.Inject(background))
	flush, end := actors.StartFlush(context.Background(), "holds", []trace.SpanContext{{}, {}})
	end(nil)
	require.Equal(t, context.Background(), flush)
	require.Empty(t, spans.GetSpans(), "nobody asked")

	// Two requests, the second by way of a peer, are written in one flush.
	train := booking.NewTrainID()
	ashas, asha := requests.Start(t.Context(), "asha")
	ashas, endAsha := actors.StartAsk(ashas, "hold", train)
	ravis, ravi := requests.Start(t.Context(), "ravi")
	there := actors.Extract(t.Context(), actors.Inject(ravis))
	require.True(t, trace.SpanContextFromContext(there).IsRemote())
	there, endRavi := actors.StartAsk(there, "hold", train)
	flush, endFlush := actors.StartFlush(t.Context(), "holds", []trace.SpanContext{
		trace.SpanContextFromContext(ashas), {}, trace.SpanContextFromContext(there),
	})
	require.Equal(t, asha.SpanContext().TraceID(), trace.SpanContextFromContext(flush).TraceID())
	endFlush(errors.New("no connection"))
	endAsha(&booking.Error{Code: booking.CodeSeatLocked})
	endRavi(booking.Timeout(context.DeadlineExceeded))

	ended := spans.GetSpans()
	require.Len(t, ended, 4)
	first, second, ashaAsk, raviAsk := ended[0], ended[1], ended[2], ended[3]
	require.Equal(t, "train hold", ashaAsk.Name)
	require.Equal(t, asha.SpanContext().SpanID(), ashaAsk.Parent.SpanID())
	require.Equal(t, codes.Unset, ashaAsk.Status.Code, "a seat that is taken is an answer")
	require.Equal(t, ravi.SpanContext().SpanID(), raviAsk.Parent.SpanID())
	require.Equal(t, codes.Error, raviAsk.Status.Code)

	require.Equal(t, "write holds", first.Name)
	require.Equal(t, ashaAsk.SpanContext.SpanID(), first.Parent.SpanID())
	require.Equal(t, codes.Error, first.Status.Code)
	require.Equal(t, raviAsk.SpanContext.SpanID(), first.Links[0].SpanContext.SpanID())
	require.Equal(t, "write holds", second.Name)
	require.Equal(t, raviAsk.SpanContext.SpanID(), second.Parent.SpanID())
	require.Equal(t, ravi.SpanContext().TraceID(), second.SpanContext.TraceID())
	require.Equal(t, first.SpanContext.SpanID(), second.Links[0].SpanContext.SpanID())
}
