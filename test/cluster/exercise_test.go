package cluster_test

import (
	"sync"
	"testing"

	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
)

// Three processes behind a round-robin balancer pass the same suite as a single process.
func TestThreeProcessesPassTheSuiteOfAService(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	services := map[booking.HoldRules]booking.Service{}
	bookingtest.Exercise(t, func(_ *testing.T, rules booking.HoldRules) booking.Service {
		mu.Lock()
		defer mu.Unlock()
		if services[rules] == nil {
			services[rules] = startCluster(t, 3, "--hold-ttl", rules.TTL.String(), "--rehold-pause", "0").service
		}
		return services[rules]
	})
}
