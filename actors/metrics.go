package actors

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"trainbooking.dev/actors/activation"
)

// metrics are the metrics of a System. All label values are constants.
type metrics struct {
	activations  *prometheus.CounterVec // result: ok, error
	expired      prometheus.Counter
	overloaded   prometheus.Counter
	takeover     prometheus.Histogram
	fenced       prometheus.Counter
	events       *prometheus.CounterVec // event: activation.Occurrence
	retries      prometheus.Counter
	late         prometheus.Counter
	leases       *prometheus.CounterVec   // event: acquired, lost, overdue
	dependencies *prometheus.GaugeVec     // dependency: store, cluster
	batchSize    *prometheus.HistogramVec // writer: holds, bookings
	queueAge     *prometheus.HistogramVec
	writeTime    *prometheus.HistogramVec
	locked       *prometheus.CounterVec
}

// writerMetrics observes a flush.
type writerMetrics func(flushed)

// flushed is a flush: its size, how many of its items met a lock, the age of its oldest item at its
// start, and its duration.
type flushed struct {
	size, locked int
	age, took    time.Duration
}

func newMetrics(registry prometheus.Registerer, as *activations) *metrics {
	auto := promauto.With(registry)
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trainbooking_trains_active", Help: "Trains that are active in this process.",
	}, func() float64 { return float64(as.count()) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trainbooking_trains_owned", Help: "Trains whose lease this process holds; without a cluster, the active trains.",
	}, func() float64 { return float64(as.system.cluster.Leases()) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trainbooking_members", Help: "Members of the cluster as seen by this process, itself included.",
	}, func() float64 { return float64(as.system.cluster.Members()) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trainbooking_departures_unsettled", Help: "Departures that do not follow the latest change of their schedule yet.",
	}, func() float64 { return float64(len(as.system.catalogue.allUnsettled(time.Now()))) })
	writer := []string{"writer"}
	return &metrics{
		activations: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "trainbooking_train_activations_total", Help: "Activations of trains by result: ok or error.",
		}, []string{"result"}),
		dependencies: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "trainbooking_dependency_up", Help: "1 if this process can reach the store or the cluster's heartbeats, otherwise 0.",
		}, []string{"dependency"}),
		expired: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_holds_expired_total", Help: "Holds that expired.",
		}),
		overloaded: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_train_overloaded_total", Help: "Requests refused because the backlog of the train was full.",
		}),
		takeover: auto.NewHistogram(prometheus.HistogramOpts{
			Name: "trainbooking_takeover_seconds", Help: "Time from the start of an activation until it serves requests.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		fenced: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_writes_fenced_total", Help: "Writes refused because another activation owned the train.",
		}),
		events: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "trainbooking_activation_events_total", Help: "Rare events of activations, by event: fenced, unknown, resolved, conflict, lasting_conflict, takeover_during_confirm, hold_stored_again, inconsistent.",
		}, []string{"event"}),
		retries: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_ask_retries_total", Help: "Attempts of requests that were repeated, because the train was moving or its owner did not respond.",
		}),
		late: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_late_requests_total", Help: "Requests of peers refused because they were delivered after they had timed out.",
		}),
		leases: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "trainbooking_leases_total", Help: "Lease events: acquired, lost (not held at renewal), overdue (expired because Redis did not respond).",
		}, []string{"event"}),
		batchSize: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trainbooking_batch_size", Help: "Items written in one flush.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}, writer),
		queueAge: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trainbooking_batch_queue_age_seconds", Help: "Age of the oldest item at the start of a flush.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, writer),
		writeTime: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trainbooking_batch_write_seconds", Help: "Duration of a flush.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, writer),
		locked: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "trainbooking_batch_locked_total", Help: "Attempts to write an item while somebody else had locked its train.",
		}, writer),
	}
}

func (m *metrics) activated(err error, took time.Duration) {
	result := "error"
	if err == nil {
		m.takeover.Observe(took.Seconds())
		result = "ok"
	}
	m.activations.WithLabelValues(result).Inc()
}

// occurred counts an occurrence in an activation that began some time ago.
func (m *metrics) occurred(r activation.Report, ago time.Duration) {
	switch r.Occurrence {
	case activation.Expired:
		m.expired.Add(float64(r.Count))
		return
	case activation.NotLoaded:
		m.activated(r.Err, ago)
		return
	case activation.Fenced:
		m.fenced.Inc()
	default:
	}
	m.events.WithLabelValues(string(r.Occurrence)).Add(float64(r.Count))
}

func (m *metrics) writer(name string) writerMetrics {
	size, age, took := m.batchSize.WithLabelValues(name), m.queueAge.WithLabelValues(name), m.writeTime.WithLabelValues(name)
	locked := m.locked.WithLabelValues(name)
	return func(f flushed) {
		size.Observe(float64(f.size))
		locked.Add(float64(f.locked))
		age.Observe(f.age.Seconds())
		took.Observe(f.took.Seconds())
	}
}
