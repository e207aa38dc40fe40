package actors

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the figures of the actor system. Label values are fixed in the code.
type metrics struct {
	activations *prometheus.CounterVec // result: ok, error
	expired     prometheus.Counter
	overloaded  prometheus.Counter
	takeover    prometheus.Histogram
	fenced      prometheus.Counter
	retries     prometheus.Counter
	leases      *prometheus.CounterVec   // event: acquired, lost, overdue
	batchSize   *prometheus.HistogramVec // writer: holds, bookings
	queueAge    *prometheus.HistogramVec
	writeTime   *prometheus.HistogramVec
}

// writerMetrics takes the figures of one flush: its size, the age of its oldest item
// when it was sent, and how long the store took.
type writerMetrics func(size int, age, took time.Duration)

func newMetrics(registry prometheus.Registerer, p *placement) *metrics {
	auto := promauto.With(registry)
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trainbooking_trains_active", Help: "Trains with an actor in this process.",
	}, func() float64 { return float64(p.count()) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trainbooking_trains_owned", Help: "Trains whose lease this process has; without a cluster, those that are active.",
	}, func() float64 { return float64(p.owned()) })
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trainbooking_members", Help: "Processes of the cluster that this one knows, itself among them.",
	}, func() float64 { return float64(p.system.cluster.count()) })
	writer := []string{"writer"}
	return &metrics{
		activations: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "trainbooking_train_activations_total", Help: "Trains loaded from the stores.",
		}, []string{"result"}),
		expired: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_holds_expired_total", Help: "Holds that reached their deadline.",
		}),
		overloaded: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_train_overloaded_total", Help: "Commands refused because too many waited for the train.",
		}),
		takeover: auto.NewHistogram(prometheus.HistogramOpts{
			Name: "trainbooking_takeover_seconds", Help: "Time from the start of an activation until it serves.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		fenced: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_writes_fenced_total", Help: "Writes refused because another activation owned the train.",
		}),
		retries: auto.NewCounter(prometheus.CounterOpts{
			Name: "trainbooking_ask_retries_total", Help: "Attempts that were asked again: the train was moving, or its owner gone.",
		}),
		leases: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "trainbooking_leases_total", Help: "What became of leases: acquired, lost to somebody else, overdue because Redis did not answer.",
		}, []string{"event"}),
		batchSize: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trainbooking_batch_size", Help: "Items written in one flush.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}, writer),
		queueAge: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trainbooking_batch_queue_age_seconds", Help: "Age of the oldest item of a flush when it was sent.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, writer),
		writeTime: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trainbooking_batch_write_seconds", Help: "Time that the store took for a flush.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, writer),
	}
}

func (m *metrics) activated(err error, took time.Duration) {
	result := "ok"
	if err == nil {
		m.takeover.Observe(took.Seconds())
	}
	if err != nil {
		result = "error"
	}
	m.activations.WithLabelValues(result).Inc()
}

func (m *metrics) writer(name string) writerMetrics {
	size, age, took := m.batchSize.WithLabelValues(name), m.queueAge.WithLabelValues(name), m.writeTime.WithLabelValues(name)
	return func(n int, waited, wrote time.Duration) {
		size.Observe(float64(n))
		age.Observe(waited.Seconds())
		took.Observe(wrote.Seconds())
	}
}
