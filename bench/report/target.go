package report

import (
	"fmt"
	"math"
	"strings"
)

// The names of the workloads.
const (
	Search1x100   = "search 1×100"
	Search20x100  = "search 20×100"
	Search20x1000 = "search 20×1,000"
	SearchLocking = "search 20×100, 5 % locks"
	Lock          = "lock, %d connections"
	Sale          = "lock then confirm, %d connections"
	Four          = "four seats together, 32 connections"
	Rush          = "rush, %d connections"
	Mix           = "27 searches a sale, 32 connections"
	Watched       = "lock on one train, %d watchers"
)

// On names a workload with a number of connections or watchers.
func On(workload string, connections int) string { return fmt.Sprintf(workload, connections) }

// target is a ratio to reach.
type target struct {
	text   string
	of, to figure
	want   float64
	most   bool   // the ratio is to be at most want
	best   figure // the highest possible value of of; nil: not known
}

// figure returns a number from a report, NaN if it was not measured.
type figure func(r *Report) float64

func rate(workload, server string) figure {
	return func(r *Report) float64 {
		s, found := r.Find(workload, server)
		if !found {
			return math.NaN()
		}
		return s.Rate
	}
}

// best returns the rate that the clustered service would have if its own code took no more time than the limit, and
// the processors were never idle: its stores, and what sends the requests, need the same processors.
func best(workload string) figure {
	return func(r *Report) float64 {
		limit, measured := r.Find(workload, Limit)
		service, found := r.Find(workload, Clustered)
		if !measured || !found {
			return math.NaN()
		}
		all := limit.Server + service.Postgres + service.Redis + service.Wrk
		return limit.Rate * float64(limit.Server+limit.Wrk) / float64(all)
	}
}

func p50(workload, server string) figure {
	return func(r *Report) float64 {
		s, found := r.Find(workload, server)
		if !found {
			return math.NaN()
		}
		return float64(s.P50)
	}
}

func soldOut(server string) figure {
	return func(r *Report) float64 {
		s, found := r.Find(On(Rush, 500), server)
		if !found {
			return math.NaN()
		}
		return float64(s.SoldOut)
	}
}

// larger and smaller return one of two figures, the one that was measured if only one was.
func larger(a, b figure) figure {
	return func(r *Report) float64 { return either(a(r), b(r), math.Max) }
}

func smaller(a, b figure) figure {
	return func(r *Report) float64 { return either(a(r), b(r), math.Min) }
}

func either(a, b float64, choose func(a, b float64) float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	}
	return choose(a, b)
}

// bestPeer returns the rate of the better peer.
func bestPeer(workload string) figure { return larger(rate(workload, PeerA), rate(workload, PeerB)) }

