package actors_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/memory"
)

// onRead calls a function before the seats of trains are read from the store.
func (n *node) onRead(f func(trains []booking.TrainID) error) { n.link.read.Store(&f) }

// countReads returns a function that returns the number of reads since the last call, and of trains
// in them.
func (n *node) countReads() func() (reads, trains int) {
	var mu sync.Mutex
	var reads, trains int
	n.onRead(func(ids []booking.TrainID) error {
		mu.Lock()
		defer mu.Unlock()
		reads, trains = reads+1, trains+len(ids)
		return nil
	})
	return func() (int, int) {
		mu.Lock()
		defer mu.Unlock()
		r, t := reads, trains
		reads, trains = 0, 0
		return r, t
	}
}

func TestReadsActivateNoTrain(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		a, b := c.join(), c.join()
		ids := []booking.TrainID{c.trainOf(a, a, b), c.trainOf(b, a, b)}
		for _, n := range []*node{a, b} {
			found, err := n.Search(c.Context(), "A", "C", time.Time{})
			require.NoError(c, err)
			require.Len(c, found.Trains, 2)
			page, err := n.ListTrains(c.Context(), booking.TrainQuery{})
			require.NoError(c, err)
			require.Len(c, page.Items, 2)
			for _, id := range ids {
				require.Equal(c, booking.Tally{Available: 10}, tally(c.T, n, id))
				seats, err := n.SeatMap(c.Context(), id, "A", "B")
				require.NoError(c, err)
				require.Len(c, seats, 10)
			}
		}
		for _, id := range ids {
			require.Zero(c, c.epoch(id))
			require.Empty(c, c.owner(id))
		}
	})
}

func TestHoldsAndBookingsOfATrainWithoutAnOwnerAreVisible(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, peer := c.join(), c.join()
		id := c.trainOf(owner, owner, peer)
		h := c.hold(owner, id, 5)
		_, err := owner.Confirm(c.Context(), refTo(c.hold(owner, id, 6)))
		require.NoError(c, err)
		actors.Halt(peer.System, id)
		require.NoError(c, owner.Stop(c.Context()))
		epoch := c.epoch(id)

		require.Equal(c, booking.Tally{Held: 1, Booked: 1, Available: 8}, tally(c.T, peer, id))
		wait(time.Until(h.ExpiresAt))
		require.Equal(c, booking.Tally{Booked: 1, Available: 9}, tally(c.T, peer, id), "it has expired")
		require.Equal(c, epoch, c.epoch(id))
	})
}

func TestTrainsOfAnUnreachableOwnerAreReadFromTheStores(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		owner, peer := c.join(), c.join()
		id := c.trainOf(owner, owner, peer)
		c.hold(owner, id, 5)
		c.network.Silence(owner.address, peer.address)
		c.network.Silence(peer.address, owner.address)
		since := time.Now()
		found, err := peer.Search(c.Context(), "A", "C", time.Time{})
		require.NoError(c, err)
		require.Len(c, found.Trains, 1)
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, found.Trains[0].Tally)
		require.Less(c, time.Since(since), 3*time.Second)
		c.hold(owner, id, 6)
		require.Equal(c, booking.Tally{Held: 2, Available: 8}, tally(c.T, peer, id), "what another process owns is not kept")
	})
}

func TestTrainsThatCannotBeReadAreLeftOut(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		active := c.trainOf(n, n)
		c.trainOf(n, n)
		c.hold(n, active, 5)
		n.onRead(func([]booking.TrainID) error { return errUnreachable })

		found, err := n.Search(c.Context(), "A", "C", time.Time{})
		require.NoError(c, err)
		require.Len(c, found.Trains, 1)
		require.Equal(c, active, found.Trains[0].Train.ID)
		page, err := n.ListTrains(c.Context(), booking.TrainQuery{})
		require.NoError(c, err)
		require.Len(c, page.Items, 1)
		require.True(c, page.Incomplete)

		require.NoError(c, n.DeleteTrain(c.Context(), active, false))
		_, err = n.Search(c.Context(), "A", "C", time.Time{})
		require.Equal(c, booking.CodeUnavailable, booking.CodeOf(err), "nothing was read: %v", err)
		_, err = n.ListTrains(c.Context(), booking.TrainQuery{})
		require.Equal(c, booking.CodeUnavailable, booking.CodeOf(err))
	})
}

func TestTrainWhoseHoldsCannotBeReadHidesNoOther(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		unread, others := c.trainOf(n, n), []booking.TrainID{c.trainOf(n, n), c.trainOf(n, n)}
		n.link.lost.Store(&unread)
		page, err := n.ListTrains(c.Context(), booking.TrainQuery{})
		require.NoError(c, err)
		require.Len(c, page.Items, len(others))
		require.True(c, page.Incomplete)
		found, err := n.Search(c.Context(), "A", "C", time.Time{})
		require.NoError(c, err)
		for _, a := range found.Trains {
			require.Contains(c, others, a.Train.ID)
		}
		require.Len(c, found.Trains, len(others))
	})
}

func TestDepartedTrainsCostASearchNothing(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		reads := n.countReads()
		departed := time.Now().Add(-time.Hour).Truncate(time.Second)
		for i := range 3001 {
			train := booking.Train{Name: "Express", Capacity: 10, OnSale: true, Stops: []booking.Stop{
				{Station: "A", DepartsAt: departed}, {Station: "B", ArrivesAt: departed.Add(time.Minute)},
			}}
			if i == 0 {
				train.Stops = []booking.Stop{{Station: "A"}, {Station: "B"}}
			}
			_, err := n.CreateTrain(c.Context(), train)
			require.NoError(c, err)
		}
		found, err := n.Search(c.Context(), "A", "B", time.Time{})
		require.NoError(c, err)
		require.Len(c, found.Trains, 1)
		statements, trains := reads()
		require.Equal(c, 1, statements)
		require.Equal(c, 1, trains)
	})
}

