package api

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced gives each request a span that continues the trace of the client's traceparent
// header (W3C Trace Context). Requests to quiet routes have no span.
func (s *Server) traced(next http.Handler, provider trace.TracerProvider) http.Handler {
	quiet := map[string]bool{}
	for i := range s.routes {
		if s.routes[i].quiet {
			quiet[strings.TrimSuffix(s.routes[i].path, "/")] = true
		}
	}
	return otelhttp.NewHandler(next, "",
		otelhttp.WithTracerProvider(provider),
		otelhttp.WithMeterProvider(metricnoop.NewMeterProvider()), // metrics.go has the metrics
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithFilter(func(r *http.Request) bool { return !quiet[strings.TrimSuffix(r.URL.Path, "/")] }),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return methodLabel(r.Method) }),
	)
}

// describeSpan names the span after the route, which is known only after routing. Like the
// log line, the span has neither the path itself nor an unverified client address.
func (r *requestRecord) describeSpan(span trace.Span, method string) {
	if !span.IsRecording() {
		return
	}
	span.SetName(methodLabel(method) + " " + r.pattern())
	span.SetAttributes(
		attribute.String("http.route", r.pattern()),
		attribute.String("url.path", r.pattern()), // replaces the value of otelhttp
		attribute.String("client.address", r.address),
		attribute.String("request_id", r.id),
	)
	if r.err != nil {
		span.SetAttributes(attribute.String("code", string(asError(r.err).Code)))
	}
	if r.truncated { // otelhttp sees only the status that was already sent
		span.SetStatus(codes.Error, "")
	}
}
