package actors_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// searchAC searches trains from A to C.
func (c *virtualCluster) searchAC(n *node) booking.Found {
	c.Helper()
	found, err := n.Search(c.Context(), "A", "C", time.Time{})
	require.NoError(c, err)
	return found
}

func TestAResultOfASearchIsCurrentUntilAnythingChanges(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		c.testCurrent(n, n, n)
	})
}

func TestAResultOfASearchInAPeerIsCurrentUntilAnythingChanges(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, peer := c.join(), c.join()
		c.trainOf(peer, n, peer)
		c.testCurrent(n, peer, n, peer)
	})
}

// testCurrent tests for how long a result of one node is current, with a train of another one.
func (c *virtualCluster) testCurrent(n, searched *node, all ...*node) {
	c.Helper()
	id := c.trainOf(n, all...)
	known := c.searchAC(searched).Current()
	require.Equal(c, n == searched, known, "a peer is first asked for its changes when a result is used again")
	draft := booking.Train{ID: id, Name: "Test Express", Capacity: 10, OnSale: true, Stops: []booking.Stop{
		{Station: "A"}, {Station: "B"}, {Station: "C"},
	}}
	put := func(change func()) func() {
		return func() {
			change()
			_, _, err := n.PutTrain(c.Context(), draft)
			require.NoError(c, err)
		}
	}
	var held booking.Hold
	hold := func() { held = c.hold(n, id, 5) }
	for _, change := range []struct {
		name string
		make func()
	}{
		{"hold", hold},
		{"release", func() { require.NoError(c, n.Release(c.Context(), refTo(held))) }},
		{"hold", hold},
		{"confirm", func() {
			_, err := n.Confirm(c.Context(), refTo(held))
			require.NoError(c, err)
		}},
		{"rename", put(func() { draft.Name = "Night Express" })},
		{"suspend", put(func() { draft.OnSale = false })},
		{"resume", put(func() { draft.OnSale = true })},
		{"another train", func() { c.trainOf(n, all...) }},
		{"another segment", func() {
			_, err := n.Hold(c.Context(), booking.HoldRequest{Train: id, User: held.User, From: "A", To: "B", Count: 1})
			require.NoError(c, err)
		}},
		{"close", func() {
			actors.Halt(n.System, id)
			synctest.Wait()
		}},
		{"delete", func() { require.NoError(c, n.DeleteTrain(c.Context(), id, true)) }},
	} {
		c.searchAC(searched).Current() // counts the changes of a peer until now
		before := c.searchAC(searched)
		require.True(c, before.Current(), change.name)
		change.make()
		require.False(c, before.Current(), change.name)
	}
}

func TestAResultOfASearchIsNotKeptBeyondTheTimeOfAChange(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		h := c.hold(n, id, 5)
		wait(time.Until(h.ExpiresAt) - time.Millisecond)
		held := c.searchAC(n)
		require.True(c, held.Current())
		wait(2 * time.Millisecond)
		require.False(c, held.Current(), "the hold has expired")

		leaves := time.Now().Add(500 * time.Millisecond)
		_, err := n.CreateTrain(c.Context(), booking.Train{Name: "Express", Capacity: 10, OnSale: true, Stops: []booking.Stop{
			{Station: "A", DepartsAt: leaves}, {Station: "C", ArrivesAt: leaves.Add(time.Hour)},
		}})
		require.NoError(c, err)
		found := c.searchAC(n)
		require.Len(c, found.Trains, 2)
		wait(time.Until(leaves) - time.Millisecond)
		require.True(c, found.Current())
		wait(time.Millisecond)
		require.False(c, found.Current(), "a train has left")

		found = c.searchAC(n)
		wait(time.Second)
		require.False(c, found.Current(), "the sale of others may have begun")
	})
}

func TestAResultOfASearchEndsWhenAMemberJoins(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		c.trainOf(n, n)
		before := c.searchAC(n)
		require.True(c, before.Current())
		c.join()
		require.False(c, before.Current(), "a train may belong to the new member")
	})
}