func TestQueriesShareTheReadOfATrainForASecond(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		for range 20 {
			c.trainOf(n, n)
		}
		reads := n.countReads()
		var queries sync.WaitGroup
		for range 50 {
			queries.Go(func() {
				found, err := n.Search(c.Context(), "A", "C", time.Time{})
				require.NoError(c, err)
				require.Len(c, found.Trains, 21)
			})
		}
		queries.Wait()
		statements, trains := reads()
		require.Equal(c, 1, statements, "one for all trains")
		require.Equal(c, 21, trains)

		c.hold(n, id, 5)
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, tally(c.T, n, id), "one's own write is seen at once")
		actors.Halt(n.System, id)
		synctest.Wait()
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, tally(c.T, n, id))
		wait(time.Second)
		_, err := n.Search(c.Context(), "A", "C", time.Time{})
		require.NoError(c, err)
		_, trains = reads()
		require.Equal(c, 20, trains, "they are read again after a second, but not the active one")
	})
}

func TestTooManyReadsAreRefusedAndDelayNoSale(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		release := make(chan struct{})
		var ids []booking.TrainID
		for range 5 {
			ids = append(ids, c.trainOf(n, n))
		}
		sold := c.trainOf(n, n)
		n.onRead(func([]booking.TrainID) error {
			<-release
			return nil
		})
		var readers sync.WaitGroup
		for _, id := range ids[:4] {
			readers.Go(func() { tally(c.T, n, id) })
		}
		synctest.Wait()
		since := time.Now()
		_, err := n.FindTrain(c.Context(), ids[4])
		requireOutcome(c.T, booking.OutcomeNotExecuted, err)
		require.Equal(c, time.Second, time.Since(since))
		_, err = n.Confirm(c.Context(), refTo(c.hold(n, sold, 5)))
		require.NoError(c, err)
		require.Equal(c, time.Second, time.Since(since), "sales wait for no reader")
		close(release)
		readers.Wait()
	})
}

func TestReadThatBeganDuringALoadIsNotUsedAfterTheActivation(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		loading := make(chan struct{})
		load := func([]booking.TrainID) { <-loading }
		n.link.load.Store(&load)
		sold := make(chan struct{})
		go func() {
			defer close(sold)
			_, err := n.Confirm(c.Context(), refTo(c.hold(n, id, 5)))
			require.NoError(c, err)
		}()
		synctest.Wait()
		require.Equal(c, booking.Tally{Available: 10}, tally(c.T, n, id))
		close(loading)
		<-sold
		actors.Halt(n.System, id)
		synctest.Wait()
		require.Empty(c, c.owner(id))
		require.Equal(c, booking.Tally{Booked: 1, Available: 9}, tally(c.T, n, id))
	})
}

// foreignOwner is a process that owns a train which is proposed to another one, as when members
// change.
type foreignOwner struct {
	*virtualCluster
	client *memory.Client
	guard  persistence.Guard
}

func (c *virtualCluster) foreignOwnerOf(id booking.TrainID) foreignOwner {
	c.Helper()
	const address = "10.0.0.99:8090"
	o := foreignOwner{c, c.shared.At(address, time.Now), persistence.Guard{Train: id, Epoch: 1, Owner: uuid.New()}}
	_, err := persistencetest.AcquireLease(c.Context(), o.client, persistence.Lease{Train: id, Address: address, Owner: o.guard.Owner})
	require.NoError(c, err)
	return o
}

// hold stores a hold of a seat.
func (o foreignOwner) hold(seat int) {
	o.Helper()
	id := o.guard.Train
	results, err := o.client.WriteHolds(o.Context(), []persistence.HoldWrite{{Guard: o.guard, Hold: booking.Hold{
		ID: booking.NewHoldID(id), User: uuid.New(), Legs: booking.Segment(0, 2), Seats: []int{seat}, ExpiresAt: time.Now().Add(time.Minute),
	}}})
	require.NoError(o, err)
	require.NoError(o, results[0])
}

func TestWhatAnotherProcessOwnsIsReadByEveryQuery(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		owner := c.foreignOwnerOf(id)
		owner.hold(1)
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, tally(c.T, n, id))
		owner.hold(2)
		require.Equal(c, booking.Tally{Held: 2, Available: 8}, tally(c.T, n, id))

		// A query that began before a hold is still reading when one after it begins.
		reading := make(chan struct{})
		n.onRead(func([]booking.TrainID) error {
			<-reading
			return nil
		})
		var queries sync.WaitGroup
		queries.Go(func() { tally(c.T, n, id) })
		synctest.Wait()
		owner.hold(3)
		queries.Go(func() { require.Equal(c, booking.Tally{Held: 3, Available: 7}, tally(c.T, n, id)) })
		synctest.Wait()
		close(reading)
		queries.Wait()
	})
}

// Redis has lost a hold and is then unreachable, so that its owner closes and cannot open again.
func TestHoldsAreStoredAgainWhenRedisIsReachable(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		h := c.hold(n, id, 5)
		other := c.trainOf(n, n)
		n.link.unreachable.Store(true)
		c.shared.Empty()
		wait(10 * time.Second)
		n.link.unreachable.Store(false)
		_, err := n.Hold(c.Context(), seat(other, uuid.New(), 1)) // has a lease to renew
		require.NoError(c, err)
		wait(5 * time.Second)
		require.Equal(c, booking.Tally{Held: 1, Available: 9}, tally(c.T, n, id))
		_, err = n.Confirm(c.Context(), refTo(h))
		require.NoError(c, err)
	})
}
