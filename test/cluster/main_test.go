package cluster_test

import (
	"flag"
	"testing"

	"trainbooking.dev/test/processtest"
)

// Most of the tests judge times, so that their processes do without the detector.
var race = flag.Bool("cluster.race", false, "give the processes the race detector")

func TestMain(m *testing.M) {
	flag.Parse()
	processtest.Main(m, *race)
}
