//go:build scale

package scale_test

import (
	"flag"
	"testing"
	"time"

	"trainbooking.dev/test/processtest"
)

var (
	trains    = flag.Int("scale.trains", 100_000, "the number of trains that have not departed")
	saleTime  = flag.Duration("scale.sales", 5*time.Second, "how long seats are sold alone, and beside readers")
	schedules = flag.Int("scale.schedules", 10_000, "the number of schedules of the timetable")
	bookings  = flag.Int("scale.bookings", 1_000_000, "the number of bookings")
)

func TestMain(m *testing.M) {
	flag.Parse()
	processtest.Main(m, false)
}
