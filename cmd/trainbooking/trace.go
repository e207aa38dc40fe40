package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// traceFlushTimeout limits sending the last spans at the end of the process.
	traceFlushTimeout = 3 * time.Second
	// traceErrorInterval is the minimum time between two log lines about lost traces.
	traceErrorInterval = time.Minute
)

// openTraces sends spans to the collector in the standard variables of OpenTelemetry.
// Without a collector it does nothing. Requests never wait for the collector: while it is
// unreachable, spans are lost, which is logged.
func (s *service) openTraces(ctx context.Context) error {
	exporter, err := newExporter(ctx)
	if err != nil || exporter == nil {
		return err
	}
	// The attributes of the environment come last, so that they override these.
	attributes := []attribute.KeyValue{attribute.String("service.name", "trainbooking"), attribute.String("service.version", version)}
	if s.config.Clustered() {
		attributes = append(attributes, attribute.String("service.instance.id", s.config.Advertise))
	}
	res, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithAttributes(attributes...), resource.WithFromEnv())
	if err != nil {
		return usageError{fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)}
	}
	otel.SetLogger(logr.FromSlogHandler(s.log.Handler()))
	otel.SetErrorHandler(&traceErrors{log: s.log, now: time.Now})
	// The sampler is that of OTEL_TRACES_SAMPLER; the default follows the caller's decision.
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
	otel.SetTracerProvider(provider) // for package actors, which also handles requests of peers
	s.traces = provider
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), traceFlushTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			s.log.Warn("the last traces were not sent", "error", err)
		}
		return nil
	})
	return nil
}

// newExporter returns nil if traces are off. It validates the variables that select the
// exporter, because the libraries only log an error for unknown values. The libraries read
// the other variables.
func newExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	name, endpoint := firstVariable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" || os.Getenv("OTEL_SDK_DISABLED") == "true" {
		return nil, nil
	}
	switch kind := os.Getenv("OTEL_TRACES_EXPORTER"); kind {
	case "", "otlp":
	case "none":
		return nil, nil
	default:
		return nil, usageError{fmt.Errorf("OTEL_TRACES_EXPORTER %q is not supported: set it to otlp or none", kind)}
	}
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError{fmt.Errorf("%s is not a URL: set it to one such as http://collector:4318", name)}
	}
	if err := checkTraceHeaders(); err != nil {
		return nil, usageError{err}
	}
	name, protocol := firstVariable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	switch protocol {
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	}
	return nil, usageError{fmt.Errorf("%s %q is not supported: set it to http/protobuf or grpc", name, protocol)}
}

// checkTraceHeaders returns an error if the headers for the collector are malformed. The library would print
// their values, which may be secret.
func checkTraceHeaders() error {
	name, headers := firstVariable("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
	if headers == "" {
		return nil
	}
	for header := range strings.SplitSeq(headers, ",") {
		key, value, found := strings.Cut(header, "=")
		if _, err := url.PathUnescape(value); err != nil || !found || !headerName.MatchString(strings.TrimSpace(key)) {
			return fmt.Errorf("%s is not a list of headers: set it to name=value,name=value with percent-encoded values", name)
		}
	}
	return nil
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// firstVariable returns the first of the variables that is not empty.
func firstVariable(names ...string) (name, value string) {
	for _, name = range names {
		if value = os.Getenv(name); value != "" {
			break
		}
	}
	return name, value
}

// traceErrors logs the errors of OpenTelemetry at most once per traceErrorInterval, because
// an unreachable collector causes one every few seconds.
type traceErrors struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	last    time.Time
	skipped int // errors since last
}

// Handle implements otel.ErrorHandler.
func (e *traceErrors) Handle(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	if !e.last.IsZero() && now.Sub(e.last) < traceErrorInterval {
		e.skipped++
		return
	}
	e.log.Warn("traces were lost", "error", err, "skipped", e.skipped)
	e.last, e.skipped = now, 0
}