// targets are those of the first half of the comparison. Without another word, they are of one
// clustered process.
func targets() []target {
	var all []target
	add := func(text string, of, to figure, want float64) {
		all = append(all, target{text: text, of: of, to: to, want: want})
	}
	clustered := func(workload, of string, to figure, want float64) {
		all = append(all, target{text: workload + " / " + of, of: rate(workload, Clustered), to: to, want: want, best: best(workload)})
	}
	atMost := func(text string, of, to figure, want float64) {
		all = append(all, target{text: text, of: of, to: to, want: want, most: true})
	}
	for _, search := range []struct {
		workload string
		peer     float64
	}{{Search1x100, 4}, {Search20x100, 13}, {Search20x1000, 70}} {
		clustered(search.workload, "static reply", rate(search.workload, Limit), 0.9)
		clustered(search.workload, "peer A", rate(search.workload, PeerA), search.peer)
	}
	add(SearchLocking+" / without locks", rate(SearchLocking, Clustered), rate(Search20x100, Clustered), 0.6)
	lock, sale, rush := On(Lock, 32), On(Sale, 32), On(Rush, 500)
	clustered(lock, "limit", rate(lock, Limit), 0.7)
	clustered(lock, "peer B", rate(lock, PeerB), 1.6)
	clustered(On(Lock, 128), "limit", rate(On(Lock, 128), Limit), 0.85)
	clustered(sale, "better peer", bestPeer(sale), 2.2)
	clustered(On(Sale, 128), "better peer", bestPeer(On(Sale, 128)), 2.8)
	clustered(On(Sale, 128), "limit", rate(On(Sale, 128), Limit), 0.7)
	for _, workload := range []string{On(Lock, 2), On(Sale, 2)} {
		atMost(workload+": p50 / better peer's", p50(workload, Clustered),
			smaller(p50(workload, PeerA), p50(workload, PeerB)), 1)
	}
	atMost(rush+": time until sold out / better peer's", soldOut(Clustered), smaller(soldOut(PeerA), soldOut(PeerB)), 0.5)
	add(rush+": locks afterwards / limit", rate(rush, Clustered), rate(rush, Limit), 0.85)
	clustered(Mix, "the same mix of static replies and the limit", rate(Mix, Limit), 0.75)
	add(Four+" / one seat", rate(Four, Clustered), rate(lock, Clustered), 0.8)
	for _, server := range []string{Embedded, Clustered, Three} {
		add(On(Watched, 1000)+" / none: "+server, rate(On(Watched, 1000), server), rate(On(Watched, 0), server), 0.9)
	}
	for _, n := range []int{32, 128} {
		add(On(Lock, n)+": embedded / clustered", rate(On(Lock, n), Embedded), rate(On(Lock, n), Clustered), 0.8)
		add(On(Sale, n)+": embedded / clustered", rate(On(Sale, n), Embedded), rate(On(Sale, n), Clustered), 1)
	}
	for _, workload := range []string{
		Search1x100, Search20x100, Search20x1000, SearchLocking, On(Lock, 2), lock, On(Lock, 128),
		On(Sale, 2), sale, On(Sale, 128), Four, Mix,
	} {
		add(workload+": three processes / one", rate(workload, Three), rate(workload, Clustered), 0.6)
	}
	atMost(rush+": time until sold out, three processes / one", soldOut(Three), soldOut(Clustered), 1/0.6)
	add(rush+": locks afterwards, three processes / one", rate(rush, Three), rate(rush, Clustered), 0.6)
	return all
}

// Targets returns the ratios that were measured, next to those that are possible at best and those to reach.
func (r *Report) Targets() string {
	var b strings.Builder
	b.WriteString("| ratio | measured | at best | target | |\n| --- | ---: | ---: | ---: | --- |\n")
	for _, t := range targets() {
		to := t.to(r)
		got := t.of(r) / to
		if math.IsNaN(got) {
			continue
		}
		sign, reached := "≥", got >= t.want
		if t.most {
			sign, reached = "≤", got <= t.want
		}
		most, possible := "", true
		if t.best != nil {
			if ratio := t.best(r) / to; !math.IsNaN(ratio) {
				most, possible = fmt.Sprintf("%.2f", ratio), ratio >= t.want
			}
		}
		result := "missed"
		switch {
		case reached:
			result = "reached"
		case !possible:
			result = "out of reach"
		}
		fmt.Fprintf(&b, "| %s | %.2f | %s | %s %.2f | %s |\n", t.text, got, most, sign, t.want, result)
	}
	return b.String()
}

// A national railway has so many searches and sales in a second, 27 to one within a percent.
const (
	railwaySearches = 66_667
	railwaySales    = 2_500
	requestsPerSale = 27 + 2
)

// Railway returns how many such cores a national railway would need, "" if the mix was not measured.
func (r *Report) Railway() string {
	s, found := r.Find(Mix, Clustered)
	if !found || s.Requests == 0 {
		return ""
	}
	each := (s.Server + s.Postgres + s.Redis).Seconds()
	return fmt.Sprintf("%s searches/s and %s sales/s would take %.1f such cores (%.0f µs for each of %d requests a sale).",
		thousands(railwaySearches), thousands(railwaySales), each*requestsPerSale*railwaySales, each*1e6, requestsPerSale)
}
