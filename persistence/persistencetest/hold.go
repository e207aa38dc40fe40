package persistencetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// FencedHolds is a Holds with a function to adopt trains, which depends on the engine (an epoch
// or a lease).
type FencedHolds struct {
	persistence.Holds
	// Adopt adopts the train for a new activation and returns its guard. The first call for an
	// id creates the train.
	Adopt func(t *testing.T, id booking.TrainID) persistence.Guard
}

// ExerciseHolds tests a Holds. open returns an empty one and closes it with t.
func ExerciseHolds(t *testing.T, open func(t *testing.T) FencedHolds) {
	t.Helper()
	begin := func(t *testing.T) *holdExercise {
		t.Helper()
		return &holdExercise{T: t, FencedHolds: open(t)}
	}
	run(t, begin, []fact[*holdExercise]{
		{"HoldIsLoadedAsItWasPut", holdLoaded},
		{"PutReplacesTheHoldOfItsID", putReplaces},
		{"DroppedHoldIsDeleted", droppedDeleted},
		{"EndedHoldIsKeptForHoldRetention", endedKept},
		{"OnlyTrainsWithLiveHoldsAreReturned", onlyLiveHolds},
		{"HoldsBelongToTheirTrain", holdsOfTrain},
		{"AdoptFencesThePreviousActivation", adoptFencesHolds},
		{"FencedHoldDoesNotAffectItsBatch", fencedHold},
		{"BatchIsExecutedInOrder", batchInOrder},
	})
}

// holdExercise is the fixture of a fact about a Holds.
type holdExercise struct {
	*testing.T
	FencedHolds
}

// newHold returns a hold of two seats that ends three minutes after start.
func newHold(id booking.TrainID) booking.Hold {
	return booking.Hold{
		ID: booking.NewHoldID(id), User: uuid.New(), Legs: booking.Segment(62, 63), Seats: []int{4, 20_000},
		ExpiresAt: start.Add(booking.DefaultHoldTTL),
	}
}

func put(guard persistence.Guard, hold booking.Hold) persistence.HoldWrite {
	return persistence.HoldWrite{Guard: guard, Op: persistence.HoldPut, Hold: hold}
}

func drop(guard persistence.Guard, hold booking.Hold) persistence.HoldWrite {
	return persistence.HoldWrite{Guard: guard, Op: persistence.HoldDrop, Hold: hold}
}

// writeHolds executes a batch and returns the results.
func (x *holdExercise) writeHolds(writes ...persistence.HoldWrite) []error {
	x.Helper()
	results, err := x.WriteHolds(x.Context(), writes)
	require.NoError(x, err)
	require.Len(x, results, len(writes))
	return results
}

// putHold writes a new hold, which must succeed.
func (x *holdExercise) putHold(guard persistence.Guard) booking.Hold {
	x.Helper()
	hold := newHold(guard.Train)
	require.NoError(x, x.writeHolds(put(guard, hold))[0])
	return hold
}

// requireHolds checks the holds of a train at a time.
func (x *holdExercise) requireHolds(id booking.TrainID, at time.Time, want ...booking.Hold) {
	x.Helper()
	got, err := x.LoadHolds(x.Context(), id, at)
	require.NoError(x, err)
	require.ElementsMatch(x, want, got)
}

func holdLoaded(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	x.requireHolds(guard.Train, start)
	first, second := x.putHold(guard), x.putHold(guard)
	x.requireHolds(guard.Train, start, first, second)
	require.Empty(x, x.writeHolds())
}

func putReplaces(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	hold := x.putHold(guard)
	hold.Released = true
	for range 2 { // idempotent
		require.NoError(x, x.writeHolds(put(guard, hold))[0])
	}
	x.requireHolds(guard.Train, start, hold)
}

func droppedDeleted(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	dropped, kept := x.putHold(guard), x.putHold(guard)
	for range 2 { // idempotent
		require.NoError(x, x.writeHolds(drop(guard, dropped))[0])
	}
	x.requireHolds(guard.Train, start, kept)
}

func endedKept(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	hold, released := x.putHold(guard), newHold(guard.Train)
	released.Released = true
	require.NoError(x, x.writeHolds(put(guard, released))[0])
	end := hold.ExpiresAt.Add(booking.HoldRetention)
	x.requireHolds(guard.Train, hold.ExpiresAt, hold, released)
	x.requireHolds(guard.Train, end.Add(-time.Millisecond), hold, released)
	x.requireHolds(guard.Train, end)
}

func onlyLiveHolds(x *holdExercise) {
	live, released, dropped := x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID())
	hold := x.putHold(live)
	x.putHold(live)
	over := newHold(released.Train)
	over.Released = true
	require.NoError(x, x.writeHolds(put(released, over))[0])
	require.NoError(x, x.writeHolds(drop(dropped, x.putHold(dropped)))[0])
	for at, want := range map[time.Time][]booking.TrainID{
		hold.ExpiresAt.Add(-time.Millisecond): {live.Train},
		hold.ExpiresAt:                        nil,
	} {
		got, err := x.TrainsWithHolds(x.Context(), at)
		require.NoError(x, err)
		require.ElementsMatch(x, want, got)
	}
}

func holdsOfTrain(x *holdExercise) {
	first, second := x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID())
	hold, other := x.putHold(first), x.putHold(second)
	x.requireHolds(first.Train, start, hold)
	x.requireHolds(second.Train, start, other)
	x.requireHolds(booking.NewTrainID(), start)
}

func adoptFencesHolds(x *holdExercise) {
	id := booking.NewTrainID()
	old := x.Adopt(x.T, id)
	hold := x.putHold(old)
	current := x.Adopt(x.T, id)
	x.requireHolds(id, start, hold)
	otherOwner, neverAdopted := current, persistence.Guard{Train: booking.NewTrainID(), Epoch: 1, Owner: uuid.New()}
	otherOwner.Owner = uuid.New()
	for _, guard := range []persistence.Guard{old, otherOwner, neverAdopted} {
		results := x.writeHolds(put(guard, newHold(guard.Train)), drop(guard, hold))
		require.ErrorIs(x, results[0], persistence.ErrFenced)
		require.ErrorIs(x, results[1], persistence.ErrFenced)
	}
	x.requireHolds(id, start, hold)
	require.NoError(x, x.writeHolds(drop(current, hold))[0], "the current activation can drop it")
	x.requireHolds(id, start)
}

func fencedHold(x *holdExercise) {
	id := booking.NewTrainID()
	old := x.Adopt(x.T, id)
	current, other := x.Adopt(x.T, id), x.Adopt(x.T, booking.NewTrainID())
	mine, theirs := newHold(id), newHold(other.Train)
	results := x.writeHolds(put(other, theirs), put(old, newHold(id)), put(current, mine))
	require.NoError(x, results[0])
	require.ErrorIs(x, results[1], persistence.ErrFenced)
	require.NoError(x, results[2])
	x.requireHolds(id, start, mine)
	x.requireHolds(other.Train, start, theirs)
}

func batchInOrder(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	dropped, kept := newHold(guard.Train), newHold(guard.Train)
	x.writeHolds(put(guard, dropped), drop(guard, dropped), drop(guard, kept), put(guard, kept))
	x.requireHolds(guard.Train, start, kept)
}
