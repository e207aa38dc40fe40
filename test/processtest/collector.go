package processtest

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector receives spans by OTLP over HTTP and keeps them.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []Span
}

// Span is a span with what tests read of it. Ids are in hexadecimal. The parent of a root
// span is "".
type Span struct {
	Name, Trace, ID, Parent string
	Service                 string // service.name of the process
}

// StartCollector starts a collector. It is stopped when the test ends.
func StartCollector(t *testing.T) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(c.receive))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Environ returns the environment variables, NAME=value, that make a process send its spans
// to the collector within 0.1 s.
func (c *Collector) Environ() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_BSP_SCHEDULE_DELAY=100"}
}

func (c *Collector) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, process := range sent.GetResourceSpans() {
		service := ""
		for _, attribute := range process.GetResource().GetAttributes() {
			if attribute.GetKey() == "service.name" {
				service = attribute.GetValue().GetStringValue()
			}
		}
		for _, scope := range process.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans = append(c.spans, spanOf(service, span))
			}
		}
	}
}

func spanOf(service string, span *otlp.Span) Span {
	return Span{
		Name: span.GetName(), Service: service, Trace: hex.EncodeToString(span.GetTraceId()),
		ID: hex.EncodeToString(span.GetSpanId()), Parent: hex.EncodeToString(span.GetParentSpanId()),
	}
}

// Spans returns the spans received so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// AwaitTrace waits until the trace has spans with all the names, a name that is given twice
// at least twice, and returns all its spans.
func (c *Collector) AwaitTrace(t *testing.T, id string, names ...string) []Span {
	t.Helper()
	var trace []Span
	complete := func() bool {
		trace = slices.DeleteFunc(c.Spans(), func(s Span) bool { return s.Trace != id })
		missing := slices.Clone(names)
		for _, s := range trace {
			if i := slices.Index(missing, s.Name); i >= 0 {
				missing = slices.Delete(missing, i, i+1)
			}
		}
		return len(missing) == 0
	}
	if !assert.Eventually(t, complete, Timeout, 10*time.Millisecond) {
		require.Failf(t, "the trace is not complete", "%v are not all in %v", names, trace)
	}
	return trace
}

// TraceOf returns the ids of the trace and the span of the first request to the route, from
// its line in the log.
func (s *Server) TraceOf(route string) (trace, span string) {
	s.t.Helper()
	var line struct {
		TraceID string `json:"trace_id"`
		SpanID  string `json:"span_id"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(s.Await(`"route":"`+route+`"`)), &line))
	return line.TraceID, line.SpanID
}
