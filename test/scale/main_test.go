//go:build scale

package scale_test

import (
	"flag"
	"testing"

	"trainbooking.dev/test/processtest"
)

var (
	trains   = flag.Int("scale.trains", 100_000, "the number of trains that have not departed")
	bookings = flag.Int("scale.bookings", 1_000_000, "the number of bookings")
)

func TestMain(m *testing.M) {
	flag.Parse()
	processtest.Main(m, false)
}
