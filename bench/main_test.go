package bench_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"trainbooking.dev/test/processtest"
)

var (
	rounds     = flag.Int("rounds", 3, "how often each workload runs on each server")
	runTime    = flag.Duration("time", 6*time.Second, "how long each run takes")
	workloads  = flag.String("workload", "", "a regular expression that matches the names of the workloads to run")
	only       = flag.String("server", "", "a regular expression that matches the names of the servers to compare")
	results    = flag.String("results", "", "the file to write the results to, as JSON")
	plots      = flag.String("plots", "", "the folder to write the plots of TestGrowth to, relative to the repository")
	profiles   = flag.String("profiles", "", "the folder to write the profiles of TestProfile to, relative to the repository")
	merged     = flag.String("merged", "", "the file to write the sum of the processor profiles of TestProfile to")
	pool       = flag.Int("pool", 0, "the peers' connections to Postgres, instead of their default")
	appendSync = flag.String("appendfsync", "always", "the appendfsync of the service's Redis: always, as docs/operations.md has it, or everysec")
)

// The service is built in its own module, because this one may have other versions of its libraries.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := os.Chdir(".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	processtest.Main(m, false)
}