func TestAResultOfASearchEndsWhenAPeerDoesNotRespond(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, peer := c.join(), c.join()
		c.trainOf(peer, n, peer)
		c.searchAC(n).Current()
		before := c.searchAC(n)
		require.True(c, before.Current())
		c.network.Silence(n.address, peer.address)
		began := time.Now()
		require.False(c, before.Current())
		require.Less(c, time.Since(began), time.Second, "a search can still ask the stores")
	})
}

func TestAResultOfASearchEndsAfterMoreChangesThanAPeerRemembers(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, peer := c.join(), c.join()
		c.trainOf(peer, n, peer)
		c.searchAC(n).Current()
		for _, test := range []struct {
			changes int
			current bool
		}{{0, true}, {1, true}, {actors.MaxLogged, true}, {actors.MaxLogged + 1, false}, {0, true}} {
			before := c.searchAC(n)
			for range test.changes {
				actors.CountChange(peer.System, booking.TrainID{1})
			}
			require.Equal(c, test.current, before.Current(), "%d changes of another train", test.changes)
		}
		before := c.searchAC(n)
		actors.ForgetChanges(peer.System)
		require.False(c, before.Current(), "the peer was restarted")
		require.True(c, c.searchAC(n).Current())
	})
}

func TestAResultOfASearchEndsWithTheSnapshotThatAPeerHasRead(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, peer := c.join(), c.join()
		c.trainOf(peer, n, peer)
		c.searchAC(n).Current()
		wait(time.Second)
		c.searchAC(peer) // reads the stores, for a second
		wait(600 * time.Millisecond)
		found := c.searchAC(n)
		require.True(c, found.Current())
		wait(500 * time.Millisecond)
		require.False(c, found.Current(), "the peer would read the stores again")
	})
}

// TestAResultOfASearchEndsWithTheLeaseOfAPeer has a peer that still responds when its leases have ended.
func TestAResultOfASearchEndsWithTheLeaseOfAPeer(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, peer := c.join(), c.join()
		id := c.trainOf(peer, n, peer)
		c.hold(peer, id, 5)
		c.searchAC(n).Current()
		peer.link.unreachable.Store(true)
		var kept []booking.Found
		for range persistence.LeaseTTL / (10 * time.Millisecond) {
			if found := c.searchAC(n); found.Current != nil {
				kept = append(kept, found)
			}
			wait(10 * time.Millisecond)
		}
		require.NotEmpty(c, kept)
		require.Empty(c, c.owner(id))
		for _, found := range kept {
			require.False(c, found.Current(), "another process may own the train")
		}
	})
}

func TestNoResultOfASearchIsKeptOfATrainThatAnotherProcessOwns(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, peer := c.join(), c.join()
		id := c.trainOf(n, n, peer)
		other := c.shared.At("10.0.0.9:8090", time.Now) // which these processes do not know as a member
		acquired, err := other.AcquireLeases(c.Context(), []persistence.Lease{{Train: id, Address: "10.0.0.9:8090", Owner: uuid.New()}})
		require.NoError(c, err)
		require.NoError(c, acquired[0].Err)
		require.Nil(c, c.searchAC(n).Current)
		require.Nil(c, c.searchAC(peer).Current)
		wait(persistence.LeaseTTL)
		require.True(c, c.searchAC(n).Current())
		c.searchAC(peer).Current()
		require.True(c, c.searchAC(peer).Current())
	})
}

func TestNoResultOfASearchIsKeptOfATrainOfWhichAPeerHasAnotherDefinition(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, peer := c.join(), c.join()
		id := c.trainOf(peer, n, peer)
		c.searchAC(n).Current()
		require.True(c, c.searchAC(n).Current())
		peer.link.outdated.Store(true)
		_, _, err := n.PutTrain(c.Context(), booking.Train{ID: id, Name: "Night Express", Capacity: 10, OnSale: true, Stops: []booking.Stop{
			{Station: "A"}, {Station: "B"}, {Station: "C"},
		}})
		require.Equal(c, booking.CodeTimeout, booking.CodeOf(err), "%v", err)
		actors.Halt(peer.System, id)
		wait(10 * time.Second)
		found := c.searchAC(n)
		require.Equal(c, "Test Express", found.Trains[0].Train.Name)
		require.Nil(c, found.Current)
		peer.link.outdated.Store(false)
		wait(10 * time.Second)
		found = c.searchAC(n)
		require.Equal(c, "Night Express", found.Trains[0].Train.Name)
		require.NotNil(c, found.Current)
	})
}

