//go:build chaos

package chaos_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trainbooking.dev/test/traffic/history"
)

// report prints the statistics of the run, and fails the test if they violate a bound.
func (r *run) report(h *history.History, found history.Findings) {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("\nseed %d, %.1f minutes, %d restarts of evicted processes", *seed, r.Now().Minutes(), r.restarts)
	count := countOperations(h, line)
	r.countFaults(line)
	r.countRareStates(line)
	r.countTakeovers(line)
	r.countFailures(h, line)
	r.countRefusals(h, line)
	line("checker: %d seats in %s, the longest %s", found.Registers, found.Took.Round(time.Millisecond), found.Longest.Round(time.Millisecond))
	r.t.Log(out.String())
	if float64(count) < operationsPerMinute**minutes {
		r.t.Errorf("only %d operations", count)
	}
	if float64(len(r.faults)) < faultsPerMinute**minutes {
		r.t.Errorf("only %d faults", len(r.faults))
	}
}

func countOperations(h *history.History, line func(string, ...any)) (count int) {
	results := map[history.Kind]map[history.Result]int{}
	for _, o := range h.Operations {
		if results[o.Kind] == nil {
			results[o.Kind] = map[history.Result]int{}
		}
		results[o.Kind][o.Result]++
		count++
	}
	line("%d operations:", count)
	for _, kind := range slices.Sorted(maps.Keys(results)) {
		var parts []string
		for _, result := range slices.Sorted(maps.Keys(results[kind])) {
			parts = append(parts, fmt.Sprintf("%s %d", result, results[kind][result]))
		}
		line("  %-13s %s", kind, strings.Join(parts, ", "))
	}
	return count
}

func (r *run) countFaults(line func(string, ...any)) {
	counts := map[string]int{}
	for _, f := range r.faults {
		counts[f.name]++
	}
	line("%d faults:", len(r.faults))
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		line("  %d × %s", counts[kind], kind)
	}
}

// countTakeovers prints how long trains did not respond after a single fault of their owner,
// and fails the test if that is longer than I7 allows.
func (r *run) countTakeovers(line func(string, ...any)) {
	var all []time.Duration
	byKind := map[string][]time.Duration{}
	for i, f := range r.faults {
		if !f.single {
			continue
		}
		end := f.ended + recovery
		if i+1 < len(r.faults) {
			end = min(end, r.faults[i+1].began)
		}
		for _, train := range f.lost {
			last, longest := f.began, time.Duration(0)
			for _, response := range append(slices.Sorted(slices.Values(r.probes[train.ID])), end) {
				if response >= f.began && response <= end {
					longest = max(longest, response-last)
					last = response
				}
			}
			all = append(all, longest)
			byKind[f.name] = append(byKind[f.name], longest)
		}
	}
	if len(all) == 0 {
		line("no takeovers")
		return
	}
	line("takeovers: %s", percentiles(all))
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		line("  %-18s %s", kind, percentiles(byKind[kind]))
	}
	if p99 := at(all, 99); p99 > takeover {
		r.t.Errorf("I7: p99 of the time until a train is served again is %s", p99)
	}
}

func percentiles(all []time.Duration) string {
	return fmt.Sprintf("%d, p50 %s, p99 %s, max %s", len(all), at(all, 50), at(all, 99), at(all, 100))
}

// at returns a percentile by nearest rank. p99 of fewer than 100 values is the largest.
func at(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[(len(all)*percent+99)/100-1].Round(time.Millisecond)
}

// countFailures prints the number of failed requests. It fails the test if any failed later than
// recovery after a fault (I7).
func (r *run) countFailures(h *history.History, line func(string, ...any)) {
	inside, outside := 0, 0
	for _, o := range h.Operations {
		if !o.Failed() {
			continue
		}
		if slices.ContainsFunc(r.faults, func(f fault) bool {
			return !f.harmless && o.Return >= f.began && o.Call <= f.ended+recovery
		}) {
			inside++
			continue
		}
		outside++
		if outside <= 20 {
			r.t.Errorf("I7: at %.3fs, without a fault, %s failed: %s", o.Call.Seconds(), o.Kind, o.Detail)
		}
	}
	line("failed requests: %d during faults and %s after each, %d at other times", inside, recovery, outside)
}

// countRefusals prints the results of the requests during each kind of single fault that
// refuses requests. It fails the test if a result contradicts the kind.
func (r *run) countRefusals(h *history.History, line func(string, ...any)) {
	failed := map[*kind]map[history.Result]int{}
	for _, f := range r.faults {
		if !f.single || !f.refuses {
			continue
		}
		if failed[f.kind] == nil {
			failed[f.kind] = map[history.Result]int{}
		}
		for _, o := range h.Operations {
			if o.Call < f.began || o.Return > f.ended {
				continue
			}
			failed[f.kind][o.Result]++
			if f.definite && o.Result == history.Unknown {
				r.t.Errorf("at %.3fs, %s: the outcome of %s is unknown: %s", o.Call.Seconds(), f.name, o.Kind, o.Detail)
			}
		}
	}
	for k, results := range failed {
		line("during %s: %d not executed, %d unknown, %d done",
			k.name, results[history.NotExecuted], results[history.Unknown], results[history.Done])
		if results[history.NotExecuted] == 0 {
			r.t.Errorf("%s: no request was refused", k.name)
		}
	}
}
