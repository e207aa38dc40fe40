package simulate_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/test/simulate"
)

var (
	// With the race detector, these runs take half a minute. make mutants runs 999 without it.
	seeds = flag.Uint64("seeds", 100, "number of runs")
	first = flag.Uint64("first", 1, "the seed of the first run")
	seed  = flag.Uint64("seed", 0, "run only this one and print its log")
)

func TestNoHistoryBreaksAPromise(t *testing.T) {
	t.Parallel()
	if *seed != 0 {
		r := simulate.Run(simulate.Options{Seed: *seed, Log: true})
		t.Logf("seed %d:\n%s\n%s", *seed, strings.Join(r.Log, "\n"), r.Coverage)
		require.Empty(t, r.Broken)
		return
	}
	coverage := runAll(t, *first, *seeds)
	t.Logf("coverage:\n%s", coverage)
	if *seeds < enoughSeeds {
		return
	}
	for _, o := range activation.Occurrences {
		require.Positive(t, coverage["event: "+string(o)], "no run has reached it: %s", o)
	}
}

// enoughSeeds reach every occurrence.
const enoughSeeds = 500

// runAll executes as many runs as there are seeds, from the first seed on, on all cores.
func runAll(t *testing.T, first, seeds uint64) simulate.Coverage {
	t.Helper()
	var (
		next    atomic.Uint64
		failed  atomic.Bool
		mu      sync.Mutex
		all     = simulate.Coverage{}
		workers sync.WaitGroup
	)
	next.Store(first - 1)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1); seed < first+seeds && !failed.Load(); seed = next.Add(1) {
				r := simulate.Run(simulate.Options{Seed: seed})
				mu.Lock()
				all.Add(r.Coverage)
				mu.Unlock()
				if r.Broken != "" {
					failed.Store(true)
					r = simulate.Run(simulate.Options{Seed: seed, Log: true})
					t.Errorf("seed %d broke %s\n%s\n(again: go test ./test/simulate -run NoHistory -v -seed %d)",
						seed, r.Broken, strings.Join(r.Log, "\n"), seed)
				}
			}
		})
	}
	workers.Wait()
	return all
}

// rare are seeds that detect a mutation that few seeds detect. They are tried first. If the simulator
// changes, the search finds other seeds, which takes a minute and a half with the race detector, and
// go test -v prints the one to write here.
var rare = map[simulate.Mutation]uint64{simulate.HoldUnfenced: 1120}

func TestEveryMutationIsDetected(t *testing.T) {
	t.Parallel()
	const enough = 5000
	for _, m := range simulate.Mutations {
		t.Run(strings.ReplaceAll(string(m), " ", "_"), func(t *testing.T) {
			t.Parallel()
			for n := range uint64(enough) {
				seed := n
				if n == 0 {
					seed = rare[m]
				}
				if r := simulate.Run(simulate.Options{Seed: seed, Mutation: m}); r.Broken != "" {
					t.Logf("seed %d: %s", seed, r.Broken)
					return
				}
			}
			t.Errorf("not detected in %d runs", enough)
		})
	}
}

func TestRunIsDeterministic(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 20; seed++ {
		o := simulate.Options{Seed: seed, Log: true}
		first := simulate.Run(o)
		require.NotEmpty(t, first.Log)
		require.Equal(t, first, simulate.Run(o), fmt.Sprint("seed ", seed))
	}
}
