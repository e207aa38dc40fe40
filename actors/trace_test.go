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

// The tracer provider is global, so all steps are in one test. The systems of other tests have
// no sampled requests.
func TestRequestsAndTheirWritesAreInTheTraceOfTheirHTTPRequest(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	otel.SetTracerProvider(provider)
	requests := provider.Tracer("test")

	background, end := actors.StartRequest(context.Background(), booking.NewTrainID())
	end(nil)
	require.Equal(t, context.Background(), background)
	flush, end := actors.StartFlush(context.Background(), "holds", []trace.SpanContext{{}, {}})
	end(nil)
	require.Equal(t, context.Background(), flush)
	require.Empty(t, spans.GetSpans(), "there is no sampled request")

	// Two requests are written in one flush.
	train := booking.NewTrainID()
	ashas, asha := requests.Start(t.Context(), "asha")
	ashas, endAsha := actors.StartRequest(ashas, train)
	ravis, ravi := requests.Start(t.Context(), "ravi")
	there, endRavi := actors.StartRequest(ravis, train)
	flush, endFlush := actors.StartFlush(t.Context(), "holds", []trace.SpanContext{
		trace.SpanContextFromContext(ashas), {}, trace.SpanContextFromContext(there),
	})
	require.Equal(t, asha.SpanContext().TraceID(), trace.SpanContextFromContext(flush).TraceID())
	endFlush(errors.New("no connection"))
	endAsha(&booking.Error{Code: booking.CodeSeatLocked})
	endRavi(booking.Timeout(context.DeadlineExceeded))

	ended := spans.GetSpans()
	require.Len(t, ended, 4)
	first, second, ashaRequest, raviRequest := ended[0], ended[1], ended[2], ended[3]
	require.Equal(t, "train hold", ashaRequest.Name)
	require.Equal(t, asha.SpanContext().SpanID(), ashaRequest.Parent.SpanID())
	require.Equal(t, codes.Unset, ashaRequest.Status.Code, "a seat that is taken is not an error")
	require.Equal(t, ravi.SpanContext().SpanID(), raviRequest.Parent.SpanID())
	require.Equal(t, codes.Error, raviRequest.Status.Code)

	require.Equal(t, "write holds", first.Name)
	require.Equal(t, ashaRequest.SpanContext.SpanID(), first.Parent.SpanID())
	require.Equal(t, codes.Error, first.Status.Code)
	require.Equal(t, raviRequest.SpanContext.SpanID(), first.Links[0].SpanContext.SpanID())
	require.Equal(t, "write holds", second.Name)
	require.Equal(t, raviRequest.SpanContext.SpanID(), second.Parent.SpanID())
	require.Equal(t, ravi.SpanContext().TraceID(), second.SpanContext.TraceID())
	require.Equal(t, first.SpanContext.SpanID(), second.Links[0].SpanContext.SpanID())
}
