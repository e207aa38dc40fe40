package bookingtest

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var userHoldFacts = []fact{
	{"HoldIsListedWithItsTrain", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		x.requireUserHolds(user)
		hold := x.hold(x.between(request(train, user, 3, 1), "B", "C"))
		x.requireUserHolds(user, hold)
		x.requireUserHolds(uuid.New())
		other := train
		other.Name, other.OnSale = "Renamed", false
		_, _, err := x.PutTrain(x.ctx(), other)
		require.NoError(x, err)
		page, err := x.UserHolds(x.ctx(), user)
		require.NoError(x, err)
		require.Len(x, page.Items, 1)
		require.Equal(x, hold, page.Items[0].Hold)
		x.requireSameTrain(other, *page.Items[0].On)
	}},
	{"HoldsOnAllTrainsAreListedInTheOrderOfTheirEnds", func(x *exercise) {
		first, second, user := x.create(x.draft(3)), x.create(x.draft(3)), uuid.New()
		theirs := x.hold(request(first, uuid.New(), 3))
		var holds []booking.Hold
		for i, train := range []booking.Train{second, first, second, first} {
			holds = append(holds, x.hold(request(train, user, i/2+1)))
			x.requireUserHolds(user, inOrder(holds)...)
		}
		extended, err := x.Extend(x.ctx(), byHold(holds[1]))
		require.NoError(x, err)
		x.requireUserHolds(user, append(inOrder([]booking.Hold{holds[0], holds[2], holds[3]}), extended)...)
		x.requireUserHolds(theirs.User, theirs)
	}},
	{"HoldThatIsConfirmedOrReleasedIsNotListed", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		confirmed, released := x.hold(request(train, user, 1, 2)), x.hold(request(train, user, 3))
		kept := x.hold(request(train, user, 4))
		b, err := x.Confirm(x.ctx(), byHold(confirmed))
		require.NoError(x, err)
		x.requireUserHolds(user, inOrder([]booking.Hold{released, kept})...)
		require.NoError(x, x.Release(x.ctx(), byHold(released)))
		x.requireUserHolds(user, kept)
		require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID, 1))
		x.requireUserHolds(user, kept)
		require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID))
		x.requireUserHolds(user, kept)
		again := x.hold(request(train, user, 1, 2))
		x.requireUserHolds(user, inOrder([]booking.Hold{kept, again})...)
	}},
	{"HoldIsListedWithTheSeatsThatAreLeft", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		hold := x.hold(request(train, user, 1, 2, 3, 4))
		_, err := x.Confirm(x.ctx(), some(hold, 2))
		require.NoError(x, err)
		hold.Seats = []int{1, 3, 4}
		x.requireUserHolds(user, hold)
		require.NoError(x, x.Release(x.ctx(), some(hold, 1)))
		hold.Seats = []int{3, 4}
		x.requireUserHolds(user, hold)
		_, err = x.Confirm(x.ctx(), some(hold, 3, 4))
		require.NoError(x, err)
		x.requireUserHolds(user)
	}},
	{"HoldThatCannotBeConfirmedAnyMoreIsNotListed", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		hold := x.hold(request(train, user, 1))
		_, _, err := x.PutTrain(x.ctx(), offSale(train))
		require.NoError(x, err)
		x.requireUserHolds(user, hold)
		_, err = x.Confirm(x.ctx(), byHold(hold))
		x.requireCode(booking.CodeNotOnSale, err)
		x.requireUserHolds(user)
	}},
	{"HoldsOfADeletedTrainAreNotListed", func(x *exercise) {
		train, other, user := x.create(x.draft(1)), x.create(x.draft(1)), uuid.New()
		x.hold(request(train, user, 1))
		hold := x.hold(request(other, user, 1))
		require.NoError(x, x.DeleteTrain(x.ctx(), train.ID, false))
		x.requireUserHolds(user, hold)
		x.create(train)
		x.requireUserHolds(user, hold)
	}},
}

// requireUserHolds checks the list of the holds of a user, on trains of the draft.
func (x *exercise) requireUserHolds(user uuid.UUID, want ...booking.Hold) {
	x.Helper()
	page, err := x.UserHolds(x.ctx(), user)
	require.NoError(x, err)
	require.NotNil(x, page.Items)
	require.False(x, page.Incomplete)
	require.Zero(x, page.Next)
	require.Len(x, page.Items, len(want))
	for i := range want {
		require.Equal(x, want[i], page.Items[i].Hold)
		require.Equal(x, want[i].ID.Train(), page.Items[i].On.ID)
		require.Equal(x, x.station("A"), page.Items[i].On.Stops[0].Station)
	}
}

// inOrder sorts holds as a list of them is.
func inOrder(holds []booking.Hold) []booking.Hold {
	return slices.SortedFunc(slices.Values(holds), func(a, b booking.Hold) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
}
