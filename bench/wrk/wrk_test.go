package wrk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/wrk"
)

const output = `Running 2s test @ http://127.0.0.1:8080
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
  2400 requests in 2.00s, 1.20MB read
Requests/sec:   1200.00
unexpected	503	lock	{"code":"unavailable"}

summary requests=2400.000000 bytes=1200000.000000 microseconds=2000000.000000 p50=1500.000000 p99=20000.000000 ` +
	`connect=0.000000 read=0.000000 write=0.000000 status=3.000000 timeout=0.000000 used=17.000000
`

func TestSummaryIsRead(t *testing.T) {
	t.Parallel()
	s, err := wrk.Parse(output)
	require.NoError(t, err)
	require.Equal(t, wrk.Summary{
		Requests: 2400, Bytes: 1_200_000, Time: 2 * time.Second,
		P50: 1500 * time.Microsecond, P99: 20 * time.Millisecond,
		Failed: map[string]float64{"status": 3}, Values: map[string]float64{"used": 17},
		Unexpected: "503\tlock\t{\"code\":\"unavailable\"}\n",
	}, s)
}

func TestOutputWithoutSummaryIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "unable to connect to 127.0.0.1:1 Connection refused\n", "lock.lua:3: attempt to index a nil value\n",
		"summary requests=2 bytes=3\n", "summary requests=two\n",
	} {
		_, err := wrk.Parse(text)
		require.Error(t, err, text)
	}
}

func TestSumOfSeveralRuns(t *testing.T) {
	t.Parallel()
	sum := wrk.Merge([]wrk.Summary{
		{Requests: 100, Time: time.Second, P50: 10 * time.Millisecond, P99: 40 * time.Millisecond, Failed: map[string]float64{"read": 1}},
		{Requests: 300, Time: 2 * time.Second, P50: 2 * time.Millisecond, P99: 30 * time.Millisecond, Values: map[string]float64{"sales": 5}},
	})
	require.Equal(t, wrk.Summary{
		Requests: 400, Time: 2 * time.Second, P50: 4 * time.Millisecond, P99: 40 * time.Millisecond,
		Failed: map[string]float64{"read": 1}, Values: map[string]float64{"sales": 5},
	}, sum)
}

func TestRunWithoutServerIsAnError(t *testing.T) {
	t.Parallel()
	_, err := wrk.Run(t.Context(), wrk.Load{
		Folder: "../lua", Script: "search.lua", URL: "http://127.0.0.1:1", Connections: 1, Time: time.Second,
		Arguments: map[string]any{"paths": "/dev/null"},
	})
	require.Error(t, err)
}
