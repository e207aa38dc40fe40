package persistencetest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var holdsOfUserFacts = []fact[*holdExercise]{
	{"HoldsOfAUserAreThoseOnAllTrains", holdsOnAllTrains},
	{"HoldOfAnyLengthIsOneOfItsUser", holdOfAnyLength},
	{"ExtendedHoldIsOneOfItsUserUntilItEnds", extendedOfUser},
	{"HoldPutAgainIsOneOfItsUser", putAgainOfUser},
	{"LiveHoldIsFoundAmongManyReleasedOnes", foundAmongReleased},
	{"HoldsOfUsersWithNeighbouringIDsAreApart", neighbouringUsers},
	{"MoreThanMaxUserHoldsAreIncomplete", manyOfUser},
}

// requireOfUser checks the holds of a user on all trains at a time.
func (x *holdExercise) requireOfUser(user uuid.UUID, at time.Time, want ...booking.Hold) {
	x.Helper()
	got, err := x.HoldsOfUser(x.Context(), user, at)
	require.NoError(x, err)
	require.ElementsMatch(x, want, got.Holds)
	require.False(x, got.Incomplete)
}

func holdsOnAllTrains(x *holdExercise) {
	first, second, third := x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID()), x.Adopt(x.T, booking.NewTrainID())
	user := uuid.New()
	x.requireOfUser(user, x.start)
	holds := []booking.Hold{
		x.holdOfUser(first.Train, user, 5*time.Minute), x.holdOfUser(first.Train, user, 6*time.Minute),
		x.holdOfUser(second.Train, user, 7*time.Minute),
	}
	theirs, dropped := x.newHold(second.Train), x.holdOfUser(third.Train, user, 7*time.Minute)
	require.Equal(x, make([]error, 6), x.writeHolds(
		put(first, holds[0]), put(first, holds[1]), put(second, holds[2]), put(second, theirs), put(third, dropped), drop(third, dropped),
	))
	x.putReleased(second, x.holdOfUser(second.Train, user, 7*time.Minute))
	x.requireOfUser(user, x.start, holds...)
	x.requireOfUser(theirs.User, x.start, theirs)
	x.requireOfUser(user, holds[0].ExpiresAt.Add(-time.Millisecond), holds...)
	x.requireOfUser(user, holds[0].ExpiresAt, holds[1:]...)
	require.NoError(x, x.writeHolds(drop(first, holds[1]))[0])
	x.requireOfUser(user, holds[0].ExpiresAt, holds[2])
	current := x.Adopt(x.T, second.Train)
	require.ErrorIs(x, x.writeHolds(put(second, x.holdOfUser(second.Train, user, 7*time.Minute)))[0], persistence.ErrFenced)
	x.requireOfUser(user, holds[0].ExpiresAt, holds[2])
	x.putReleased(current, holds[2])
	x.requireOfUser(user, holds[0].ExpiresAt)
}

// holdOfAnyLength has holds of lengths up to the longest that the rules allow, until their ends.
func holdOfAnyLength(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	var writes []persistence.HoldWrite
	for ttl := booking.DefaultHoldTTL; ttl < 2*booking.MaxHoldTTL; ttl = (ttl * 5 / 4).Truncate(time.Millisecond) {
		writes = append(writes, put(guard, x.holdOfUser(guard.Train, uuid.New(), ttl)))
	}
	writes = append(writes, put(guard, x.holdOfUser(guard.Train, uuid.New(), 2*booking.MaxHoldTTL)))
	require.Equal(x, make([]error, len(writes)), x.writeHolds(writes...))
	for _, w := range writes {
		x.requireOfUser(w.Hold.User, x.start, w.Hold)
		x.requireOfUser(w.Hold.User, w.Hold.ExpiresAt.Add(-time.Millisecond), w.Hold)
		x.requireOfUser(w.Hold.User, w.Hold.ExpiresAt)
	}
}

func extendedOfUser(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	hold := x.putHold(guard)
	first := hold.ExpiresAt
	for _, ttl := range []time.Duration{booking.DefaultHoldTTL, booking.MaxHoldTTL} {
		hold.ExpiresAt, hold.Extended = first.Add(ttl), true
		require.NoError(x, x.writeHolds(put(guard, hold))[0])
		x.requireOfUser(hold.User, x.start, hold)
		x.requireOfUser(hold.User, first.Add(ttl-time.Millisecond), hold)
	}
	other := x.holdOfUser(guard.Train, hold.User, booking.DefaultHoldTTL) // ends long before
	require.NoError(x, x.writeHolds(put(guard, other))[0])
	x.requireOfUser(hold.User, x.start, hold, other)
	x.requireOfUser(hold.User, hold.ExpiresAt.Add(-time.Millisecond), hold)
}

func putAgainOfUser(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	hold := x.newHold(guard.Train)
	for range 2 {
		require.NoError(x, x.writeHolds(persistence.HoldWrite{Guard: guard, Op: persistence.HoldPutAgain, Hold: hold})[0])
		x.requireOfUser(hold.User, x.start, hold)
	}
}

// foundAmongReleased releases more holds than UserHolds returns, which end later than a live one.
func foundAmongReleased(x *holdExercise) {
	guard := x.Adopt(x.T, booking.NewTrainID())
	live := x.putHold(guard)
	for i := range persistence.MaxHistory + 5 {
		x.putReleased(guard, x.holdOfUser(guard.Train, live.User, 2*booking.DefaultHoldTTL+time.Duration(i)*time.Millisecond))
	}
	x.requireOfUser(live.User, x.start, live)
	require.NoError(x, x.writeHolds(drop(guard, live))[0])
	x.requireOfUser(live.User, x.start)
}

func neighbouringUsers(x *holdExercise) {
	id := booking.NewTrainID()
	guard := x.Adopt(x.T, id)
	var holds []booking.Hold
	for _, first := range []byte{0, 1, 2, 0xff} {
		hold := x.newHold(id)
		hold.User = uuid.UUID{0: first, 15: 7}
		holds = append(holds, hold)
		require.NoError(x, x.writeHolds(put(guard, hold))[0])
	}
	for _, hold := range holds {
		x.requireOfUser(hold.User, x.start, hold)
	}
	x.requireOfUser(uuid.UUID{15: 8}, x.start)
}

// manyOfUser has a hold on each of as many trains as can be listed, and then on one more.
func manyOfUser(x *holdExercise) {
	user := uuid.New()
	hold := func(i int) persistence.HoldWrite {
		guard := x.Adopt(x.T, booking.NewTrainID())
		return put(guard, x.holdOfUser(guard.Train, user, booking.DefaultHoldTTL+time.Duration(i)*time.Millisecond))
	}
	var want []booking.Hold
	for len(want) < persistence.MaxUserHolds {
		var writes []persistence.HoldWrite // few at once, since the first lease may expire before the last one is acquired
		for len(writes) < 50 && len(want) < persistence.MaxUserHolds {
			writes = append(writes, hold(len(want)))
			want = append(want, writes[len(writes)-1].Hold)
		}
		require.Equal(x, make([]error, len(writes)), x.writeHolds(writes...))
	}
	x.requireOfUser(user, x.start, want...)
	require.NoError(x, x.writeHolds(hold(len(want)))[0])
	got, err := x.HoldsOfUser(x.Context(), user, x.start)
	require.NoError(x, err)
	require.GreaterOrEqual(x, len(got.Holds), len(want))
	require.True(x, got.Incomplete || len(got.Holds) == len(want)+1)
}
