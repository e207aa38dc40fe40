//go:build chaos

package chaos_test

import (
	"flag"
	"testing"
	"time"

	"trainbooking.dev/test/processtest"
)

var (
	minutes = flag.Float64("chaos.minutes", 3, "the length of the schedule in minutes")
	seed    = flag.Uint64("chaos.seed", 0, "the seed of the schedule; 0: a random one")
	only    = flag.String("chaos.only", "", "names of faults, separated by commas, with _ for a space; empty: all")
	keep    = flag.String("chaos.keep", "", "the directory for the history and the logs of a failed run; empty: a new temporary one")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	processtest.Main(m, false)
}
