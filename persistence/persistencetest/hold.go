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
	// Owner is the address in the leases of Adopt; "" if the engine has no leases.
	Owner string
	// Count returns the number of holds that are stored, whether a method returns them or not.
	Count func(t *testing.T) int
}

// ExerciseHolds tests a Holds. open returns an empty one and closes it with t.
func ExerciseHolds(t *testing.T, open func(t *testing.T) FencedHolds) {
	t.Helper()
	begin := func(t *testing.T) *holdExercise {
		t.Helper()
		store := open(t)
		return &holdExercise{T: t, FencedHolds: store, start: time.Now().UTC().Truncate(time.Millisecond)}
	}
	run(t, begin, []fact[*holdExercise]{
		{"HoldIsLoadedAsItWasPut", holdLoaded},
		{"PutReplacesTheHoldOfItsID", putReplaces},
		{"HoldWhoseIDIsUsedAgainIsOne", usedAgain},
		{"DroppedHoldIsDeleted", droppedDeleted},
		{"EndedHoldIsKeptForHoldRetention", endedKept},
		{"EndedHoldIsNotLoaded", endedNotLoaded},
		{"LatestHoldsOfAUserAreReturnedFirst", latestHolds},
		{"UserHoldsBelongToUserAndTrain", holdsOfUser},
		{"ReleasedHoldsBeyondMaxHistoryAreDeleted", releasedDeleted},
		{"LiveHoldsBeyondMaxHistoryAreKept", liveKept},
		{"OnlyTrainsWithLiveHoldsAreReturned", onlyLiveHolds},
		{"HoldsBelongToTheirTrain", holdsOfTrain},
		{"LiveHoldsOfTrainsAreLoadedInOrder", loadedInOrder},
		{"HoldsOfManyTrainsAreLoaded", manyLoaded},
		{"AdoptFencesThePreviousActivation", adoptFencesHolds},
		{"FencedHoldDoesNotAffectItsBatch", fencedHold},
		{"BatchIsExecutedInOrder", batchInOrder},
	})
	run(t, begin, holdsOfUserFacts)
}

// holdExercise is the fixture of a fact about a Holds.
type holdExercise struct {
	*testing.T
	FencedHolds
	start time.Time // in UTC and whole milliseconds; not long ago, because a store may drop ended holds
}

