package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/report"
)

func sampleOf(rate float64, soldOut time.Duration) report.Sample {
	return report.Sample{
		Requests: 100, Rate: rate, SoldOut: soldOut, P50: 1500 * time.Microsecond, P99: 20 * time.Millisecond,
		Bytes: 326, Server: 62_400, Wrk: 24_300, Others: 0.05,
	}
}

func TestTableHasMediansAndSpread(t *testing.T) {
	t.Parallel()
	r := &report.Report{}
	for _, rate := range []float64{3000, 1000, 12_345_678} {
		r.Add("lock", report.Limit, sampleOf(rate, 0))
	}
	r.Add(report.On(report.Rush, 500), report.PeerA, sampleOf(10, 900*time.Millisecond))
	r.Add(report.On(report.Rush, 500), report.PeerA, sampleOf(20, 1100*time.Millisecond))
	require.Equal(t, `| workload | server | median | spread | p50 ms | p99 ms | server µs | Postgres µs | Redis µs | wrk µs | others | bytes |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| lock | limit | 3,000/s | 1,000–12,345,678 | 1.50 | 20.00 | 62.4 |  |  | 24.3 | 5 % | 326 |
| rush, 500 connections: sold out after | peer A | 1.00 s | 0.90–1.10 | | | | | | | | |
| rush, 500 connections | peer A | 15/s | 10–20 | 1.50 | 20.00 | 62.4 |  |  | 24.3 | 5 % | 326 |
`, r.Table())
}

func TestRatiosAreComparedWithTargets(t *testing.T) {
	t.Parallel()
	r := &report.Report{}
	lock := report.On(report.Lock, 32)
	r.Add(lock, report.Limit, sampleOf(10_000, 0))
	r.Add(lock, report.PeerB, sampleOf(6_000, 0))
	clustered := sampleOf(7_500, 0)
	clustered.Redis = 40_000
	r.Add(lock, report.Clustered, clustered)
	r.Add(report.On(report.Rush, 500), report.PeerA, sampleOf(1, 3*time.Second))
	r.Add(report.On(report.Rush, 500), report.PeerB, sampleOf(1, 2*time.Second))
	r.Add(report.On(report.Rush, 500), report.Clustered, sampleOf(1, time.Second))
	require.Equal(t, `| ratio | measured | at best | target | |
| --- | ---: | ---: | ---: | --- |
| lock, 32 connections / limit | 0.75 | 0.68 | ≥ 0.70 | reached |
| lock, 32 connections / peer B | 1.25 | 1.14 | ≥ 1.60 | out of reach |
| rush, 500 connections: time until sold out / better peer's | 0.50 |  | ≤ 0.50 | reached |
`, r.Targets())
}

func TestRailwayIsTheCostOfTheMix(t *testing.T) {
	t.Parallel()
	r := &report.Report{}
	require.Empty(t, r.Railway())
	s := sampleOf(1, 0)
	s.Server, s.Postgres, s.Redis = 90*time.Microsecond, 8*time.Microsecond, 2*time.Microsecond
	r.Add(report.Mix, report.Clustered, s)
	require.Contains(t, r.Railway(), "would take 7.3 such cores (100 µs")
}
