package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// A list of a user's bookings shows a booking as soon as it is committed, which is before the
// train's actor continues.
func TestBookingCanBeCancelledBeforeItsConfirmHasResponded(t *testing.T) {
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

// Found by test/simulate, seed 1982: a stale owner has not seen the bookings of the next one.
// A cancellation that it acknowledges must be in the store nevertheless (I5).
func TestCancelThroughAStaleOwnerIsStored(t *testing.T) {
	t.Parallel()
	s := openStores(t)
	stale := start(t, s, rules)
	train, user := addTrain(t, stale, 10), uuid.New()
	tally(t, stale, train)
	owner := start(t, s, rules)
	held, err := owner.Hold(t.Context(), seat(train, user, 5))
	require.NoError(t, err)
	booked, err := owner.Confirm(t.Context(), refTo(held))
	require.NoError(t, err)

	require.NoError(t, stale.CancelBooking(t.Context(), user, booked.ID))
	found, err := s.FindBooking(t.Context(), booked.ID)
	require.NoError(t, err)
	require.False(t, found.CancelledAt.IsZero())
}

func TestOwnerStoresWhoCancelledThroughAPeer(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, peer := c.join(), c.join()
		id, user, admin := c.trainOf(owner, owner, peer), uuid.New(), uuid.New()
		sell := func(user uuid.UUID, number int) uuid.UUID {
			h, err := owner.Hold(c.Context(), seat(id, user, number))
			require.NoError(c, err)
			booked, err := owner.Confirm(c.Context(), refTo(h))
			require.NoError(c, err)
			return booked.ID
		}
		mine, theirs, own := sell(user, 1), sell(user, 2), sell(admin, 3)
		require.NoError(c, peer.CancelBooking(c.Context(), user, mine))
		require.NoError(c, peer.CancelAnyBooking(c.Context(), admin, theirs))
		require.NoError(c, peer.CancelAnyBooking(c.Context(), admin, own))
		for cancelled, by := range map[uuid.UUID]booking.Canceller{
			mine: booking.ByPassenger, theirs: booking.ByAdmin, own: booking.ByPassenger,
		} {
			found, err := peer.FindAnyBooking(c.Context(), cancelled)
			require.NoError(c, err)
			require.Equal(c, by, found.CancelledBy)
		}
	})
}

func TestOwnerExecutesAllOfARequestThroughAPeer(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, peer := c.join(), c.join()
		id, user := c.trainOf(owner, owner, peer), uuid.New()
		taken, err := owner.Hold(c.Context(), seat(id, uuid.New(), 2))
		require.NoError(c, err)
		_, err = peer.Hold(c.Context(), seat(id, user, 2))
		failed, _ := errors.AsType[*booking.Error](err)
		require.Equal(c, []int{1, 3, 4, 5, 6}, failed.Alternatives)
		h, err := peer.Hold(c.Context(), booking.HoldRequest{Train: id, User: user, Seats: []int{2, 3}, BestAlternative: true})
		require.NoError(c, err)
		require.Equal(c, []int{1, 3}, h.Seats)
		extended, err := peer.Extend(c.Context(), refTo(h))
		require.NoError(c, err)
		require.True(c, extended.Extended)
		require.True(c, extended.ExpiresAt.After(taken.ExpiresAt))
		b, err := peer.Confirm(c.Context(), refTo(h))
		require.NoError(c, err)
		require.NoError(c, peer.CancelBooking(c.Context(), user, b.ID, 1))
		found, err := peer.FindBooking(c.Context(), user, b.ID)
		require.NoError(c, err)
		require.Equal(c, booking.BookingConfirmed, found.State())
		require.Equal(c, []int{3}, found.Seats)

		h, err = peer.Hold(c.Context(), booking.HoldRequest{Train: id, User: user, Seats: []int{4, 5, 6}})
		require.NoError(c, err)
		some := refTo(h)
		some.Seats = []int{4}
		part, err := peer.Confirm(c.Context(), some)
		require.NoError(c, err)
		require.Equal(c, []int{4}, part.Seats)
		some.Seats = []int{5}
		require.NoError(c, peer.Release(c.Context(), some))
		rest, err := peer.Confirm(c.Context(), refTo(h))
		require.NoError(c, err)
		require.Equal(c, []int{6}, rest.Seats)
	})
}
