package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// requireUserHolds checks the list of the holds of a user through each of the nodes.
func (c *virtualCluster) requireUserHolds(user uuid.UUID, through []*node, want ...booking.Hold) {
	c.Helper()
	for _, n := range through {
		page, err := n.UserHolds(c.Context(), user)
		require.NoError(c, err, n.address)
		require.False(c, page.Incomplete, n.address)
		require.Len(c, page.Items, len(want), n.address)
		for i := range want {
			require.Equal(c, want[i], page.Items[i].Hold, n.address)
			require.Equal(c, want[i].ID.Train(), page.Items[i].On.ID, n.address)
		}
	}
}

// holdFor holds a free seat for a user.
func (c *virtualCluster) holdFor(n *node, user uuid.UUID, id booking.TrainID, seatNumber int) booking.Hold {
	c.Helper()
	h, err := n.Hold(c.Context(), seat(id, user, seatNumber))
	require.NoError(c, err)
	wait(time.Second) // the next one ends later
	return h
}

func TestHoldsOfACutOffOwnerAreListedBeforeAndAfterTheTakeover(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		a, b, owner := c.join(), c.join(), c.join()
		all, user := []*node{a, b, owner}, uuid.New()
		first, second := c.trainOf(owner, all...), c.trainOf(a, all...)
		holds := []booking.Hold{c.holdFor(a, user, first, 5), c.holdFor(b, user, second, 5), c.holdFor(b, user, first, 6)}
		c.requireUserHolds(user, all, holds...)
		c.requireUserHolds(uuid.New(), all)
		require.NoError(c, b.Release(c.Context(), refTo(holds[2])))
		c.requireUserHolds(user, all, holds[:2]...)
		epoch := c.epoch(first)

		owner.link.unreachable.Store(true)
		for _, n := range []*node{a, b} {
			c.network.Silence(owner.address, n.address)
			c.network.Silence(n.address, owner.address)
		}
		c.requireUserHolds(user, []*node{a, b}, holds[:2]...)
		wait(20 * time.Second)
		require.Empty(c, c.owner(first))
		c.requireUserHolds(user, []*node{a, b}, holds[:2]...)
		require.Equal(c, epoch, c.epoch(first), "a list activates no train")

		third := c.holdFor(a, user, first, 7)
		require.Greater(c, c.epoch(first), epoch)
		c.requireUserHolds(user, []*node{a, b}, holds[0], holds[1], third)
		_, err := b.Confirm(c.Context(), refTo(holds[0]))
		require.NoError(c, err)
		c.requireUserHolds(user, []*node{a, b}, holds[1], third)
		wait(time.Until(holds[1].ExpiresAt))
		c.requireUserHolds(user, []*node{a, b}, third)
	})
}

// TestHoldIsListedWhileItIsStored has writes that take a second, and are executed after half of it.
func TestHoldIsListedWhileItIsStored(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		id, all := c.trainOf(n, n), []*node{n}
		n.link.holds.set(func(_ []persistence.HoldWrite, write func() ([]error, error)) ([]error, error) {
			wait(500 * time.Millisecond)
			results, err := write()
			wait(500 * time.Millisecond)
			return results, err
		})
		held := make(chan persistence.Result[booking.Hold], 1)
		go func() {
			h, err := n.Hold(c.Context(), seat(id, user, 5))
			held <- persistence.Result[booking.Hold]{Value: h, Err: err}
		}()
		wait(250 * time.Millisecond)
		c.requireUserHolds(user, all)
		wait(500 * time.Millisecond)
		c.requireUserHolds(user, all, c.stored(id)...)
		result := <-held
		require.NoError(c, result.Err)
		h := result.Value
		c.requireUserHolds(user, all, h)

		released := make(chan error, 1)
		go func() { released <- n.Release(c.Context(), refTo(h)) }()
		wait(250 * time.Millisecond)
		c.requireUserHolds(user, all, h)
		wait(500 * time.Millisecond)
		c.requireUserHolds(user, all)
		require.NoError(c, <-released)
		c.requireUserHolds(user, all)
	})
}

// The record of a hold that became a booking is dropped later, or not at all.
func TestHoldThatBecameABookingIsNotListed(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		id := c.trainOf(n, n)
		h := c.holdFor(n, user, id, 5)
		n.link.holds.set(func([]persistence.HoldWrite, func() ([]error, error)) ([]error, error) {
			return nil, errors.New("the record is not dropped")
		})
		_, err := n.Confirm(c.Context(), refTo(h))
		require.NoError(c, err)
		require.Equal(c, []booking.Hold{h}, c.stored(id))
		c.requireUserHolds(user, []*node{n})
		n.link.holds.Store(nil)
	})
}

