package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
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
	// lastTraces bounds the sending of the last spans at the end of the process. A
	// collector that is there takes them at once.
	lastTraces = 3 * time.Second
	// traceWarnings is how often it is said that the collector is away.
	traceWarnings = time.Minute
)

// openTraces sends spans to the collector that the standard variables of OpenTelemetry
// name; without one nothing is begun. A collector that is away costs the spans and a line
// of the log: they wait in a queue of bounded length, and requests never do.
func (s *service) openTraces(ctx context.Context) error {
	exporter, err := newExporter(ctx)
	if err != nil || exporter == nil {
		return err
	}
	// What the environment says of the process comes last, and wins.
	about := []attribute.KeyValue{attribute.String("service.name", "trainbooking"), attribute.String("service.version", version)}
	if s.config.Clustered() {
		about = append(about, attribute.String("service.instance.id", s.config.Advertise))
	}
	described, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithAttributes(about...), resource.WithFromEnv())
	if err != nil {
		return usageError{fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)}
	}
	otel.SetLogger(logr.FromSlogHandler(s.log.Handler()))
	otel.SetErrorHandler(&traceErrors{log: s.log, now: time.Now})
	// The sampler is that of OTEL_TRACES_SAMPLER, by default what the caller has decided.
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described))
	otel.SetTracerProvider(provider) // for package actors, whose spans come from peers too
	s.traces = provider
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), lastTraces)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			s.log.Warn("the last traces were not sent", "error", err)
		}
		return nil
	})
	return nil
}

// newExporter returns nil when no traces are wanted. The libraries read the rest of the
// variables themselves, but for what they do not know they log an error and go on.
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
		return nil, usageError{fmt.Errorf("OTEL_TRACES_EXPORTER %q is not known here: set it to otlp or none", kind)}
	}
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError{fmt.Errorf("%s is not a URL: set it to one such as http://collector:4318", name)}
	}
	name, protocol := firstVariable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	switch protocol {
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	}
	return nil, usageError{fmt.Errorf("%s %q is not known here: set it to http/protobuf or grpc", name, protocol)}
}

// firstVariable returns the first of the variables that is set; an empty one is not.
func firstVariable(names ...string) (name, value string) {
	for _, name = range names {
		if value = os.Getenv(name); value != "" {
			break
		}
	}
	return name, value
}

// traceErrors logs what goes wrong with traces, at most once in traceWarnings: a
// collector that is away fails every few seconds.
type traceErrors struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	last   time.Time
	unsaid int
}

// Handle implements otel.ErrorHandler.
func (e *traceErrors) Handle(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	if !e.last.IsZero() && now.Sub(e.last) < traceWarnings {
		e.unsaid++
		return
	}
	e.log.Warn("traces were lost", "error", err, "unsaid", e.unsaid)
	e.last, e.unsaid = now, 0
}
