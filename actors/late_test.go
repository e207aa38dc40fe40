package actors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
)

// lateRequest is a request that is delivered to the owner of its train after it has timed out.
type lateRequest struct {
	send      func(*node, booking.TrainID) error
	meanwhile func(*testing.T, *node, booking.TrainID) // the client has continued through another process
	after     func(*testing.T, *node, booking.TrainID)
}

// run sends the request at a process whose link to the owner is silent for a little longer than
// the request waits, and recovers then.
func (r lateRequest) run(t *testing.T) {
	t.Helper()
	const silence = actors.RequestTimeout + 700*time.Millisecond
	onVirtualCluster(t, func(c *virtualCluster) {
		c.Helper()
		owner, silent, other := c.join(), c.join(), c.join()
		id := c.trainOf(owner, owner, silent, other)
		require.Equal(c, 10, tally(c.T, silent, id).Available, "the processes are connected")
		c.hold(owner, id, 1)
		c.network.Silence(silent.address, owner.address)
		sent, result := time.Now(), make(chan error)
		go func() { result <- r.send(silent, id) }()
		require.Equal(c, booking.CodeTimeout, booking.CodeOf(<-result))
		require.Equal(c, actors.RequestTimeout, time.Since(sent))
		r.meanwhile(c.T, other, id)
		wait(silence - time.Since(sent))
		c.network.Heal()
		wait(time.Second)
		synctest.Wait()
		r.after(c.T, other, id)
	})
}

// holdAgain holds seat 5 for the user.
func holdAgain(t *testing.T, n *node, id booking.TrainID, user uuid.UUID) booking.Hold {
	t.Helper()
	h, err := n.Hold(t.Context(), seat(id, user, 5))
	require.NoError(t, err)
	return h
}

func TestLateReleaseBySeatKeepsANewHold(t *testing.T) {
	t.Parallel()
	ref := booking.HoldRef{User: uuid.New(), Seat: 5}
	var h booking.Hold
	lateRequest{
		send: func(n *node, id booking.TrainID) error {
			ref.Train = id
			return n.Release(context.Background(), ref)
		},
		meanwhile: func(t *testing.T, n *node, id booking.TrainID) {
			t.Helper()
			h = holdAgain(t, n, id, ref.User)
		},
		after: func(t *testing.T, n *node, _ booking.TrainID) {
			t.Helper()
			_, err := n.Confirm(t.Context(), refTo(h))
			require.NoError(t, err)
		},
	}.run(t)
}

func TestLateConfirmBySeatBooksNoNewHold(t *testing.T) {
	t.Parallel()
	ref := booking.HoldRef{User: uuid.New(), Seat: 5}
	lateRequest{
		send: func(n *node, id booking.TrainID) error {
			ref.Train = id
			_, err := n.Confirm(context.Background(), ref)
			return err
		},
		meanwhile: func(t *testing.T, n *node, id booking.TrainID) {
			t.Helper()
			holdAgain(t, n, id, ref.User)
		},
		after: func(t *testing.T, n *node, id booking.TrainID) {
			t.Helper()
			require.Equal(t, booking.Tally{Held: 2, Available: 8}, tally(t, n, id))
		},
	}.run(t)
}

func TestLateForcedDeleteCancelsNoNewBooking(t *testing.T) {
	t.Parallel()
	lateRequest{
		send: func(n *node, id booking.TrainID) error { return n.DeleteTrain(context.Background(), id, true) },
		meanwhile: func(t *testing.T, n *node, id booking.TrainID) {
			t.Helper()
			_, err := n.Confirm(t.Context(), refTo(holdAgain(t, n, id, uuid.New())))
			require.NoError(t, err)
		},
		after: func(t *testing.T, n *node, id booking.TrainID) {
			t.Helper()
			require.Equal(t, booking.Tally{Booked: 1, Held: 1, Available: 8}, tally(t, n, id))
		},
	}.run(t)
}

