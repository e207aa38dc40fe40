package cluster_test

import (
	"flag"
	"testing"

	"trainbooking.dev/test/processtest"
)

// The race detector is off by default because most of the tests measure times.
var race = flag.Bool("cluster.race", false, "build the processes with the race detector")

func TestMain(m *testing.M) {
	flag.Parse()
	processtest.Main(m, *race)
}
