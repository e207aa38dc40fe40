package actors_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

// manyTrains is less than a batch of trains that are loaded. The first of them begins each step while
// the others still are at the one before, so that the last step has a few batches in each partition.
const manyTrains, fewCalls = 200, 6

// holdAll holds a seat of each train at the same time.
func (c *virtualCluster) holdAll(n *node, trains []booking.TrainID) {
	c.Helper()
	var running sync.WaitGroup
	for _, id := range trains {
		running.Go(func() {
			_, err := n.Hold(c.Context(), seat(id, uuid.New(), 5))
			require.NoError(c, err)
		})
	}
	running.Wait()
}

func (c *virtualCluster) trainsOf(n *node, count int) []booking.TrainID {
	c.Helper()
	trains := make([]booking.TrainID, count)
	for i := range trains {
		trains[i] = c.trainOf(n, n)
	}
	return trains
}

// leaseTo gives the leases of trains to a process that is not a member.
func (c *virtualCluster) leaseTo(address string, trains ...booking.TrainID) {
	c.Helper()
	leases := make([]persistence.Lease, len(trains))
	for i, id := range trains {
		leases[i] = persistence.Lease{Train: id, Address: address, Owner: uuid.New()}
	}
	_, err := c.shared.At(address, time.Now).AcquireLeases(c.Context(), leases)
	require.NoError(c, err)
}

func TestTrainsAreLoadedTogether(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		trains := c.trainsOf(n, manyTrains)
		calls := &n.link.calls
		calls.duration = 10 * time.Millisecond
		c.holdAll(n, trains)
		for step, made := range map[string]int64{
			"epochs": calls.epochs.Load(), "leases": calls.leases.Load(), "adoptions": calls.adoptions.Load(),
			"holds": calls.holds.Load(), "trains": calls.trains.Load(),
		} {
			require.LessOrEqual(c, made, int64(fewCalls), step)
		}
		calls.releases.Store(0)
		other := c.join() // and gets some of the trains
		wait(time.Second)
		moved := 0
		for _, id := range trains {
			if c.owner(id) == "" {
				moved++
			}
		}
		require.Greater(c, moved, 10)
		require.LessOrEqual(c, calls.releases.Load(), int64(fewCalls), "the leases are released together")
		require.NotNil(c, other)
	})
}

// One statement reads the bookings of at most five such trains.
func TestLargeTrainsAreLoadedInParts(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		trains := make([]booking.TrainID, 61)
		for i := range trains {
			train, err := n.CreateTrain(c.Context(), booking.Train{
				Name: "Long Express", Capacity: booking.MaxCapacity, OnSale: true,
				Stops: []booking.Stop{{Station: "A"}, {Station: "B"}},
			})
			require.NoError(c, err)
			trains[i] = train.ID
		}
		var mu sync.Mutex
		var sizes []int
		n.link.load.Store(new(func(trains []booking.TrainID) {
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, len(trains))
		}))
		n.link.calls.duration = time.Millisecond
		c.holdAll(n, trains)
		total := 0
		for _, size := range sizes {
			require.LessOrEqual(c, size, 5)
			total += size
		}
		require.Equal(c, len(trains), total)
		require.Contains(c, sizes, 5)
	})
}

// The leases are those of a process that has crashed. Each train is loaded as soon as its lease has
// expired.
func TestLeaseThatNobodyRenewsIsAwaitedWithoutPolling(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		trains := c.trainsOf(n, manyTrains)
		c.leaseTo("10.0.0.9:8090", trains...)
		wait(2 * time.Second) // so that a request can wait for the rest
		n.link.calls.duration = time.Millisecond
		start := time.Now()
		c.holdAll(n, trains)
		require.Less(c, time.Since(start), persistence.LeaseTTL-2*time.Second+100*time.Millisecond)
		require.LessOrEqual(c, n.link.calls.leases.Load(), int64(2*fewCalls), "at the request and after the expiry")
		require.LessOrEqual(c, n.link.calls.epochs.Load(), int64(fewCalls), "the load does not start over")
		for _, id := range trains {
			require.Equal(c, n.address, c.owner(id))
		}
	})
}

func TestStopDoesNotWaitForALease(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		c.leaseTo("10.0.0.9:8090", id)
		go func() { _, _ = n.Hold(c.Context(), seat(id, uuid.New(), 5)) }()
		synctest.Wait()
		start := time.Now()
		require.NoError(c, n.Stop(c.Context()))
		require.Less(c, time.Since(start), time.Second)
	})
}

// The process with the lease joins, and the train is proposed to it.
func TestRequestIsSentToTheOwnerThatJoins(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		one := c.join()
		const next = "10.0.0.2:8090" // the address of the next node
		id := c.trainOf(one, one)
		for cluster.Rendezvous([]string{one.address, next}, cluster.Key(id)) == one.address {
			id = c.trainOf(one, one)
		}
		c.leaseTo(next, id)
		result := make(chan error, 1)
		go func() {
			_, err := one.Hold(c.Context(), seat(id, uuid.New(), 5))
			result <- err
		}()
		synctest.Wait()
		start := time.Now()
		c.join()
		require.NoError(c, <-result)
		require.Less(c, time.Since(start), time.Second)
		require.Equal(c, next, c.owner(id))
	})
}

// A statement of an earlier activation locks one of the trains.
func TestLockedTrainDoesNotDelayTheOthers(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		trains := c.trainsOf(n, manyTrains)
		locked, unlocked := trains[0], time.Now().Add(2*time.Second)
		n.link.adopt.set(func(activations []persistence.Adoption, _ func() ([]error, error)) ([]error, error) {
			results := make([]error, len(activations))
			for i, a := range activations {
				if a.Train == locked && time.Now().Before(unlocked) {
					results[i] = persistence.ErrLocked
					continue
				}
				one, err := c.store.Adopt(context.Background(), activations[i:i+1])
				if err != nil {
					return nil, err
				}
				results[i] = one[0]
			}
			return results, nil
		})
		start := time.Now()
		result := make(chan error, 1)
		go func() {
			_, err := n.Hold(c.Context(), seat(locked, uuid.New(), 5))
			result <- err
		}()
		c.holdAll(n, trains[1:])
		require.Less(c, time.Since(start), 100*time.Millisecond)
		require.NoError(c, <-result)
		require.GreaterOrEqual(c, time.Since(start), 2*time.Second)
		require.Equal(c, int64(1), c.store.Owner(locked).Epoch, "it was adopted once")
	})
}

func TestTrainThatStaysLockedIsUnavailable(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		n.link.adopt.set(func([]persistence.Adoption, func() ([]error, error)) ([]error, error) {
			return []error{persistence.ErrLocked}, nil
		})
		_, err := n.Hold(c.Context(), seat(id, uuid.New(), 5))
		refused := new(booking.Error)
		require.ErrorAs(c, err, &refused)
		require.Equal(c, booking.CodeUnavailable, refused.Code)
		require.Equal(c, booking.OutcomeNotExecuted, refused.Outcome)
		require.ErrorIs(c, err, persistence.ErrLocked)
		n.link.adopt.Store(nil)
		c.hold(n, id, 5)
	})
}
