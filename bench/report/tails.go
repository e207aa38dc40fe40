package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tail is the latencies of requests that were sent at a constant rate.
type Tail struct {
	Workload, Server string
	Rate             float64 // of all requests
	Latencies        []time.Duration
	Others           float64 // as of a Sample
}

// Tails are all that were measured.
type Tails struct{ all []Tail }

// Add adds one.
func (r *Tails) Add(t Tail) {
	slices.Sort(t.Latencies)
	r.all = append(r.all, t)
}

// quantile returns the smallest latency that so many of 1,000 requests did not exceed.
func (t *Tail) quantile(of1000 int) time.Duration {
	if len(t.Latencies) == 0 {
		return 0
	}
	return t.Latencies[(len(t.Latencies)*of1000+999)/1000-1]
}

// Table returns a row for each, in Markdown. The last quantile is empty if fewer than ten requests
// were slower.
func (r *Tails) Table() string {
	var b strings.Builder
	b.WriteString("| request | server | requests/s | measured | p50 ms | p99 ms | p99.9 ms | others |\n")
	b.WriteString("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for i := range r.all {
		t := &r.all[i]
		last := ""
		if len(t.Latencies) >= 10_000 {
			last = milliseconds(t.quantile(999))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %.0f %% |\n", t.Workload, t.Server, thousands(t.Rate),
			thousands(float64(len(t.Latencies))), milliseconds(t.quantile(500)), milliseconds(t.quantile(990)), last, t.Others*100)
	}
	return b.String()
}
