package actors_test

import (
	"testing"

	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
)

func TestSystemImplementsService(t *testing.T) {
	t.Parallel()
	bookingtest.Exercise(t, func(t *testing.T, rules booking.HoldRules) booking.Service {
		t.Helper()
		return start(t, openStores(t), rules)
	})
}