// newHold returns a hold of two seats that ends three minutes after the start.
func (x *holdExercise) newHold(id booking.TrainID) booking.Hold {
	return booking.Hold{
		ID: booking.NewHoldID(id), User: uuid.New(), Legs: booking.Segment(62, 63), Seats: []int{4, 20_000},
		ExpiresAt: x.start.Add(booking.DefaultHoldTTL),
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
	hold := x.newHold(guard.Train)
	require.NoError(x, x.writeHolds(put(guard, hold))[0])
	return hold
}

// putReleased stores a new hold and its release.
func (x *holdExercise) putReleased(guard persistence.Guard, hold booking.Hold) booking.Hold {
	x.Helper()
	released := hold
	released.Released = true
	require.Equal(x, []error{nil, nil}, x.writeHolds(put(guard, hold), put(guard, released)))
	return released
}

// requireUserHolds checks the holds of a user on a train at a time, the latest first.
func (x *holdExercise) requireUserHolds(id booking.TrainID, user uuid.UUID, at time.Time, want ...booking.Hold) {
	x.Helper()
	got, err := x.UserHolds(x.Context(), id, user, at)
	require.NoError(x, err)
	require.Len(x, got, len(want))
	for i := range want {
		require.Equal(x, want[i], got[i], "hold %d", i)
	}
}

// requireHolds checks the live holds of a train at a time.
func (x *holdExercise) requireHolds(id booking.TrainID, at time.Time, want ...booking.Hold) {
	x.Helper()
	got, err := LoadHolds(x.Context(), x, id, at)
	require.NoError(x, err)
	require.ElementsMatch(x, want, got)
}

func holdLoaded(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	x.requireHolds(guard.Train, x.start)
	first, second := x.putHold(guard), x.putHold(guard)
	x.requireHolds(guard.Train, x.start, first, second)
	require.Empty(x, x.writeHolds())
}

func putReplaces(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	hold := x.putHold(guard)
	hold.Seats, hold.Extended = []int{7}, true
	for range 2 { // idempotent
		require.NoError(x, x.writeHolds(put(guard, hold))[0])
		x.requireHolds(guard.Train, x.start, hold)
		x.requireUserHolds(guard.Train, hold.User, x.start, hold)
	}
	hold.Released = true
	for range 2 {
		require.NoError(x, x.writeHolds(put(guard, hold))[0])
		x.requireHolds(guard.Train, x.start)
		x.requireUserHolds(guard.Train, hold.User, x.start, hold)
	}
}

func usedAgain(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	hold := x.newHold(guard.Train)
	x.putReleased(guard, hold)
	hold.ExpiresAt = hold.ExpiresAt.Add(time.Minute)
	require.NoError(x, x.writeHolds(put(guard, hold))[0])
	x.requireHolds(guard.Train, x.start, hold)
	x.requireUserHolds(guard.Train, hold.User, x.start, hold)
	require.NoError(x, x.writeHolds(drop(guard, booking.Hold{ID: hold.ID}))[0])
	x.requireHolds(guard.Train, x.start)
	x.requireUserHolds(guard.Train, hold.User, x.start)
}

func droppedDeleted(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	dropped, kept := x.putHold(guard), x.putHold(guard)
	released := x.putReleased(guard, x.newHold(guard.Train))
	for _, hold := range []booking.Hold{dropped, released} {
		for range 2 { // idempotent
			require.NoError(x, x.writeHolds(drop(guard, booking.Hold{ID: hold.ID}))[0])
		}
		x.requireUserHolds(guard.Train, hold.User, x.start)
	}
	x.requireHolds(guard.Train, x.start, kept)
	x.requireUserHolds(guard.Train, kept.User, x.start, kept)
	require.Equal(x, 1, x.Count(x.T))
}

func endedKept(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	expired, released := x.putHold(guard), x.putReleased(guard, x.newHold(guard.Train))
	for _, hold := range []booking.Hold{expired, released} {
		end := hold.ExpiresAt.Add(booking.HoldRetention)
		x.requireUserHolds(guard.Train, hold.User, hold.ExpiresAt, hold)
		x.requireUserHolds(guard.Train, hold.User, end.Add(-time.Millisecond), hold)
		x.requireUserHolds(guard.Train, hold.User, end)
	}
}

func endedNotLoaded(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	hold := x.putHold(guard)
	x.putReleased(guard, x.newHold(guard.Train))
	x.requireHolds(guard.Train, hold.ExpiresAt.Add(-time.Millisecond), hold)
	x.requireHolds(guard.Train, hold.ExpiresAt)
}

// holdOfUser returns a hold of a user that ends a time after the start.
func (x *holdExercise) holdOfUser(id booking.TrainID, user uuid.UUID, after time.Duration) booking.Hold {
	hold := x.newHold(id)
	hold.User, hold.ExpiresAt = user, x.start.Add(after)
	return hold
}

// latestHolds puts holds in another order than that of their deadlines. One in three is released.
func latestHolds(x *holdExercise) {
	const n = persistence.MaxHistory + 5
	guard, user := x.Adopt(x.T, booking.NewTrainID()), uuid.New()
	want := make([]booking.Hold, n)
	for i := range want {
		place := i * 7 % n // each place once, since 7 and n have no common factor
		hold := x.holdOfUser(guard.Train, user, booking.DefaultHoldTTL-time.Duration(place)*time.Millisecond)
		if i%3 == 0 {
			hold = x.putReleased(guard, hold)
		} else {
			require.NoError(x, x.writeHolds(put(guard, hold))[0])
		}
		want[place] = hold
	}
	x.requireUserHolds(guard.Train, user, x.start, want[:persistence.MaxHistory]...)
}

func holdsOfUser(x *holdExercise) {
	guard, other := x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID())
	user := uuid.New()
	first := x.holdOfUser(guard.Train, user, time.Minute)
	second := x.holdOfUser(guard.Train, user, 2*time.Minute)
	elsewhere := x.holdOfUser(other.Train, user, 3*time.Minute)
	theirs := x.putHold(guard)
	require.Equal(x, make([]error, 3), x.writeHolds(put(guard, first), put(guard, second), put(other, elsewhere)))
	x.requireUserHolds(guard.Train, user, x.start, second, first)
	x.requireUserHolds(guard.Train, theirs.User, x.start, theirs)
	x.requireUserHolds(other.Train, user, x.start, elsewhere)
	x.requireUserHolds(guard.Train, uuid.New(), x.start)
	x.requireUserHolds(booking.NewTrainID(), user, x.start)
}

