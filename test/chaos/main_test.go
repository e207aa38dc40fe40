//go:build chaos

package chaos_test

import (
	"flag"
	"testing"
	"time"

	"trainbooking.dev/test/processtest"
)

var (
	minutes = flag.Float64("chaos.minutes", 3, "for how long faults happen")
	seed    = flag.Uint64("chaos.seed", 0, "what the schedule is made of; 0: of the time")
	only    = flag.String("chaos.only", "", "the faults that happen, by name, with commas between them and _ for a space; empty: all")
	keep    = flag.String("chaos.keep", "", "where a failed run leaves its history and logs; empty: a new directory among the temporary ones")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	processtest.Main(m, false)
}
