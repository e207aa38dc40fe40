package operator

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"trainbooking.dev/operator/v1alpha1"
)

// What is counted beside what controller-runtime counts.
var (
	trainsByReason = promauto.With(metrics.Registry).NewGaugeVec(prometheus.GaugeOpts{
		Name: "trainbooking_operator_trains",
		Help: "Train resources by the reason of their condition Ready, at the last resync.",
	}, []string{"reason"})
	lastResync = promauto.With(metrics.Registry).NewGauge(prometheus.GaugeOpts{
		Name: "trainbooking_operator_last_resync_timestamp_seconds",
		Help: "When all trains of the service were last compared with all resources.",
	})
	resyncSeconds = promauto.With(metrics.Registry).NewGauge(prometheus.GaugeOpts{
		Name: "trainbooking_operator_last_resync_seconds",
		Help: "How long that took.",
	})
)

// countReasons counts the Trains anew.
func countReasons(trains []v1alpha1.Train) {
	counts := map[string]int{}
	for i := range trains {
		counts[reasonOf(&trains[i])]++
	}
	trainsByReason.Reset()
	for reason, n := range counts {
		trainsByReason.WithLabelValues(reason).Set(float64(n))
	}
}