// The record of a hold gets the seats that are left of it later, or not at all.
func TestSeatsOfAHoldThatAreBookedAreNotListed(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		id := c.trainOf(n, n)
		h, err := n.Hold(c.Context(), booking.HoldRequest{Train: id, User: user, Seats: []int{5, 6, 7}})
		require.NoError(c, err)
		n.link.holds.set(func([]persistence.HoldWrite, func() ([]error, error)) ([]error, error) {
			return nil, errors.New("the record is not written")
		})
		ref := refTo(h)
		ref.Seats = []int{5, 7}
		_, err = n.Confirm(c.Context(), ref)
		require.NoError(c, err)
		require.Equal(c, []booking.Hold{h}, c.stored(id))
		rest := h
		rest.Seats = []int{6}
		c.requireUserHolds(user, []*node{n}, rest)
		ref.Seats = []int{6}
		_, err = n.Confirm(c.Context(), ref)
		require.NoError(c, err)
		c.requireUserHolds(user, []*node{n})
		n.link.holds.Store(nil)
	})
}

// The hold stays stored after the deletion of its train, and is not one of the next train with its id.
func TestHoldOfADeletedTrainThatIsStillStoredIsNotListed(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		id := c.trainOf(n, n)
		h := c.holdFor(n, user, id, 5)
		n.link.holds.set(func([]persistence.HoldWrite, func() ([]error, error)) ([]error, error) {
			return nil, errors.New("the record is not dropped")
		})
		require.NoError(c, n.DeleteTrain(c.Context(), id, false), "its second attempt finds it done")
		require.Equal(c, []booking.Hold{h}, c.stored(id))
		c.requireUserHolds(user, []*node{n})
		_, err := n.CreateTrain(c.Context(), booking.Train{
			ID: id, Name: "Another", Capacity: 10, OnSale: true,
			Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
		})
		require.NoError(c, err)
		c.requireUserHolds(user, []*node{n})
		n.link.holds.Store(nil)
	})
}

func TestListIsIncompleteIfATrainCannotBeRead(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		lost, other := c.trainOf(n, n), c.trainOf(n, n)
		c.holdFor(n, user, lost, 5)
		h := c.holdFor(n, user, other, 5)
		n.link.lost.Store(&lost)
		page, err := n.UserHolds(c.Context(), user)
		require.NoError(c, err)
		require.True(c, page.Incomplete)
		require.Len(c, page.Items, 1)
		require.Equal(c, h, page.Items[0].Hold)

		n.link.lost.Store(&other)
		n.link.unlisted.Store(&errUnreachable)
		_, err = n.UserHolds(c.Context(), user)
		require.Equal(c, booking.CodeUnavailable, booking.CodeOf(err), "nothing was read: %v", err)
		n.link.unlisted.Store(nil)
		n.link.unbooked.Store(&errUnreachable)
		_, err = n.UserHolds(c.Context(), user)
		require.Equal(c, booking.CodeUnavailable, booking.CodeOf(err), "a hold may have become a booking: %v", err)
		page, err = n.UserHolds(c.Context(), uuid.New())
		require.NoError(c, err)
		require.Empty(c, page.Items)
	})
}

// TestListOfVeryManyHoldsIsCut has as many holds as are listed, and one more.
func TestListOfVeryManyHoldsIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, user := start(t, openStores(t), booking.HoldRules{TTL: time.Hour, MaxSeats: booking.MaxCapacity}), uuid.New()
		id := addTrain(t, s, persistence.MaxUserHolds+1)
		var last booking.Hold
		for n := 1; n <= persistence.MaxUserHolds; n++ {
			h, err := s.Hold(t.Context(), seat(id, user, n))
			require.NoError(t, err)
			last = h
		}
		page, err := s.UserHolds(t.Context(), user)
		require.NoError(t, err)
		require.False(t, page.Incomplete)
		require.Len(t, page.Items, persistence.MaxUserHolds)
		<-time.After(time.Minute)
		_, err = s.Hold(t.Context(), seat(id, user, persistence.MaxUserHolds+1))
		require.NoError(t, err)
		page, err = s.UserHolds(t.Context(), user)
		require.NoError(t, err)
		require.True(t, page.Incomplete)
		require.Len(t, page.Items, persistence.MaxUserHolds)
		require.Equal(t, last.ExpiresAt, page.Items[persistence.MaxUserHolds-1].ExpiresAt, "what ends last is missing")
	})
}

func TestHoldsOfAPreviousProcessAreListed(t *testing.T) {
	t.Parallel()
	stores, user := openStores(t), uuid.New()
	before := start(t, stores, rules)
	id := addTrain(t, before, 10)
	h, err := before.Hold(t.Context(), seat(id, user, 5))
	require.NoError(t, err)
	actors.Halt(before, id)
	require.NoError(t, before.Stop(t.Context()))
	after := start(t, stores, rules)
	page, err := after.UserHolds(t.Context(), user)
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, h, page.Items[0].Hold)
}
