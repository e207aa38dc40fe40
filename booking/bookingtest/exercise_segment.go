package bookingtest

import (
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// The facts about several segments of one seat: its free legs are sold, and a confirm by seat
// alone is refused when it is ambiguous (API.md 1, ambiguous_hold).
var segmentFacts = []fact{
	{"SeatIsSoldOnItsFreeLegs", func(x *exercise) {
		train := x.create(x.draft(1))
		middle := x.book(x.between(request(train, uuid.New(), 1), "B", "C"))
		for _, overlapping := range [][2]string{{"A", "D"}, {"A", "C"}, {"B", "D"}, {"B", "C"}} {
			_, err := x.Hold(x.ctx(), x.between(request(train, uuid.New(), 1), overlapping[0], overlapping[1]))
			x.requireCode(booking.CodeSeatBooked, err, overlapping)
		}
		x.hold(x.between(request(train, uuid.New(), 1), "A", "B"))
		x.book(x.between(request(train, uuid.New(), 1), "C", "D"))
		require.NoError(x, x.CancelBooking(x.ctx(), middle.User, middle.ID))
		require.Equal(x, "h a b", x.seats(train, "A", "B")+" "+x.seats(train, "B", "C")+" "+x.seats(train, "C", "D"))
	}},
	{"TwoHoldsOfOneSeatNeedTheirIDs", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		first := x.hold(x.between(request(train, user, 1), "A", "B"))
		second := x.hold(x.between(request(train, user, 1), "B", "D"))
		x.requireAmbiguous(train, user)
		b, err := x.Confirm(x.ctx(), byHold(second))
		require.NoError(x, err)
		require.Equal(x, second.Legs, b.Legs)
		x.requireAmbiguous(train, user)
		require.NoError(x, x.Release(x.ctx(), byHold(first)))
		x.requireAmbiguous(train, user)
		require.Equal(x, "a", x.seats(train, "A", "B"))
		require.Equal(x, "b", x.seats(train, "B", "D"))
	}},
	{"SeatIsAmbiguousAfterAReleasedSegment", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		first := x.hold(x.between(request(train, user, 1), "A", "B"))
		require.NoError(x, x.Release(x.ctx(), byHold(first)))
		second := x.hold(x.between(request(train, user, 1), "B", "C"))
		x.requireAmbiguous(train, user) // a late confirm of the first must not book the second
		_, err := x.Confirm(x.ctx(), byHold(first))
		x.requireCode(booking.CodeSeatNotLocked, err)
		_, err = x.Confirm(x.ctx(), byHold(second))
		require.NoError(x, err)
	}},
	{"SeatIsAmbiguousAfterACancelledSegment", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		b := x.book(x.between(request(train, user, 1), "A", "B"))
		require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID))
		x.hold(x.between(request(train, user, 1), "B", "C"))
		x.requireAmbiguous(train, user)
	}},
	{"SameSegmentAgainIsNotAmbiguous", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		first := x.hold(x.between(request(train, user, 1), "A", "B"))
		require.NoError(x, x.Release(x.ctx(), byHold(first)))
		second := x.hold(x.between(request(train, user, 1), "A", "B"))
		b, err := x.Confirm(x.ctx(), bySeat(train, user, 1))
		require.NoError(x, err)
		require.Equal(x, booking.BookingIDOf(user, second.ID), b.ID)
	}},
	{"OtherUsersAndSeatsAreNotAmbiguous", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		x.hold(x.between(request(train, uuid.New(), 1), "B", "C"))
		x.hold(x.between(request(train, user, 2), "B", "D"))
		x.hold(x.between(request(train, user, 1), "A", "B"))
		_, err := x.Confirm(x.ctx(), bySeat(train, user, 1))
		require.NoError(x, err)
	}},
}

// requireAmbiguous checks that seat 1 alone is ambiguous for the user.
func (x *exercise) requireAmbiguous(train booking.Train, user uuid.UUID) {
	x.Helper()
	_, err := x.Confirm(x.ctx(), bySeat(train, user, 1))
	x.requireCode(booking.CodeAmbiguousHold, err)
	x.requireCode(booking.CodeAmbiguousHold, x.Release(x.ctx(), bySeat(train, user, 1)))
}
