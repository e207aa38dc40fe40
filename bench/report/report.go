// Package report has the results of a comparison, as JSON and as two tables in Markdown: what was
// measured, and the ratios next to those that are to be reached.
package report

import (
	"cmp"
	"slices"
	"time"
)

// The servers that are compared, in the order of a round.
const (
	Limit     = "limit"
	PeerA     = "peer A"
	PeerB     = "peer B"
	Embedded  = "embedded"
	Clustered = "clustered"
	Three     = "three processes"
)

// Servers are all of them.
var Servers = []string{Limit, PeerA, PeerB, Embedded, Clustered, Three}

// Report is one comparison.
type Report struct {
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"`
	Command string        `json:"command"`
	// Machine and Settings are lines for people: processors, versions, and how durable each store is.
	Machine  []string `json:"machine"`
	Settings []string `json:"settings"`
	Results  []Result `json:"results"`
}

// Result is a workload on a server, with a sample for each round.
type Result struct {
	Workload string   `json:"workload"`
	Server   string   `json:"server"`
	Samples  []Sample `json:"samples"`
}

// Sample is what one run measured.
type Sample struct {
	Requests float64 `json:"requests"`
	Rate     float64 `json:"requests_per_second"`
	// SoldOut is how long a rush took, zero for other workloads. The other figures of a rush are those
	// of the whole run, but for Rate, which is that after the train was sold out.
	SoldOut  time.Duration `json:"sold_out_ns,omitzero"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
	Bytes    float64       `json:"bytes_per_reply"`
	Server   time.Duration `json:"server_cpu_per_request_ns"`
	Postgres time.Duration `json:"postgres_cpu_per_request_ns"`
	Redis    time.Duration `json:"redis_cpu_per_request_ns"`
	Wrk      time.Duration `json:"wrk_cpu_per_request_ns"`
	// Others is the share of the machine's processors that none of the above have used, but for idle
	// time: of 0.2 and more, the rates are not to be trusted.
	Others float64 `json:"used_by_others"`
}

// Add adds the sample of a run.
func (r *Report) Add(workload, server string, s Sample) {
	for i := range r.Results {
		if found := &r.Results[i]; found.Workload == workload && found.Server == server {
			found.Samples = append(found.Samples, s)
			return
		}
	}
	r.Results = append(r.Results, Result{workload, server, []Sample{s}})
}

// Find returns the medians of a workload on a server.
func (r *Report) Find(workload, server string) (Sample, bool) {
	for _, found := range r.Results {
		if found.Workload == workload && found.Server == server {
			return found.Median(), true
		}
	}
	return Sample{}, false
}

// Median returns the median of each figure.
func (r *Result) Median() Sample {
	return Sample{
		Requests: median(r.Samples, func(s Sample) float64 { return s.Requests }),
		Rate:     median(r.Samples, func(s Sample) float64 { return s.Rate }),
		SoldOut:  median(r.Samples, func(s Sample) time.Duration { return s.SoldOut }),
		P50:      median(r.Samples, func(s Sample) time.Duration { return s.P50 }),
		P99:      median(r.Samples, func(s Sample) time.Duration { return s.P99 }),
		Bytes:    median(r.Samples, func(s Sample) float64 { return s.Bytes }),
		Server:   median(r.Samples, func(s Sample) time.Duration { return s.Server }),
		Postgres: median(r.Samples, func(s Sample) time.Duration { return s.Postgres }),
		Redis:    median(r.Samples, func(s Sample) time.Duration { return s.Redis }),
		Wrk:      median(r.Samples, func(s Sample) time.Duration { return s.Wrk }),
		Others:   median(r.Samples, func(s Sample) float64 { return s.Others }),
	}
}

// median returns the middle value, or the mean of the two in the middle.
func median[T interface{ ~int64 | ~float64 }](samples []Sample, value func(Sample) T) T {
	values := sorted(samples, value)
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

func sorted[T cmp.Ordered](samples []Sample, value func(Sample) T) []T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = value(s)
	}
	slices.Sort(values)
	return values
}
