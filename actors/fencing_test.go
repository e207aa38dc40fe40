package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func TestLateWriteOfAClosedActivationIsFenced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id := addTrain(t, s, 10)
		h, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err)
		var late []persistence.Sale
		stores.book.set(func(sales []persistence.Sale, _ func() ([]error, error)) ([]error, error) {
			stores.book.Store(nil)
			late = sales
			<-time.After(2 * time.Second)
			return nil, persistence.ErrUnknown
		})
		<-time.After(time.Until(h.ExpiresAt) - time.Second)
		_, err = s.Confirm(t.Context(), refTo(h))
		require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err), "it can no longer become a booking")

		results, err := stores.Book(t.Context(), late)
		require.NoError(t, err)
		require.ErrorIs(t, results[0], persistence.ErrFenced)
		_, err = stores.FindBooking(t.Context(), booking.BookingIDOf(h.User, h.ID))
		require.ErrorIs(t, err, persistence.ErrNotFound)
	})
}
