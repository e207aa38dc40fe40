package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/report"
)

func TestQuantilesAreOfAllRequests(t *testing.T) {
	t.Parallel()
	r := &report.Tails{}
	var many, few []time.Duration
	for i := 10_000; i > 0; i-- {
		many = append(many, time.Duration(i)*10*time.Microsecond)
	}
	for i := range 100 {
		few = append(few, time.Duration(i+1)*time.Millisecond)
	}
	r.Add(report.Tail{Workload: "lock", Server: report.PeerA, Rate: 3210, Latencies: many, Others: 0.123})
	r.Add(report.Tail{Workload: "confirm", Server: report.Embedded, Rate: 10, Latencies: few})
	require.Equal(t, `| request | server | requests/s | measured | p50 ms | p99 ms | p99.9 ms | others |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
| lock | peer A | 3,210 | 10,000 | 50.00 | 99.00 | 99.90 | 12 % |
| confirm | embedded | 10 | 100 | 50.00 | 99.00 |  | 0 % |
`, r.Table())
}
