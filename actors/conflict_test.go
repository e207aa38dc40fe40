package actors_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

// requireFewActivations requires that one activation, besides those before, has decided what the
// store contradicted, and that deciding it has not taken long.
func (c *virtualCluster) requireFewActivations(id booking.TrainID, before int64, since time.Time) {
	c.Helper()
	require.LessOrEqual(c, c.epoch(id), before+1)
	require.Less(c, time.Since(since), time.Second)
}

// epoch returns the number of activations that the train has had.
func (c *virtualCluster) epoch(id booking.TrainID) int64 {
	c.Helper()
	epoch, err := persistencetest.Epoch(c.Context(), c.store, id)
	require.NoError(c, err)
	return epoch
}

func TestSeatThatWasSoldByHandIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, peer := c.join(), c.join()
		id := c.trainOf(owner, owner, peer)
		h := c.hold(owner, id, 5)
		before, since := c.epoch(id), time.Now()
		c.store.AddLegs(id, 5, booking.Segment(0, 2))

		_, err := peer.Confirm(c.Context(), refTo(h))
		require.Equal(c, booking.CodeSeatNotLocked, booking.CodeOf(err), "%v", err)
		c.requireFewActivations(id, before, since)

		_, err = peer.Hold(c.Context(), seat(id, uuid.New(), 5))
		require.Equal(c, booking.CodeSeatBooked, booking.CodeOf(err), "%v", err)
		_, err = peer.Confirm(c.Context(), refTo(c.hold(peer, id, 6)))
		require.NoError(c, err)
		require.Equal(c, booking.Tally{Booked: 2, Available: 8}, tally(c.T, owner, id))
		c.requireFewActivations(id, before, since)
	})
}

func TestSaleThatTheStoreAlwaysRefusesIsRefused(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, peer := c.join(), c.join()
		id := c.trainOf(owner, owner, peer)
		h := c.hold(owner, id, 5)
		before, since := c.epoch(id), time.Now()
		owner.link.book.set(func(sales []persistence.Sale, _ func() ([]error, error)) ([]error, error) {
			results := make([]error, len(sales))
			for i := range results {
				results[i] = persistence.ErrConflict
			}
			return results, nil
		})
		_, err := peer.Confirm(c.Context(), refTo(h))
		require.Equal(c, booking.CodeSeatNotLocked, booking.CodeOf(err), "%v", err)
		c.requireFewActivations(id, before, since)
		_, err = peer.Confirm(c.Context(), refTo(h))
		require.Equal(c, booking.CodeSeatNotLocked, booking.CodeOf(err), "the hold has ended: %v", err)
		c.requireFewActivations(id, before, since)
	})
}

func TestHoldWhoseBookingWasCancelledLongAgoIsRefused(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		id := c.trainOf(n, n)
		request := seat(id, user, 5)
		request.ID = booking.NewHoldID(id)
		h, err := n.Hold(c.Context(), request)
		require.NoError(c, err)
		b, err := n.Confirm(c.Context(), refTo(h))
		require.NoError(c, err)
		require.NoError(c, n.CancelBooking(c.Context(), user, b.ID))
		wait(2 * booking.HoldRetention)
		before, since := c.epoch(id), time.Now()

		_, err = n.Hold(c.Context(), request)
		require.Equal(c, booking.CodeSeatBooked, booking.CodeOf(err), "%v", err)
		c.requireFewActivations(id, before, since)
	})
}

// Only the store knows what a user had before this activation.
func TestSeatIsAmbiguousAfterARestart(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, peer := c.join(), c.join()
		id, user := c.trainOf(owner, owner, peer), uuid.New()
		h := holdAgain(c.T, owner, id, user)
		require.NoError(c, owner.Release(c.Context(), refTo(h)))
		require.NoError(c, owner.Leave(c.Context()))
		request := seat(id, user, 5)
		request.To = "B"
		_, err := peer.Hold(c.Context(), request)
		require.NoError(c, err)

		_, err = peer.Confirm(c.Context(), booking.HoldRef{Train: id, User: user, Seat: 5})
		require.Equal(c, booking.CodeAmbiguousHold, booking.CodeOf(err), "%v", err)
		wait(booking.HoldRetention + rules.TTL)
		_, err = peer.Hold(c.Context(), request)
		require.NoError(c, err)
		_, err = peer.Confirm(c.Context(), booking.HoldRef{Train: id, User: user, Seat: 5})
		require.NoError(c, err)
	})
}
