package memory_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/memory"
)

const here = "10.0.0.1:8090"

func TestStore(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseStore(t, func(*testing.T) persistence.Store { return memory.NewStore() })
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseSchedules(t, func(*testing.T) persistence.Store { return memory.NewStore() })
}

func TestHolds(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseHolds(t, func(*testing.T) persistencetest.FencedHolds {
		c := open()
		return persistencetest.FencedHolds{Holds: c, Owner: here, Adopt: func(t *testing.T, id booking.TrainID) persistence.Guard {
			t.Helper()
			return adopt(t, c, id)
		}, Count: func(*testing.T) int { return c.CountHolds() }}
	})
}

func TestLeases(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseLeases(t, func(*testing.T) persistence.Leases { return open() })
}

func TestMembers(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseMembers(t, func(*testing.T) persistence.Members { return open() })
}

func open() *memory.Client { return memory.NewShared(time.Now).At(here, time.Now) }

// adopt acquires the train's lease for a new activation, even if another holds it.
func adopt(t *testing.T, c *memory.Client, id booking.TrainID) persistence.Guard {
	t.Helper()
	if holder, held := c.Holder(id); held {
		require.NoError(t, persistencetest.ReleaseLease(t.Context(), c, holder))
	}
	lease := persistence.Lease{Train: id, Address: here, Owner: uuid.New()}
	holder, err := persistencetest.AcquireLease(t.Context(), c, lease)
	require.NoError(t, err)
	require.Equal(t, lease, holder)
	return persistence.Guard{Train: id, Epoch: 1, Owner: lease.Owner}
}

func TestLostDataHasNoLeaseAndNoHold(t *testing.T) {
	t.Parallel()
	c, id := open(), booking.NewTrainID()
	restore := c.Snapshot()
	guard := adopt(t, c, id)
	hold := booking.Hold{ID: booking.NewHoldID(id), Seats: []int{1}, ExpiresAt: time.Now().Add(time.Minute)}
	_, err := c.WriteHolds(t.Context(), []persistence.HoldWrite{{Guard: guard, Hold: hold}})
	require.NoError(t, err)
	for _, lose := range []func(){restore, c.Empty} {
		lose()
		holds, err := persistencetest.LoadHolds(t.Context(), c, id, time.Now())
		require.NoError(t, err)
		require.Empty(t, holds)
		_, held := c.Holder(id)
		require.False(t, held)
	}
}

func TestHoldsAreLoadedWithTheOwnerOfTheLease(t *testing.T) {
	t.Parallel()
	shared, id := memory.NewShared(time.Now), booking.NewTrainID()
	reader := shared.At(here, time.Now)
	requireOwner := func(want string) {
		t.Helper()
		held, err := reader.LoadHolds(t.Context(), []booking.TrainID{id}, time.Now())
		require.NoError(t, err)
		require.Equal(t, []persistence.Result[persistence.HeldTrain]{{Value: persistence.HeldTrain{Owner: want}}}, held)
	}
	requireOwner("")
	lease := persistence.Lease{Train: id, Address: "10.0.0.2:8090", Owner: uuid.New()}
	_, err := persistencetest.AcquireLease(t.Context(), shared.At(lease.Address, time.Now), lease)
	require.NoError(t, err)
	requireOwner(lease.Address)
	shared.Jump(persistence.LeaseTTL)
	requireOwner("")
}

func TestLeaseIsRemovedAfterTheClockJumpedBack(t *testing.T) {
	t.Parallel()
	c, id := open(), booking.NewTrainID()
	adopt(t, c, id)
	c.Jump(-time.Hour)
	wanted := persistence.Lease{Train: id, Address: "10.0.0.2:8090", Owner: uuid.New()}
	_, err := persistencetest.AcquireLease(t.Context(), c, wanted)
	require.ErrorIs(t, err, persistence.ErrConflict)
	holder, err := persistencetest.AcquireLease(t.Context(), c, wanted)
	require.NoError(t, err)
	require.Equal(t, wanted, holder)
	c.Jump(time.Minute)
	_, held := c.Holder(id)
	require.False(t, held, "it expires when the clock jumps ahead")
}
