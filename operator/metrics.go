package operator

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"trainbooking.dev/operator/v1alpha1"
)

// The metrics beside those of controller-runtime.
var (
	trainsByReason = promauto.With(metrics.Registry).NewGaugeVec(prometheus.GaugeOpts{
		Name: "trainbooking_operator_trains",
		Help: "Train resources by the reason of their Ready condition, at the last resync.",
	}, []string{"reason"})
	lastResync = promauto.With(metrics.Registry).NewGauge(prometheus.GaugeOpts{
		Name: "trainbooking_operator_last_resync_timestamp_seconds",
		Help: "Unix time of the last comparison of the service's trains with all Train resources.",
	})
	resyncSeconds = promauto.With(metrics.Registry).NewGauge(prometheus.GaugeOpts{
		Name: "trainbooking_operator_last_resync_seconds",
		Help: "Duration of the last resync.",
	})
)

// countReasons sets trainsByReason.
func countReasons(trains []v1alpha1.Train) {
	counts := map[string]int{}
	for i := range trains {
		counts[readyCondition(&trains[i]).Reason]++
	}
	trainsByReason.Reset()
	for reason, n := range counts {
		trainsByReason.WithLabelValues(reason).Set(float64(n))
	}
}
