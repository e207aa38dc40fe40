package bench_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/check"
	"trainbooking.dev/bench/cpu"
	"trainbooking.dev/bench/open"
	"trainbooking.dev/bench/report"
)

const (
	// maxTime bounds the run that finds the highest rate.
	maxTime = 3 * time.Second
	// confirmAfter is how long after its lock a seat is confirmed, but no longer than three runs take. A
	// lock that takes longer fails the run.
	confirmAfter = 2 * time.Second
)

// TestTails measures how long the slowest requests take at half the highest rate of each server, in an
// open loop. The highest rate is that of wrk, in the same run.
func TestTails(t *testing.T) { //nolint:paralleltest // it measures
	began := time.Now()
	chosen := tailWorkloads(t)
	b := newBench(t, chosen)
	tails, lines := &report.Tails{}, strings.Join(machine(t), "\n")
	t.Cleanup(func() { // what was measured before a failure is printed too
		t.Logf("\n%s\n\n%s\n%s", lines, tails.Table(), time.Since(began).Round(time.Second))
	})
	for i := range chosen {
		w, highest := &chosen[i], 0.0
		b.prepareAll(t, w)
		for _, s := range limitLast(b.servers) {
			t.Run(w.name+"/"+s.name, func(t *testing.T) {
				// The limit has the rate of the fastest: what it adds is the generator's.
				rate := highest
				if s.name != report.Limit || rate == 0 {
					b.run(t, w, s, min(maxTime, *runTime)) // it makes the service load all trains
					rate = b.run(t, w, s, min(maxTime, *runTime)).Rate / 2
				}
				highest = max(highest, rate)
				tails.Add(b.tail(t, w, s, rate))
			})
		}
	}
}

// tailWorkloads are the locks and the sales of the comparison with the most connections.
func tailWorkloads(t *testing.T) []workload {
	t.Helper()
	name, server := regexp.MustCompile(*workloads), regexp.MustCompile(*only)
	chosen := slices.DeleteFunc(allWorkloads(2*maxTime+*runTime), func(w workload) bool {
		return w.name != report.On(report.Lock, 128) && w.name != report.On(report.Sale, 128) || !name.MatchString(w.name)
	})
	require.NotEmpty(t, chosen, "no tails are measured of a workload that matches %s: leave WORKLOAD out, or set it to '^lock,'", *workloads)
	for i := range chosen {
		chosen[i].servers = slices.DeleteFunc(slices.Clone(chosen[i].servers), func(s string) bool {
			return s == report.Three || !server.MatchString(s)
		})
	}
	return chosen
}

func limitLast(servers []*server) []*server {
	isLimit := func(s *server) bool { return s.name == report.Limit }
	i := slices.IndexFunc(servers, isLimit)
	if i < 0 {
		return servers
	}
	return append(slices.DeleteFunc(slices.Clone(servers), isLimit), servers[i])
}

// tail sends locks at a rate, or in turn the lock of one seat and the confirmation of another, and
// returns the latencies of the locks or of the confirmations. It requires that what was acknowledged
// is true.
func (b *bench) tail(t *testing.T, w *workload, s *server, rate float64) report.Tail {
	t.Helper()
	every := time.Duration(float64(time.Second) / rate)
	n := int(*runTime / every)
	f := s.fixtures[w.name]
	from, sale := f.used, w.script == "sale.lua"
	request := func(i int) open.Request { return b.lockRequest(s, f, from+i) }
	ahead, locks := 0, n
	if sale {
		ahead, locks = int(min(confirmAfter, 3**runTime)/every)/2+1, n/2+1
		b.lockAhead(t, s, f, from, ahead)
		request = func(i int) open.Request {
			if i%2 == 0 {
				return b.lockRequest(s, f, from+ahead+i/2)
			}
			return b.confirmRequest(s, f, from+i/2)
		}
	}
	f.used += ahead + locks
	if s.name != report.Limit {
		require.LessOrEqual(t, f.used, f.set.requests(1), "%s on %s: no seats are left; choose a shorter TIME", w.name, s.name)
	}
	others := b.measureOthers(t, s)
	latencies, err := open.Run(t.Context(), n, every, request)
	require.NoError(t, err, "%s on %s at %.0f requests/s, which it does not stand if others use the machine: %s", w.name, s.name, rate, s.tails())
	tail := report.Tail{Workload: "lock", Server: s.name, Rate: rate, Others: others()}
	switch {
	case sale:
		tail.Workload = "confirm"
		for i := 1; i < n; i += 2 {
			tail.Latencies = append(tail.Latencies, latencies[i])
		}
	default:
		tail.Latencies = latencies
	}
	if s.name != report.Limit { // it sells nothing
		b.checkTail(t, w, s, f, from, n)
	}
	s.emptyLogs(t)
	return tail
}

// checkTail requires that the seats of n requests have the owners that were told so.
func (b *bench) checkTail(t *testing.T, w *workload, s *server, f *fixture, from, n int) {
	t.Helper()
	if w.script == "sale.lua" {
		var acks []check.Ack
		for i := range n / 2 {
			train, seat, user := f.seat(from+i, 1)
			acks = append(acks, check.Ack{Kind: "book", User: user + 1, Seat: f.ids[train].Seat(seat).String()})
		}
		b.checkBookings(t, w, s, acks)
		return
	}
	var sample []int
	for i := 0; i < n; i += 1 + n/(10*lockSamples) {
		sample = append(sample, from+i)
	}
	b.requireLocked(t, w, s, f, sample, 0)
}

func (b *bench) lockRequest(s *server, f *fixture, number int) open.Request {
	train, seat, user := f.seat(number%f.set.requests(1), 1)
	return open.Request{URL: s.urls[0] + lockPath, Token: b.tokens[user], Body: lockBody(f.ids[train], seat)}
}

func (b *bench) confirmRequest(s *server, f *fixture, number int) open.Request {
	train, seat, user := f.seat(number%f.set.requests(1), 1)
	return open.Request{
		URL: s.urls[0] + confirmPath, Token: b.tokens[user], Body: fmt.Sprintf(`{"seat_id":%q}`, f.ids[train].Seat(seat)),
	}
}

// lockAhead locks the seats that the first confirmations are for.
func (b *bench) lockAhead(t *testing.T, s *server, f *fixture, from, count int) {
	t.Helper()
	eachOf(t, make([]struct{}, count), func(i int, _ struct{}) error {
		r := b.lockRequest(s, f, from+i)
		status, reply, err := send(t.Context(), http.MethodPost, r.URL, r.Token, []byte(r.Body))
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s on %s: %d %s", r.Body, s.name, status, reply)
		}
		return err
	})
}

// measureOthers returns a function that returns the share of the processors that neither a server nor
// this process has used since.
func (b *bench) measureOthers(t *testing.T, s *server) func() float64 {
	t.Helper()
	spent := func() time.Duration {
		used := s.spent(t)
		own, err := cpu.Of(os.Getpid())
		require.NoError(t, err)
		return used.all - used.server - used.postgres - used.redis - own
	}
	before, began := spent(), time.Now()
	return func() float64 { return share(spent()-before, time.Since(began)) }
}
