package actors_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

// A process can be killed after it has committed a booking and before it drops the hold.
func TestHoldThatBecameABookingIsNeverRestored(t *testing.T) {
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
		require.Equal(t, booking.CodeUnavailable, booking.CodeOf(before.CancelBooking(t.Context(), user, b.ID)))
		require.NoError(t, before.Stop(t.Context()))
		stores.holds.Store(nil)

		<-time.After(2 * booking.HoldRetention)
		after := start(t, stores, long)
		require.Equal(t, booking.Tally{Available: 9, Booked: 1}, tally(t, after, id))
		listed, err := after.UserHolds(t.Context(), user)
		require.NoError(t, err)
		require.Empty(t, listed.Items)
		require.NoError(t, after.CancelBooking(t.Context(), user, b.ID))
		require.NoError(t, after.Stop(t.Context()))

		again := start(t, stores, long)
		_, err = again.Confirm(t.Context(), refTo(h))
		require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err))
		require.Equal(t, booking.Tally{Available: 10}, tally(t, again, id))
	})
}

func TestRepeatedHoldAndReleaseLeavesFewRecords(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	s := start(t, stores, rules)
	id, user := addTrain(t, s, 200), uuid.New()
	for n := 1; n <= 2*persistence.MaxHistory; n++ {
		h, err := s.Hold(t.Context(), seat(id, user, n))
		require.NoError(t, err)
		require.NoError(t, s.Release(t.Context(), refTo(h)))
	}
	holds, err := persistencetest.LoadHolds(t.Context(), stores, id, time.Now())
	require.NoError(t, err)
	require.Empty(t, holds, "a load reads none of them")
	holds, err = stores.UserHolds(t.Context(), id, user, time.Now())
	require.NoError(t, err)
	require.Len(t, holds, persistence.MaxHistory)
}

// A release succeeds if an earlier attempt executed it, and only then.
func TestReleaseWithALostResponseReportsItsResult(t *testing.T) {
	t.Parallel()
	s := openStores(t)
	system := start(t, s, booking.HoldRules{TTL: time.Second, MaxSeats: 10})
	train, user := addTrain(t, system, 10), uuid.New()
	release := func(done bool) error {
		held, err := system.Hold(t.Context(), seat(train, user, 5))
		require.NoError(t, err)
		var lost atomic.Bool
		s.holds.set(func(writes []persistence.HoldWrite, write func() ([]error, error)) ([]error, error) {
			if !writes[0].Hold.Released || lost.Swap(true) {
				return write()
			}
			if !done {
				<-time.After(time.Until(held.ExpiresAt))
				return nil, persistence.ErrUnknown
			}
			_, err := write()
			return nil, errors.Join(persistence.ErrUnknown, err)
		})
		return system.Release(t.Context(), refTo(held))
	}
	require.NoError(t, release(true))
	err := release(false)
	require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err), "not done before the hold expires: %v", err)

	// Found by test/chaos, seed 9: it was reported as not executed.
	s.user.Store(&errUnreachable)
	unavailable, ok := errors.AsType[*booking.Error](release(true))
	require.True(t, ok)
	require.Equal(t, booking.CodeUnavailable, unavailable.Code)
	require.Equal(t, booking.OutcomeUnknown, unavailable.Outcome, "it was released")
}
