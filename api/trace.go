package api

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// traced gives each request a span, which goes on with the trace that the client's
// traceparent names (W3C Trace Context). What is asked all the time has none.
func (s *Server) traced(next http.Handler, provider oteltrace.TracerProvider) http.Handler {
	quiet := map[string]bool{}
	for i := range s.routes {
		if s.routes[i].quiet {
			quiet[strings.TrimSuffix(s.routes[i].path, "/")] = true
		}
	}
	return otelhttp.NewHandler(next, "",
		otelhttp.WithTracerProvider(provider),
		otelhttp.WithMeterProvider(metricnoop.NewMeterProvider()), // metrics.go counts
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithFilter(func(r *http.Request) bool { return !quiet[strings.TrimSuffix(r.URL.Path, "/")] }),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return methodLabel(r.Method) }),
	)
}

// describe names the request's span after its route, once that is known. As in the log,
// the path itself is not in it, nor an address that a client made up.
func (t *trace) describe(span oteltrace.Span, method string) {
	if !span.IsRecording() {
		return
	}
	span.SetName(methodLabel(method) + " " + t.pattern())
	span.SetAttributes(
		attribute.String("http.route", t.pattern()),
		attribute.String("url.path", t.pattern()), // in place of what otelhttp wrote
		attribute.String("client.address", t.address),
		attribute.String("request_id", t.requestID),
	)
	if t.err != nil {
		span.SetAttributes(attribute.String("code", string(asError(t.err).Code)))
	}
	if t.torn { // otelhttp sees only the status that was sent before
		span.SetStatus(codes.Error, "")
	}
}