func TestNoResultOfASearchIsKeptWhileTheLeaseIsReleased(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		c.hold(n, id, 5)
		before := c.searchAC(n)
		n.link.calls.duration = 100 * time.Millisecond
		actors.Halt(n.System, id)
		wait(50 * time.Millisecond)
		require.False(c, before.Current())
		require.Nil(c, c.searchAC(n).Current, "another process may own the train in a moment")
		wait(time.Second)
		require.True(c, c.searchAC(n).Current())
	})
}

func TestAResultOfASearchEndsWithTheLease(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		c.hold(n, c.trainOf(n, n), 5)
		n.onRead(func([]booking.TrainID) error { return errUnreachable })
		n.link.unreachable.Store(true)
		var kept []booking.Found
		for {
			found, err := n.Search(c.Context(), "A", "C", time.Time{})
			if err != nil {
				break
			}
			kept = append(kept, found)
			wait(10 * time.Millisecond)
		}
		require.NotEmpty(c, kept)
		for _, found := range kept {
			require.True(c, found.Current == nil || !found.Current(), "another process may own the train")
		}
	})
}

// TestASearchThroughAnyProcessFindsEarlierHolds has clients that hold a seat through one process and search through
// another, which keeps its results as the API does, while a process joins and takes over trains.
func TestASearchThroughAnyProcessFindsEarlierHolds(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		const clients, each = 6, 40
		nodes := []*node{c.join(), c.join(), c.join()}
		train := booking.Train{
			Name: "Express", Capacity: clients * each, OnSale: true, Stops: []booking.Stop{{Station: "A"}, {Station: "C"}},
		}
		var ids []booking.TrainID
		for range 4 {
			created, err := nodes[0].CreateTrain(c.Context(), train)
			require.NoError(c, err)
			ids = append(ids, created.ID)
		}
		var kept [3]atomic.Pointer[booking.Found]
		var reused atomic.Int64
		search := func(n int) booking.Found {
			if found := kept[n].Load(); found != nil && found.Current != nil && found.Current() {
				reused.Add(1)
				return *found
			}
			found, err := nodes[n].Search(c.Context(), "A", "C", time.Time{})
			require.NoError(c, err)
			kept[n].Store(&found)
			return found
		}
		var group errgroup.Group
		for client := range clients {
			group.Go(func() error {
				user := uuid.New()
				for n := range each {
					id, number := ids[(client+n)%len(ids)], client*each+n+1
					h, err := nodes[n%len(nodes)].Hold(c.Context(), seat(id, user, number))
					if err != nil {
						return err
					}
					for range 2 {
						for _, a := range search((n + client) % len(nodes)).Trains {
							if a.Train.ID == id && slices.Contains(seatsIn(c, a.SeatList), number) {
								return fmt.Errorf("seat %d is available after it was held", number)
							}
						}
					}
					if err := nodes[(n+1)%len(nodes)].Release(c.Context(), refTo(h)); err != nil {
						return err
					}
					wait(time.Millisecond)
				}
				return nil
			})
		}
		wait(each / 2 * time.Millisecond)
		c.join()
		require.NoError(c, group.Wait())
		require.Positive(c, reused.Load())
	})
}

// seatsIn returns the numbers of a seat list.
func seatsIn(c *virtualCluster, list booking.SeatList) (numbers []int) {
	c.Helper()
	require.NoError(c, json.Unmarshal([]byte(list.String()), &numbers))
	return numbers
}
