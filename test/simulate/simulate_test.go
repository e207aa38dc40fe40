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

	"trainbooking.dev/test/simulate"
)

var (
	// A thousand take some seconds, and five times that with the race detector.
	seeds = flag.Uint64("seeds", 1000, "how many histories to play")
	seed  = flag.Uint64("seed", 0, "play this one alone, and print it")
)

func TestNoHistoryBreaksAPromise(t *testing.T) {
	t.Parallel()
	if *seed != 0 {
		r := simulate.Run(simulate.Options{Seed: *seed, Trace: true})
		t.Logf("seed %d:\n%s\n%s", *seed, strings.Join(r.Trace, "\n"), r.Coverage)
		require.Empty(t, r.Broken)
		return
	}
	coverage := play(t, *seeds)
	t.Logf("what was played:\n%s", coverage)
}

// play plays the histories of the seeds from 1 on, as many at once as there are cores.
func play(t *testing.T, seeds uint64) simulate.Coverage {
	t.Helper()
	var (
		next    atomic.Uint64
		failed  atomic.Bool
		mu      sync.Mutex
		all     = simulate.Coverage{}
		players sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		players.Go(func() {
			for seed := next.Add(1); seed <= seeds && !failed.Load(); seed = next.Add(1) {
				r := simulate.Run(simulate.Options{Seed: seed})
				mu.Lock()
				all.Add(r.Coverage)
				mu.Unlock()
				if r.Broken != "" {
					failed.Store(true)
					r = simulate.Run(simulate.Options{Seed: seed, Trace: true})
					t.Errorf("seed %d broke %s\n%s\n(again: go test ./test/simulate -run NoHistory -v -seed %d)",
						seed, r.Broken, strings.Join(r.Trace, "\n"), seed)
				}
			}
		})
	}
	players.Wait()
	return all
}

// rare are histories that catch what few do. They are tried first; when the simulator
// changes others do, and the search finds them.
var rare = map[simulate.Mutation]uint64{simulate.ReplyUnchecked: 868, simulate.HoldUnfenced: 1900}

func TestEveryMutationIsCaught(t *testing.T) {
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
			t.Errorf("not caught in %d histories", enough)
		})
	}
}

func TestASeedIsAlwaysTheSameHistory(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 20; seed++ {
		o := simulate.Options{Seed: seed, Trace: true}
		first := simulate.Run(o)
		require.NotEmpty(t, first.Trace)
		require.Equal(t, first, simulate.Run(o), fmt.Sprint("seed ", seed))
	}
}
