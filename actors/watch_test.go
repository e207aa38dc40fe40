package actors_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// seatWatcher applies the events of a watch.
type seatWatcher struct {
	*virtualCluster
	watch  booking.SeatWatch
	events []*booking.SeatEvent
	states string // a, h or b of each seat
}

func (c *virtualCluster) watch(n *node, id booking.TrainID) *seatWatcher {
	c.Helper()
	watch, err := n.WatchSeats(c.Context(), id, "", "", booking.EventID{})
	require.NoError(c, err)
	c.Cleanup(watch.Close)
	return &seatWatcher{virtualCluster: c, watch: watch}
}

// requireSeen checks the states after all events until now, and returns how many there were.
func (w *seatWatcher) requireSeen(states string) int {
	w.Helper()
	before := len(w.events)
	for {
		ctx, cancel := context.WithTimeout(w.Context(), time.Millisecond)
		e, err := w.watch.Next(ctx)
		cancel()
		if err != nil {
			require.ErrorIs(w, err, context.DeadlineExceeded)
			break
		}
		w.events = append(w.events, e)
		seats := []byte(w.states)
		if e.Type.Whole() {
			seats = make([]byte, len(e.Seats))
		}
		for _, seat := range e.Seats {
			require.NotEqual(w, seats[seat.Number-1], seat.State[0], "it has changed")
			seats[seat.Number-1] = seat.State[0]
		}
		w.states = string(seats)
	}
	require.Equal(w, states, w.states)
	return len(w.events) - before
}

const free10 = "aaaaaaaaaa"

func TestIdleTrainIsWatchedWithoutActivation(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		wait(5 * time.Second)
		id := c.trainOf(first, first, second)
		watchers := []*seatWatcher{c.watch(first, id), c.watch(second, id)}
		wait(5 * time.Second)
		for _, w := range watchers {
			require.Equal(c, 1, w.requireSeen(free10))
		}
		require.Empty(c, c.owner(id))

		hold := c.hold(second, id, 3)
		wait(time.Second)
		for _, w := range watchers {
			require.Equal(c, 1, w.requireSeen("aahaaaaaaa"))
		}
		require.Equal(c, watchers[0].events[1], watchers[1].events[1])
		wait(time.Until(hold.ExpiresAt) + time.Second)
		for _, w := range watchers {
			require.Equal(c, 1, w.requireSeen(free10))
		}
	})
}

// TestWatchersContinueAfterATakeover makes the owner of a train leave, and then cuts off the next one.
func TestWatchersContinueAfterATakeover(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second, third := c.join(), c.join(), c.join()
		wait(5 * time.Second)
		id := c.trainOf(first, first, second, third)
		c.hold(second, id, 1)
		c.hold(second, id, 2)
		w := c.watch(third, id)
		require.Equal(c, 1, w.requireSeen("hhaaaaaaaa"))

		require.NoError(c, first.Leave(c.Context()))
		wait(5 * time.Second)
		require.Zero(c, w.requireSeen("hhaaaaaaaa"), "nothing has changed")
		c.hold(third, id, 3)
		wait(2 * time.Second)
		require.Equal(c, 1, w.requireSeen("hhhaaaaaaa"))
		require.NotEqual(c, first.address, c.owner(id))
		require.Greater(c, w.events[1].ID.Epoch, int64(1))
		c.hold(first, id, 4)
		wait(2 * time.Second)
		require.Equal(c, 1, w.requireSeen("hhhhaaaaaa"))
	})
}

func TestWatchersContinueWhenTheOwnerIsCutOff(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		wait(5 * time.Second)
		id := c.trainOf(first, first, second)
		c.hold(second, id, 1)
		w := c.watch(second, id)
		require.Equal(c, 1, w.requireSeen("haaaaaaaaa"))
		first.link.unreachable.Store(true)
		c.network.Partition(first.address)
		wait(30 * time.Second)
		c.hold(second, id, 2)
		wait(2 * time.Second)
		require.Equal(c, 1, w.requireSeen("hhaaaaaaaa"))
		require.Equal(c, second.address, c.owner(id))
		first.link.unreachable.Store(false)
	})
}

