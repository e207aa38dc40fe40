package bookingtest

import (
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// some refers to some seats of a hold.
func some(h booking.Hold, seats ...int) booking.HoldRef {
	ref := byHold(h)
	ref.Seats = seats
	return ref
}

var partFacts = []fact{
	{"SomeSeatsOfAHoldAreBooked", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		hold := x.hold(request(train, user, 1, 2, 3, 4))
		part, err := x.Confirm(x.ctx(), some(hold, 3, 2))
		require.NoError(x, err)
		require.Equal(x, []int{2, 3}, part.Seats)
		require.Equal(x, "hbbh", x.seats(train, "A", "D"))
		left := hold
		left.Seats = []int{1, 4}
		x.requireUserHolds(user, left)
		again, err := x.Confirm(x.ctx(), some(hold, 2, 3))
		require.NoError(x, err)
		require.Equal(x, part, again)
		for _, seats := range [][]int{{2}, {1, 2}, {5}} {
			_, err := x.Confirm(x.ctx(), some(hold, seats...))
			x.requireCode(booking.CodeNotFound, err)
		}
		extended, err := x.Extend(x.ctx(), byHold(hold))
		require.NoError(x, err)
		require.Equal(x, []int{1, 4}, extended.Seats)
		rest, err := x.Confirm(x.ctx(), byHold(hold))
		require.NoError(x, err)
		require.Equal(x, []int{1, 4}, rest.Seats)
		require.NotEqual(x, part.ID, rest.ID)
		again, err = x.Confirm(x.ctx(), some(hold, 2, 3))
		require.NoError(x, err)
		require.Equal(x, part, again, "the hold has ended since")
		again, err = x.Confirm(x.ctx(), some(hold, 1, 4))
		require.NoError(x, err)
		require.Equal(x, rest, again, "these are all that was left")
		require.ElementsMatch(x, []uuid.UUID{part.ID, rest.ID}, x.bookingIDs(user, booking.PageRequest{}))
	}},
	{"SomeSeatsOfAHoldAreReleased", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		hold := x.hold(request(train, user, 1, 2, 3, 4))
		for range 2 { // idempotent
			require.NoError(x, x.Release(x.ctx(), some(hold, 2, 3)))
			require.Equal(x, "haah", x.seats(train, "A", "D"))
			left := hold
			left.Seats = []int{1, 4}
			x.requireUserHolds(user, left)
		}
		for _, seats := range [][]int{{2}, {1, 2}, {5}} {
			x.requireCode(booking.CodeNotFound, x.Release(x.ctx(), some(hold, seats...)))
		}
		x.requireCode(booking.CodeSeatNotLocked, x.Release(x.ctx(), booking.HoldRef{
			User: uuid.New(), Train: train.ID, Hold: hold.ID, Seats: []int{1},
		}), "another user")
		theirs := x.book(request(train, uuid.New(), 2))
		b, err := x.Confirm(x.ctx(), byHold(hold))
		require.NoError(x, err)
		require.Equal(x, []int{1, 4}, b.Seats)
		require.Equal(x, "bbab", x.seats(train, "A", "D"))
		require.NoError(x, x.CancelAnyBooking(x.ctx(), uuid.Nil, theirs.ID))
		require.NoError(x, x.Release(x.ctx(), some(hold, 2, 3)), "it was released, whatever came after it")
		x.requireCode(booking.CodeSeatNotLocked, x.Release(x.ctx(), some(hold, 1, 4)), "they are booked")
	}},
	{"PartThatWasBookedIsCancelled", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		hold := x.hold(request(train, user, 1, 2, 3))
		part, err := x.Confirm(x.ctx(), some(hold, 1, 2))
		require.NoError(x, err)
		require.NoError(x, x.CancelBooking(x.ctx(), user, part.ID, 2))
		require.Equal(x, "bah", x.seats(train, "A", "D"))
		require.NoError(x, x.CancelBooking(x.ctx(), user, part.ID))
		require.Equal(x, "aah", x.seats(train, "A", "D"))
		x.book(request(train, uuid.New(), 1, 2))
		_, err = x.Confirm(x.ctx(), some(hold, 1, 2))
		x.requireCode(booking.CodeNotFound, err)
		last, err := x.Confirm(x.ctx(), some(hold, 3))
		require.NoError(x, err)
		require.Equal(x, "bbb", x.seats(train, "A", "D"))
		require.Equal(x, []uuid.UUID{last.ID}, x.bookingIDs(user, booking.PageRequest{}))
	}},
}
