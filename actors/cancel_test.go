package actors_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Whoever lists the bookings of a user finds one as soon as it is committed, which is
// before its train knows.
func TestBookingIsCancelledThoughItsConfirmIsNotAnsweredYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id, user := addTrain(t, s, 10), uuid.New()
		h, err := s.Hold(t.Context(), seat(id, user, 5))
		require.NoError(t, err)
		cancelled := make(chan error, 1)
		stores.book.set(func(_ []persistence.Sale, write func() ([]error, error)) ([]error, error) {
			results, err := write()
			go func() { cancelled <- s.CancelBooking(t.Context(), user, booking.BookingIDOf(user, h.ID)) }()
			synctest.Wait()
			return results, err
		})

		_, err = s.Confirm(t.Context(), refTo(h))
		require.NoError(t, err)
		require.NoError(t, <-cancelled)
		require.Equal(t, booking.Tally{Available: 10}, tally(t, s, id))
		left, err := s.UserBookings(t.Context(), user, booking.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, left.Items)
	})
}
