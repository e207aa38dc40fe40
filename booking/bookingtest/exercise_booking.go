package bookingtest

import (
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var bookingFacts = []fact{
	{"CancelFreesOnlyItsOwnLegs", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		first := x.book(x.between(request(train, user, 1), "A", "B"))
		second := x.book(x.between(request(train, user, 1), "B", "C"))
		x.hold(x.between(request(train, uuid.New(), 1), "C", "D"))
		require.NoError(x, x.CancelBooking(x.ctx(), user, first.ID))
		require.Equal(x, "aa", x.seats(train, "A", "B"))
		require.Equal(x, "ba", x.seats(train, "B", "C"))
		require.Equal(x, "ha", x.seats(train, "C", "D"))
		x.book(x.between(request(train, uuid.New(), 1), "A", "B"))

		require.NoError(x, x.CancelBooking(x.ctx(), user, first.ID), "cancelling twice is cancelling once")
		require.Equal(x, "ba", x.seats(train, "A", "B"))
		mine, err := x.UserBookings(x.ctx(), user, booking.PageRequest{})
		require.NoError(x, err)
		require.Len(x, mine.Items, 1)
		require.Equal(x, second, mine.Items[0].Booking)
	}},
	{"CancelledBookingIsNotConfirmedAgain", func(x *exercise) {
		train, user := x.create(x.draft(1)), uuid.New()
		hold := x.hold(request(train, user, 1))
		b, err := x.Confirm(x.ctx(), byHold(hold))
		require.NoError(x, err)
		require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID))
		for _, ref := range []booking.HoldRef{byHold(hold), bySeat(train, user, 1)} {
			_, err = x.Confirm(x.ctx(), ref)
			x.requireCode(booking.CodeSeatNotLocked, err)
		}
		x.requireTally(train, booking.Tally{Available: 1})
		again := x.book(request(train, user, 1))
		require.NotEqual(x, b.ID, again.ID)
	}},
	{"BookingIsCancelledOnlyByItsUser", func(x *exercise) {
		train := x.create(x.draft(1))
		b := x.book(request(train, uuid.New(), 1))
		x.requireCode(booking.CodeNotFound, x.CancelBooking(x.ctx(), uuid.New(), b.ID))
		x.requireCode(booking.CodeNotFound, x.CancelBooking(x.ctx(), b.User, uuid.New()))
		x.requireCode(booking.CodeNotFound, x.CancelAnyBooking(x.ctx(), uuid.Nil, uuid.New()))
		x.requireTally(train, booking.Tally{Booked: 1})
	}},
	{"BookingIsFoundOnlyByItsUser", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		b := x.book(x.between(request(train, user, 2), "B", "C"))
		x.book(request(train, user, 1))
		found, err := x.FindBooking(x.ctx(), user, b.ID)
		require.NoError(x, err)
		require.Equal(x, b, found.Booking)
		x.requireSameTrain(train, *found.On)

		_, err = x.FindBooking(x.ctx(), uuid.New(), b.ID)
		x.requireCode(booking.CodeNotFound, err, "another user")
		_, err = x.FindBooking(x.ctx(), user, uuid.New())
		x.requireCode(booking.CodeNotFound, err, "no such booking")
		_, err = x.FindAnyBooking(x.ctx(), uuid.New())
		x.requireCode(booking.CodeNotFound, err, "no such booking")
	}},
	{"UserBookingsAreListedInBothOrders", func(x *exercise) {
		user := uuid.New()
		var want []uuid.UUID
		names := map[uuid.UUID]string{}
		for _, name := range []string{"First", "Second", "Third", "Fourth", "Fifth"} {
			draft := x.draft(2)
			draft.Name = name
			train := x.create(draft)
			b := x.book(request(train, user, 1))
			x.book(request(train, uuid.New(), 2))
			want, names[b.ID] = append(want, b.ID), name
		}
		for _, newest := range []bool{false, true} {
			for limit, pages := range map[int]int{0: 1, 1: 5, 2: 3, 5: 1} {
				var found []uuid.UUID
				for _, b := range x.userBookings(user, booking.PageRequest{Limit: limit, NewestFirst: newest}, pages) {
					found = append(found, b.ID)
					require.Equal(x, names[b.ID], b.On.Name)
					require.Equal(x, b.Train, b.On.ID)
				}
				require.Equal(x, want, found, "newest %t, limit %d", newest, limit)
			}
			require.Empty(x, x.userBookings(uuid.New(), booking.PageRequest{Limit: 3, NewestFirst: newest}, 1))
			slices.Reverse(want)
		}
	}},
	{"UserBookingsTurnRoundAtACursor", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		var made []booking.Booking
		for seat := range 3 {
			made = append(made, x.book(request(train, user, seat+1)))
		}
		first, err := x.UserBookings(x.ctx(), user, booking.PageRequest{Limit: 2})
		require.NoError(x, err)
		back := x.userBookings(user, booking.PageRequest{After: first.Next, NewestFirst: true}, 1)
		require.Len(x, back, 1, "a cursor is a position in both orders")
		require.Equal(x, made[0], back[0].Booking)
	}},
	{"TrainBookingsAreListedOldestFirst", func(x *exercise) {
		train := x.create(x.draft(5))
		none, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{})
		require.NoError(x, err)
		require.Empty(x, none.Items)
		var want []booking.Booking
		for _, seat := range []int{3, 1, 5} {
			want = append(want, x.book(request(train, uuid.New(), seat)))
		}
		cancelled := x.book(request(train, uuid.New(), 2))
		require.NoError(x, x.CancelBooking(x.ctx(), cancelled.User, cancelled.ID))
		requireListed := func(want []booking.Booking, items []booking.BookedTrain) {
			x.Helper()
			require.Len(x, items, len(want))
			for i, b := range items {
				require.Equal(x, want[i], b.Booking)
				x.requireSameTrain(train, *b.On)
			}
		}
		all, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{Limit: 3})
		require.NoError(x, err)
		requireListed(want, all.Items)
		require.True(x, all.Next.IsZero())
		first, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{Limit: 1})
		require.NoError(x, err)
		rest, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{After: first.Next})
		require.NoError(x, err)
		requireListed(want, append(first.Items, rest.Items...))
	}},
}

// userBookings returns the bookings of a user on the pages from a first one on, and checks the
// number of pages.
func (x *exercise) userBookings(user uuid.UUID, page booking.PageRequest, pages int) (found []booking.BookedTrain) {
	x.Helper()
	for n := 1; ; n++ {
		mine, err := x.UserBookings(x.ctx(), user, page)
		require.NoError(x, err)
		found = append(found, mine.Items...)
		if mine.Next.IsZero() {
			require.Equal(x, pages, n)
			return found
		}
		page.After = mine.Next
	}
}
