package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

// newTracedServer returns a test server and its finished spans.
func newTracedServer(tb testing.TB, settings ...setting) (*testServer, *tracetest.InMemoryExporter) {
	tb.Helper()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	traces := func(o *api.Options, _ *booking.HoldRules) { o.Traces = provider }
	return newTestServer(tb, append(settings, traces)...), spans
}

// spanOf waits for the span with this name, because a span may end after its response.
func spanOf(t *testing.T, spans *tracetest.InMemoryExporter, name string) tracetest.SpanStub {
	t.Helper()
	var found tracetest.SpanStubs
	require.Eventually(t, func() bool {
		found = nil
		for _, span := range spans.GetSpans() {
			if span.Name == name {
				found = append(found, span)
			}
		}
		return len(found) > 0
	}, 10*time.Second, time.Millisecond, "no span %q in %v", name, spans.GetSpans())
	require.Len(t, found, 1)
	return found[0]
}

func attributesOf(span tracetest.SpanStub) map[attribute.Key]string {
	all := map[attribute.Key]string{}
	for _, a := range span.Attributes {
		all[a.Key] = a.Value.String()
	}
	return all
}

func TestSpanIsNamedAfterTheRoute(t *testing.T) {
	t.Parallel()
	s, spans := newTracedServer(t)
	id := s.train(t, "Delhi", "Mumbai")
	r := s.do(t, request{method: "GET", path: "/v1/trains/" + id.String() + "/", header: http.Header{
		"X-Request-Id": {"asha-1"}, "X-Forwarded-For": {"203.0.113.9"},
	}})
	require.Equal(t, 200, r.status)
	span := spanOf(t, spans, "GET /v1/trains/{id}")
	require.Equal(t, trace.SpanKindServer, span.SpanKind)
	require.False(t, span.Parent.IsValid())
	attributes := attributesOf(span)
	require.Equal(t, "/v1/trains/{id}", attributes["http.route"])
	require.Equal(t, "200", attributes["http.response.status_code"])
	require.Equal(t, "asha-1", attributes["request_id"])
	require.Equal(t, "127.0.0.1", attributes["client.address"], "X-Forwarded-For of an untrusted proxy is ignored")
	for key, value := range attributes {
		require.NotContains(t, value, id.String(), "%s", key)
	}

	s.get(t, "", "/etc/passwd")
	missed := spanOf(t, spans, "GET unmatched")
	require.Equal(t, "not_found", attributesOf(missed)["code"])
	require.Equal(t, codes.Unset, missed.Status.Code, "an error of the client is not an error of the span")
	require.NotContains(t, attributesOf(missed)["url.path"], "passwd")
}

func TestSpanContinuesTheTraceOfTheClient(t *testing.T) {
	t.Parallel()
	s, spans := newTracedServer(t)
	r := s.do(t, request{method: "GET", path: "/v1/trains", header: http.Header{
		"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}})
	require.Equal(t, 200, r.status)
	span := spanOf(t, spans, "GET /v1/trains")
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", span.SpanContext.TraceID().String())
	require.Equal(t, "b7ad6b7169203331", span.Parent.SpanID().String())
}

func TestHealthHasNoSpan(t *testing.T) {
	t.Parallel()
	s, spans := newTracedServer(t)
	for _, path := range []string{"/healthz", "/healthz/", "/readyz", "/%72eadyz"} {
		require.Equal(t, 200, s.get(t, "", path).status)
	}
	require.Equal(t, 200, s.get(t, "", "/v1/trains").status)
	spanOf(t, spans, "GET /v1/trains")
	require.Len(t, spans.GetSpans(), 1)
}

func TestPanicIsAnErrorOfItsSpan(t *testing.T) {
	t.Parallel()
	s, spans := newTracedServer(t, searchFails(func(ctx context.Context) error {
		require.True(t, trace.SpanContextFromContext(ctx).IsValid(), "the service is called within the trace")
		panic("broken")
	}))
	require.Equal(t, 500, s.get(t, "", "/train/get-trains/?source=Delhi&destination=Mumbai").status)
	span := spanOf(t, spans, "GET /train/get-trains/")
	require.Equal(t, codes.Error, span.Status.Code)
	require.Equal(t, "internal", attributesOf(span)["code"])
}