func TestLatePutDoesNotBringAnOlderVersionBack(t *testing.T) {
	t.Parallel()
	put := func(n *node, id booking.TrainID, name string) error {
		train := booking.Train{ID: id, Name: name, Capacity: 10, OnSale: true, Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}}}
		_, _, err := n.PutTrain(context.Background(), train)
		return err
	}
	lateRequest{
		send: func(n *node, id booking.TrainID) error { return put(n, id, "Older") },
		meanwhile: func(t *testing.T, n *node, id booking.TrainID) {
			t.Helper()
			require.NoError(t, put(n, id, "Newer"))
		},
		after: func(t *testing.T, n *node, id booking.TrainID) {
			t.Helper()
			found, err := n.FindTrain(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, "Newer", found.Train.Name)
		},
	}.run(t)
}

// The calls above may be cancelled before they are executed, so this test delivers complete calls.
func TestOwnerRefusesEveryCommandWhoseRequestHasTimedOut(t *testing.T) {
	t.Parallel()
	requireRefused(t, func(q *wire.ExecuteRequest) {
		q.Arrived = time.Now().Add(-actors.RequestTimeout).UnixMicro()
	})
}

// A caller repeats a request long before it times out, perhaps through another process.
func TestOwnerRefusesEveryCommandWhoseCallerHasStoppedWaiting(t *testing.T) {
	t.Parallel()
	requireRefused(t, func(q *wire.ExecuteRequest) {
		q.Arrived, q.Expires = time.Now().Add(-time.Second).UnixMicro(), time.Now().UnixMicro()
	})
}

// Otherwise a call would be executed that is as late as the clock was set back.
func TestOwnerRefusesEveryCommandAfterTheSharedClockWasSetBack(t *testing.T) {
	t.Parallel()
	requireRefused(t, func(q *wire.ExecuteRequest) {
		q.Arrived, q.Expires = time.Now().Add(time.Hour).UnixMicro(), time.Now().Add(time.Hour).UnixMicro()
	})
}

// requireRefused sends a late call of every command, and requires that none is executed.
func requireRefused(t *testing.T, late func(*wire.ExecuteRequest)) {
	t.Helper()
	onVirtualCluster(t, func(c *virtualCluster) {
		c.Helper()
		n, user := c.join(), uuid.New()
		id := c.trainOf(n, n)
		h := holdAgain(c.T, n, id, user)
		before, err := n.FindTrain(c.Context(), id)
		require.NoError(c, err)
		for name, q := range map[string]*wire.ExecuteRequest{
			"hold":    {Command: &wire.ExecuteRequest_Hold{Hold: &wire.Hold{User: user[:], Seats: []uint32{6}}}},
			"confirm": {Command: &wire.ExecuteRequest_Confirm{Confirm: &wire.HoldRef{User: user[:], Seat: 5}}},
			"release": {Command: &wire.ExecuteRequest_Release{Release: &wire.HoldRef{User: user[:], Hold: h.ID[:]}}},
			"change":  {Command: &wire.ExecuteRequest_Change{Change: &wire.Train{Id: id[:], Name: "Older", Capacity: 10}}},
			"delete":  {Command: &wire.ExecuteRequest_Delete{Delete: &wire.Delete{Force: true}}},
		} {
			q.Train = id[:]
			late(q)
			resp, err := actors.Server(n.System).Execute(c.Context(), q)
			require.NoError(c, err, name)
			require.True(c, resp.GetRetry() && resp.GetLate(), name)
			require.False(c, resp.GetLost(), "%s was not executed", name)
			after, err := n.FindTrain(c.Context(), id)
			require.NoError(c, err, name)
			require.Equal(c, before, after, name)
		}
	})
}

// After a slow heartbeat the clock that the members share is less precise: a request looks older
// than it is.
func TestHoldThroughAPeerHasItsWholeTimeOnAnImpreciseClock(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		n, user := c.join(), uuid.New()
		id := c.trainOf(n, n)
		const age, looks = 100 * time.Millisecond, time.Second
		resp, err := actors.Server(n.System).Execute(c.Context(), &wire.ExecuteRequest{
			Train: id[:], Arrived: time.Now().Add(-looks).UnixMicro(), Age: age.Microseconds(),
			Command: &wire.ExecuteRequest_Hold{Hold: &wire.Hold{User: user[:], Seats: []uint32{5}}},
		})
		require.NoError(c, err)
		deadline := time.UnixMicro(resp.GetHeld().GetExpiresAt())
		require.WithinDuration(c, time.Now().Add(rules.TTL-age), deadline, time.Millisecond)
	})
}
