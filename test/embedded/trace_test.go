package embedded_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

func TestRequestIsOneTraceNamedInItsLogLine(t *testing.T) {
	t.Parallel()
	collector := processtest.StartCollector(t)
	dir := t.TempDir()
	s := processtest.StartIn(t, collector.Environ(), "--data-dir", dir)
	train := createAdmin(t, dir, s.URL).AddTrain(t, 10)
	asha := processtest.SignUp(t, s.URL, "asha")
	asha.MustLock(t, http.StatusOK, train, 1)

	id, span := s.TraceOf("/train/book-ticket/")
	trace := collector.AwaitTrace(t, id, "POST /train/book-ticket/", "train hold", "write holds")
	ids := map[string]bool{}
	for _, s := range trace {
		ids[s.ID] = true
	}
	for _, s := range trace {
		require.Equal(t, "trainbooking", s.Service)
		require.Equal(t, s.Parent == "", s.ID == span, "%s is a second root", s.Name)
		require.True(t, s.Parent == "" || ids[s.Parent], "%s has no parent in %v", s.Name, trace)
	}

	for _, span := range collector.Spans() {
		require.NotContains(t, span.Name, "healthz")
		require.NotContains(t, span.Name, "readyz")
	}
	s.Stop()
	require.Contains(t, names(collector.Spans()), "POST /user/register/", "the remaining spans are sent at shutdown")
}

func names(spans []processtest.Span) (names []string) {
	for _, span := range spans {
		names = append(names, span.Name)
	}
	return names
}

func TestNothingIsTracedWithoutACollector(t *testing.T) {
	t.Parallel()
	for name, environ := range map[string][]string{
		"no variable": nil,
		"empty":       {"OTEL_EXPORTER_OTLP_ENDPOINT="},
		"turned off":  {"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=true"},
		"none":        {"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_EXPORTER=none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := processtest.StartIn(t, environ, "--data-dir", t.TempDir(), "--log-level", "debug") // that of a read
			processtest.NewClient(s.URL).Must(t, http.StatusOK, "GET", "/v1/trains", nil)
			require.NotContains(t, s.Await(`"route":"/v1/trains"`), "trace_id")
			s.Stop()
			require.NotContains(t, s.Log.String(), "traces were")
		})
	}
}

// The collector accepts connections and never responds.
func TestHangingCollectorLosesTracesOnly(t *testing.T) {
	t.Parallel()
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	s := processtest.StartIn(t, []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + silent.Addr().String(), "OTEL_EXPORTER_OTLP_TIMEOUT=50",
		"OTEL_BSP_SCHEDULE_DELAY=10", "OTEL_BSP_EXPORT_TIMEOUT=200", "OTEL_BSP_MAX_QUEUE_SIZE=4", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1",
	}, "--data-dir", t.TempDir())
	c := processtest.NewClient(s.URL)
	for range 200 {
		c.Must(t, http.StatusOK, "GET", "/v1/trains", nil)
	}
	require.Contains(t, s.Await(`"msg":"traces were lost"`), `"level":"WARN"`)
	begun := time.Now()
	s.Stop()
	require.Less(t, time.Since(begun), 20*time.Second)
	require.LessOrEqual(t, strings.Count(s.Log.String(), `"msg":"traces were lost"`), 2)
}

func TestWrongTraceSettingsAreNamed(t *testing.T) {
	t.Parallel()
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317"}, "OTEL_EXPORTER_OTLP_ENDPOINT is not a URL"},
		{[]string{endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=http/json"}, `OTEL_EXPORTER_OTLP_PROTOCOL "http/json" is not supported`},
		{[]string{endpoint, "OTEL_TRACES_EXPORTER=zipkin"}, `OTEL_TRACES_EXPORTER "zipkin" is not supported`},
	} {
		serve := processtest.Command(t, "serve", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
		serve.Env = append(serve.Env, c.environ...)
		got := processtest.RunToEnd(t, serve)
		require.Equal(t, 2, got.Code)
		require.Contains(t, got.Err, c.want)
	}
}
