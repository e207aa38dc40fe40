package bench_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/check"
	"trainbooking.dev/bench/report"
	"trainbooking.dev/bench/wrk"
)

// warmUp is a run that is not counted, before the first round: it fills pools and caches, and makes
// the service load its trains.
const warmUp = 500 * time.Millisecond

// outcome is what the wrks of one run have measured together.
type outcome struct {
	wrk.Summary
	each []wrk.Summary
	used spent
	// others is the share of the processors that something else used.
	others float64
	acks   []check.Ack
}

// run runs a workload on a server once, and checks what it did.
func (b *bench) run(t *testing.T, w *workload, s *server, duration time.Duration) report.Sample {
	t.Helper()
	f := s.fixtures[w.name]
	from := f.used
	watchers := watch(t, s, f, w.watchers)
	o := b.load(t, w, s, f, duration)
	for i := range o.each {
		f.used = max(f.used, int(o.each[i].Values["used"]))
	}
	require.Empty(t, o.Failed, "%s on %s: connections or requests failed: %s", w.name, s.name, s.tails())
	require.Zero(t, o.Values["unexpected"], "%s on %s: unexpected replies: %s%s", w.name, s.name, o.Unexpected, s.tails())
	answered := o.Requests - o.Values["repeated"]
	require.Positive(t, answered, "%s on %s: no reply, or no seats are left", w.name, s.name)
	switch {
	case s.name == report.Limit: // it sells nothing
	case w.script == "sale.lua":
		require.NotEmpty(t, o.acks, "%s on %s: nothing was sold", w.name, s.name)
		b.checkBookings(t, w, s, o.acks)
	case w.script == "lock.lua":
		b.checkLocks(t, w, s, f, from, o)
	}
	watchers.check(t, int(answered))
	s.emptyLogs(t)
	sample := o.sample()
	sample.Rate *= answered / o.Requests
	return sample
}

// rush sells out a new train.
func (b *bench) rush(t *testing.T, w *workload, s *server, round int) report.Sample {
	t.Helper()
	f := b.prepare(t, s, fmt.Sprintf("%s, round %d", w.name, round), w.trains)
	o := b.load(t, w, s, f, rushTime)
	delete(o.Failed, "status") // 409 is expected, and the script counts what is not
	require.Empty(t, o.Failed, "%s on %s: connections or requests failed: %s", w.name, s.name, s.tails())
	require.Zero(t, o.Values["unexpected"], "%s on %s: unexpected replies: %s%s", w.name, s.name, o.Unexpected, s.tails())
	sample := o.sample()
	sample.Rate = 0
	started, last := math.Inf(1), 0.0
	for i := range o.each {
		v := o.each[i].Values
		require.NotZero(t, v["soldout"], "%s on %s: not sold out within %s", w.name, s.name, rushTime)
		require.Positive(t, v["refusing"], "%s on %s: nothing was refused", w.name, s.name)
		started = min(started, v["started"])
		sample.Rate += v["refusals"] / v["refusing"]
	}
	for _, a := range o.acks {
		if a.Kind == "book" {
			last = max(last, a.Time)
		}
	}
	sample.SoldOut = time.Duration((last - started) * float64(time.Second))
	if s.name != report.Limit {
		requireSoldOut(t, s, f, b.checkBookings(t, w, s, o.acks))
	}
	s.emptyLogs(t)
	return sample
}

// load runs one wrk for each process of a server at the same time, which share the connections.
func (b *bench) load(t *testing.T, w *workload, s *server, f *fixture, duration time.Duration) *outcome {
	t.Helper()
	var loads []wrk.Load
	var ackFiles []string
	clients := min(len(s.urls), w.connections)
	for i := range clients {
		acks := b.file(t, "")
		ackFiles = append(ackFiles, acks)
		loads = append(loads, wrk.Load{
			Folder: b.lua, Script: w.script, URL: s.urls[i], Time: duration,
			Connections: (w.connections + i) / clients,
			Arguments:   b.arguments(w, s, f, i, clients, acks),
		})
	}
	o := &outcome{each: make([]wrk.Summary, clients)}
	errs := make([]error, clients)
	before, began := s.spent(t), time.Now()
	var wait sync.WaitGroup
	for i, l := range loads {
		wait.Go(func() { o.each[i], errs[i] = wrk.Run(t.Context(), l) })
	}
	wait.Wait()
	after, took := s.spent(t), time.Since(began)
	o.used = spent{
		server: after.server - before.server, postgres: after.postgres - before.postgres, redis: after.redis - before.redis,
	}
	for i := range clients {
		require.NoError(t, errs[i], "%s on %s: %s", w.name, s.name, s.tails())
		o.acks = append(o.acks, readAcks(t, ackFiles[i])...)
	}
	o.Summary = wrk.Merge(o.each)
	o.others = share(after.all-before.all-o.used.server-o.used.postgres-o.used.redis-o.CPU, took)
	return o
}

// share returns what part of the time of all processors something has used.
func share(used, took time.Duration) float64 {
	return max(0, float64(used)/float64(time.Duration(runtime.NumCPU())*took))
}

// arguments are those of the scripts (see lua). The number of a request is from f.used on; each of
// several clients has its own.
func (b *bench) arguments(w *workload, s *server, f *fixture, i, clients int, acks string) map[string]any {
	a := map[string]any{
		"tokens": b.tokensFile, "trains": f.trains, "paths": f.paths, "acks": acks,
		"first": f.used + i, "step": clients, "count": w.count, "searches": w.searches,
		"capacity": f.set.capacity, "total": f.set.requests(w.count), "wrap": 0,
		"group": f.set.group, "share": f.set.share,
		"after": min(refusedTime, *runTime).Seconds(), "refused": 409,
	}
	if f.set.share == 0 {
		a["group"], a["share"] = f.set.trains, a["total"]
	}
	if w.script == "rush.lua" {
		a["first"] = i
	}
	if s.name == report.Limit {
		a["wrap"], a["refused"] = 1, 200
	}
	return a
}

func readAcks(t *testing.T, path string) []check.Ack {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	acks, err := check.Read(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.NoError(t, os.Remove(path))
	return acks
}

func (o *outcome) sample() report.Sample {
	each := func(d time.Duration) time.Duration { return time.Duration(float64(d) / o.Requests) }
	rate := 0.0
	for i := range o.each {
		rate += o.each[i].Requests / o.each[i].Time.Seconds()
	}
	return report.Sample{
		Requests: o.Requests, Rate: rate, P50: o.P50, P99: o.P99, Bytes: o.Bytes / o.Requests,
		Server: each(o.used.server), Postgres: each(o.used.postgres), Redis: each(o.used.redis), Wrk: each(o.CPU),
		Others: o.others,
	}
}
