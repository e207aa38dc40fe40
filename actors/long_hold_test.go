package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// A process can be killed between the commit of a booking and the dropping of its hold.
func TestHoldThatBecameABookingNeverComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		long := booking.HoldRules{TTL: 24 * time.Hour, MaxSeats: 10}
		stores := openStores(t)
		before := start(t, stores, long)
		id, user := addTrain(t, before, 10), uuid.New()
		h, err := before.Hold(t.Context(), seat(id, user, 5))
		require.NoError(t, err)
		stores.holds.set(func([]persistence.HoldWrite, func() ([]error, error)) ([]error, error) {
			return nil, errors.New("killed")
		})
		b, err := before.Confirm(t.Context(), refTo(h))
		require.NoError(t, err)
		require.NoError(t, before.CancelBooking(t.Context(), user, b.ID))
		require.NoError(t, before.Stop(t.Context()))
		stores.holds.Store(nil)

		<-time.After(2 * booking.HoldRetention)
		after := start(t, stores, long)
		require.Equal(t, booking.Tally{Available: 10}, tally(t, after, id))
		_, err = after.Confirm(t.Context(), refTo(h))
		require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err))
	})
}