// releasedDeleted holds and releases in a loop.
func releasedDeleted(x *holdExercise) {
	guard, user := x.Adopt(x.T, booking.NewTrainID()), uuid.New()
	theirs := x.putReleased(guard, x.newHold(guard.Train))
	var want []booking.Hold // the latest first
	for i := range 3 * persistence.MaxHistory {
		hold := x.holdOfUser(guard.Train, user, booking.DefaultHoldTTL+time.Duration(i)*time.Millisecond)
		want = append([]booking.Hold{x.putReleased(guard, hold)}, want...)
	}
	x.requireUserHolds(guard.Train, user, x.start, want[:persistence.MaxHistory]...)
	x.requireUserHolds(guard.Train, theirs.User, x.start, theirs)
	require.LessOrEqual(x, x.Count(x.T), 2*persistence.MaxHistory+1)
}

// liveKept puts more live holds of a user than are returned, and then releases many later ones.
func liveKept(x *holdExercise) {
	guard, user := x.Adopt(x.T, booking.NewTrainID()), uuid.New()
	var live []booking.Hold
	var puts, drops []persistence.HoldWrite // at once, since the lease must not expire before the last one
	for i := range persistence.MaxHistory + 5 {
		hold := x.holdOfUser(guard.Train, user, booking.DefaultHoldTTL+time.Duration(i)*time.Millisecond)
		puts, drops = append(puts, put(guard, hold)), append(drops, drop(guard, hold))
		live = append(live, hold)
	}
	require.Equal(x, make([]error, len(puts)), x.writeHolds(puts...))
	for i := range persistence.MaxHistory {
		x.putReleased(guard, x.holdOfUser(guard.Train, user, 2*booking.DefaultHoldTTL+time.Duration(i)*time.Millisecond))
	}
	x.requireHolds(guard.Train, x.start, live...)
	require.Equal(x, make([]error, len(drops)), x.writeHolds(drops...))
	x.requireHolds(guard.Train, x.start)
	require.LessOrEqual(x, x.Count(x.T), 2*persistence.MaxHistory)
}

func onlyLiveHolds(x *holdExercise) {
	live, released, dropped := x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID())
	hold := x.putHold(live)
	x.putHold(live)
	over := x.newHold(released.Train)
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
	x.requireHolds(first.Train, x.start, hold)
	x.requireHolds(second.Train, x.start, other)
	x.requireHolds(booking.NewTrainID(), x.start)
}

// requireHeld checks the holds and owners of trains at a time.
func (x *holdExercise) requireHeld(at time.Time, trains []booking.TrainID, want ...persistence.HeldTrain) {
	x.Helper()
	got, err := x.LoadHolds(x.Context(), trains, at)
	require.NoError(x, err)
	require.Len(x, got, len(want))
	for i := range want {
		require.NoError(x, got[i].Err, "train %d", i)
		require.Equal(x, want[i].Owner, got[i].Value.Owner, "train %d", i)
		require.ElementsMatch(x, want[i].Holds, got[i].Value.Holds, "train %d", i)
	}
}

