package actors_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
)

// The registry of protoactor alone had 66,000.
func TestNewSystemHasFewAllocations(t *testing.T) { //nolint:paralleltest // it counts the allocations of all goroutines
	store := openStores(t)
	allocations := testing.AllocsPerRun(1, func() {
		s := actors.New(actors.Options{Store: store, Holds: store, Rules: booking.HoldRules{}})
		_ = s.Stop(t.Context())
	})
	require.Less(t, allocations, 10_000.0)
}