func TestWatchEndsWhenTheTrainCannotBeRead(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		w := c.watch(n, id)
		require.Equal(c, 1, w.requireSeen(free10))
		failure := func([]booking.TrainID) error { return io.EOF } // as of a closed connection
		n.link.read.Store(&failure)
		wait(5 * time.Second)
		require.Zero(c, w.requireSeen(free10), "it may be read again soon")
		wait(15 * time.Second)
		ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
		defer cancel()
		_, err := w.watch.Next(ctx)
		require.Equal(c, booking.CodeUnavailable, booking.CodeOf(err))
		require.NotErrorIs(c, err, io.EOF, "it is not the end of the watch")
		n.link.read.Store(nil)
		require.Equal(c, 1, c.watch(n, id).requireSeen(free10))
	})
}

// TestRushIsAFewEvents lets a train sell out at once.
func TestRushIsAFewEvents(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		w := c.watch(n, id)
		require.Equal(c, 1, w.requireSeen(free10))
		for i := range 10 {
			h, err := n.Hold(c.Context(), seat(id, uuid.New(), i+1))
			require.NoError(c, err)
			_, err = n.Confirm(c.Context(), refTo(h))
			require.NoError(c, err)
		}
		wait(time.Second)
		require.LessOrEqual(c, w.requireSeen("bbbbbbbbbb"), 3)
	})
}

func TestWatchedSegmentIsKeptForThoseWhoReturn(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		id := c.trainOf(n, n)
		w := c.watch(n, id)
		c.hold(n, id, 1)
		wait(time.Second)
		w.requireSeen("haaaaaaaaa")
		w.watch.Close()
		c.hold(n, id, 2)
		wait(time.Second)
		resumed := func() *booking.SeatEvent {
			watch, err := n.WatchSeats(c.Context(), id, "", "", w.events[len(w.events)-1].ID)
			require.NoError(c, err)
			defer watch.Close()
			e, err := watch.Next(c.Context())
			require.NoError(c, err)
			return e
		}
		require.Equal(c, []booking.Seat{{Number: 2, State: booking.SeatHeld}}, resumed().Seats)
		wait(2 * time.Minute)
		require.Equal(c, booking.EventResync, resumed().Type)
	})
}

func TestWatchersOfAnotherProcessGetTheLastEvent(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		first, second := c.join(), c.join()
		wait(5 * time.Second)
		id := c.trainOf(first, first, second)
		w := c.watch(second, id)
		require.Equal(c, 1, w.requireSeen(free10))
		require.NoError(c, second.DeleteTrain(c.Context(), id, false))
		e, err := w.watch.Next(c.Context())
		require.NoError(c, err)
		require.Equal(c, booking.EventWithdrawn, e.Type)
		_, err = w.watch.Next(c.Context())
		require.ErrorIs(c, err, io.EOF)
	})
}

// TestWatchedSeatsAreBounded watches more segments than a process follows.
func TestWatchedSeatsAreBounded(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n := c.join()
		train := booking.Train{Name: "Long", Capacity: booking.MaxCapacity, OnSale: true}
		for i := range 12 { // 66 segments
			train.Stops = append(train.Stops, booking.Stop{Station: string(rune('A' + i))})
		}
		train, err := n.CreateTrain(c.Context(), train)
		require.NoError(c, err)
		var watches []booking.SeatWatch
		for from := range train.Stops {
			for to := from + 1; to < len(train.Stops); to++ {
				var watch booking.SeatWatch
				watch, err = n.WatchSeats(c.Context(), train.ID, train.Stops[from].Station, train.Stops[to].Station, booking.EventID{})
				if err == nil {
					watches = append(watches, watch)
				}
			}
		}
		require.Len(c, watches, 50)
		require.Equal(c, booking.CodeUnavailable, booking.CodeOf(err))
		again, err := n.WatchSeats(c.Context(), train.ID, "A", "B", booking.EventID{})
		require.NoError(c, err, "it is followed already")
		again.Close()
		for _, watch := range watches {
			watch.Close()
		}
		last, err := n.WatchSeats(c.Context(), train.ID, "K", "L", booking.EventID{})
		require.NoError(c, err, "nobody watches the others any more")
		last.Close()
	})
}