// loadedInOrder has one train twice, one whose holds are not live, and one that does not exist.
func loadedInOrder(x *holdExercise) {
	first, ended, second := x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID())
	holds := []booking.Hold{x.putHold(first), x.putHold(first)}
	other := x.putHold(second)
	x.putReleased(first, x.newHold(first.Train))
	x.putReleased(ended, x.newHold(ended.Train))
	require.NoError(x, x.writeHolds(drop(ended, x.putHold(ended)))[0])
	expired := x.holdOfUser(ended.Train, uuid.New(), -time.Second)
	require.NoError(x, x.writeHolds(put(ended, expired))[0])

	trains := []booking.TrainID{second.Train, booking.NewTrainID(), first.Train, ended.Train, first.Train}
	ofFirst, none := persistence.HeldTrain{Holds: holds, Owner: x.Owner}, persistence.HeldTrain{Owner: x.Owner}
	ofSecond := persistence.HeldTrain{Holds: []booking.Hold{other}, Owner: x.Owner}
	x.requireHeld(x.start, trains, ofSecond, persistence.HeldTrain{}, ofFirst, none, ofFirst)
	x.requireHeld(other.ExpiresAt.Add(-time.Millisecond), trains[:1], ofSecond)
	x.requireHeld(other.ExpiresAt, trains, none, persistence.HeldTrain{}, none, none, none)
	x.requireHeld(x.start, nil)

	current := x.Adopt(x.T, first.Train) // the next activation has the same holds
	x.requireHeld(x.start, []booking.TrainID{current.Train}, ofFirst)
}

// manyLoaded has as many trains as a page of a search: most have no holds, some have one and one
// has many.
func manyLoaded(x *holdExercise) {
	trains, want := make([]booking.TrainID, 1000), make([]persistence.HeldTrain, 1000)
	for i := range trains {
		trains[i] = booking.NewTrainID()
		if i%20 != 0 {
			continue
		}
		guard := x.Adopt(x.T, trains[i])
		writes := []persistence.HoldWrite{put(guard, x.newHold(guard.Train))}
		for range i % 100 * 5 { // 0 to 400
			writes = append(writes, put(guard, x.newHold(guard.Train)))
		}
		x.writeHolds(writes...)
		want[i].Owner = x.Owner
		for _, w := range writes {
			want[i].Holds = append(want[i].Holds, w.Hold)
		}
	}
	for i, held := range want {
		if held.Owner != "" { // a lease may have ended on a busy machine
			x.Adopt(x.T, trains[i])
		}
	}
	x.requireHeld(x.start, trains, want...)
}

func adoptFencesHolds(x *holdExercise) {
	id := booking.NewTrainID()
	old := x.Adopt(x.T, id)
	hold := x.putHold(old)
	current := x.Adopt(x.T, id)
	x.requireHolds(id, x.start, hold)
	otherOwner, neverAdopted := current, persistence.Guard{Train: booking.NewTrainID(), Epoch: 1, Owner: uuid.New()}
	otherOwner.Owner = uuid.New()
	released := hold
	released.Released = true
	for _, guard := range []persistence.Guard{old, otherOwner, neverAdopted} {
		for _, err := range x.writeHolds(put(guard, x.newHold(guard.Train)), put(guard, released), drop(guard, hold)) {
			require.ErrorIs(x, err, persistence.ErrFenced)
		}
	}
	x.requireHolds(id, x.start, hold)
	x.requireUserHolds(id, hold.User, x.start, hold)
	require.NoError(x, x.writeHolds(drop(current, hold))[0], "the current activation can drop it")
	x.requireHolds(id, x.start)
}

func fencedHold(x *holdExercise) {
	id := booking.NewTrainID()
	old := x.Adopt(x.T, id)
	current, other := x.Adopt(x.T, id), x.Adopt(x.T, booking.NewTrainID())
	mine, theirs := x.newHold(id), x.newHold(other.Train)
	results := x.writeHolds(put(other, theirs), put(old, x.newHold(id)), put(current, mine))
	require.NoError(x, results[0])
	require.ErrorIs(x, results[1], persistence.ErrFenced)
	require.NoError(x, results[2])
	x.requireHolds(id, x.start, mine)
	x.requireHolds(other.Train, x.start, theirs)
}

func batchInOrder(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	dropped, kept := x.newHold(guard.Train), x.newHold(guard.Train)
	x.writeHolds(put(guard, dropped), drop(guard, dropped), drop(guard, kept), put(guard, kept))
	x.requireHolds(guard.Train, x.start, kept)
}
