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
		Help: "Train resources by the reason of their Ready condition, Suspended or OtherService, at the last resync.",
	}, []string{"reason"})
	schedulesByReason = promauto.With(metrics.Registry).NewGaugeVec(prometheus.GaugeOpts{
		Name: "trainbooking_operator_schedules",
		Help: "TrainSchedule resources by the reason of their Ready condition, Suspended or OtherService, at the last resync.",
	}, []string{"reason"})
	lastResync = promauto.With(metrics.Registry).NewGauge(prometheus.GaugeOpts{
		Name: "trainbooking_operator_last_resync_timestamp_seconds",
		Help: "Unix time of the last comparison of the service's trains and schedules with all resources.",
	})
	resyncSeconds = promauto.With(metrics.Registry).NewGauge(prometheus.GaugeOpts{
		Name: "trainbooking_operator_last_resync_seconds",
		Help: "Duration of the last resync.",
	})
)

// metricReason returns the reason of Ready, or Suspended, because a suspended resource needs no attention
// whatever its Ready condition is.
func (c common) metricReason() string {
	if c.suspend {
		return v1alpha1.ReasonSuspended
	}
	return c.readyCondition().Reason
}

// setReasons sets the metric of a kind: the number of its resources by reason.
func setReasons(noun string, counts map[string]int) {
	gauge := trainsByReason
	if noun == "schedule" {
		gauge = schedulesByReason
	}
	gauge.Reset()
	for reason, n := range counts {
		gauge.WithLabelValues(reason).Set(float64(n))
	}
}
