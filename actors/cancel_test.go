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

// Found by test/simulate, seed 1982. Until an owner renews its lease, which Redis has lost,
// it does not know what the next one has sold.
func TestBookingOfTheNextOwnerIsCancelledThoughTheOneBeforeIsAsked(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	s := start(t, stores, rules)
	id, user := addTrain(t, s, 10), uuid.New()
	_, err := s.Hold(t.Context(), seat(id, user, 1)) // it owns the train
	require.NoError(t, err)
	next := persistence.Guard{Train: id, Owner: uuid.New()}
	seen, err := stores.Epoch(t.Context(), id)
	require.NoError(t, err)
	next.Epoch, err = stores.Adopt(t.Context(), id, seen, next.Owner)
	require.NoError(t, err)
	b := booking.Booking{ID: uuid.New(), Train: id, User: user, Legs: booking.Segment(0, 1), Seats: []int{5}}
	results, err := stores.Book(t.Context(), []persistence.Sale{{Guard: next, Booking: b}})
	require.NoError(t, err)
	require.NoError(t, results[0])

	require.NoError(t, s.CancelBooking(t.Context(), user, b.ID))
	stored, err := stores.FindBooking(t.Context(), b.ID)
	require.NoError(t, err)
	require.False(t, stored.CancelledAt.IsZero())
}
