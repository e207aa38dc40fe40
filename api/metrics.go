package api

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics counts requests. The number of label values is bounded: routes come from the
// route table, methods from a fixed set, statuses from the responses.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	events   prometheus.Counter
	dropped  prometheus.Counter
}

func newMetrics(registry *prometheus.Registry, watchers *atomic.Int64) (*metrics, error) {
	const namespace, subsystem = "trainbooking", "http"
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "requests_total",
			Help: "Finished requests by status; 499 is a client that closed its connection.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "request_duration_seconds",
			Help:    "Time from the header of a request to the end of its response.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "requests_in_flight",
			Help: "Requests in progress, except the streams of watchers.",
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "watch_events_total",
			Help: "Events and heartbeats sent to clients that watch the seats of a train.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "watchers_dropped_total",
			Help: "Watchers whose connection was closed because they did not read.",
		}),
	}
	watching := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "watchers", Help: "Clients that watch the seats of a train.",
	}, func() float64 { return float64(watchers.Load()) })
	for _, collector := range []prometheus.Collector{m.requests, m.seconds, m.inFlight, m.events, m.dropped, watching} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register the HTTP metrics: %w", err)
		}
	}
	return m, nil
}

// observe counts a request. The duration of a stream depends on the client and is not observed.
func (m *metrics) observe(method string, r *requestRecord, status int, took time.Duration) {
	method, route := methodLabel(method), r.pattern()
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	if r.streamed {
		return
	}
	m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
}

// methodLabel returns "other" for unknown methods, because a client may send any word.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// OperationsHandler serves /metrics and, if profiles is true, net/http/pprof under
// /debug/pprof/. Serve it on a port that clients cannot reach.
func (s *Server) OperationsHandler(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	if profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}
