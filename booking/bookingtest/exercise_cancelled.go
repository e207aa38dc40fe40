package bookingtest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var cancelledFacts = []fact{
	{"CancelledBookingStaysReadable", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		mine := x.book(x.between(request(train, user, 1), "B", "C"))
		kept := x.book(request(train, user, 2))
		theirs := x.book(request(train, uuid.New(), 3))
		require.Equal(x, booking.BookingConfirmed, mine.State())
		require.NoError(x, x.CancelBooking(x.ctx(), user, mine.ID))
		require.NoError(x, x.CancelAnyBooking(x.ctx(), uuid.Nil, theirs.ID))
		require.NoError(x, x.CancelAnyBooking(x.ctx(), uuid.Nil, mine.ID), "the first cancellation stays")
		cancelled := x.requireCancelled(mine, booking.ByPassenger, train)
		x.requireCancelled(theirs, booking.ByAdmin, train)

		require.Equal(x, []uuid.UUID{mine.ID}, x.bookingIDs(user, booking.PageRequest{Cancelled: true}))
		require.Equal(x, []uuid.UUID{kept.ID}, x.bookingIDs(user, booking.PageRequest{}))
		ofTrain, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{Cancelled: true})
		require.NoError(x, err)
		require.Len(x, ofTrain.Items, 2)
		require.Equal(x, cancelled.Booking, ofTrain.Items[0].Booking)
		require.Equal(x, theirs.ID, ofTrain.Items[1].ID)
		_, err = x.FindBooking(x.ctx(), theirs.User, mine.ID)
		x.requireCode(booking.CodeNotFound, err, "another user")
	}},
	{"SomeSeatsOfABookingAreCancelled", func(x *exercise) {
		train, user := x.create(x.draft(4)), uuid.New()
		b := x.book(request(train, user, 1, 2, 3))
		for range 2 { // idempotent
			require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID, 2))
			require.Equal(x, "baba", x.seats(train, "A", "D"))
		}
		part, rest := b, b
		part.ID, part.Seats = booking.PartOf(b.ID, []int{2}), []int{2}
		x.requireCancelled(part, booking.ByPassenger, train)
		rest.Seats = []int{1, 3}
		found, err := x.FindBooking(x.ctx(), user, b.ID)
		require.NoError(x, err)
		require.Equal(x, rest, found.Booking)
		require.Equal(x, []uuid.UUID{part.ID}, x.bookingIDs(user, booking.PageRequest{Cancelled: true}))
		for _, seats := range [][]int{{4}, {2, 3}} {
			x.requireCode(booking.CodeNotFound, x.CancelBooking(x.ctx(), user, b.ID, seats...))
		}
		x.requireCode(booking.CodeNotFound, x.CancelBooking(x.ctx(), uuid.New(), b.ID, 1), "another user")
		x.hold(request(train, uuid.New(), 2))
		require.NoError(x, x.CancelAnyBooking(x.ctx(), uuid.Nil, b.ID, 3, 1), "the rest")
		x.requireCancelled(rest, booking.ByAdmin, train)
		require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID, 1), "all of it is cancelled")
		require.Equal(x, "ahaa", x.seats(train, "A", "D"))
	}},
	{"CancelledBookingsAreListedInPages", func(x *exercise) {
		train, user := x.create(x.draft(5)), uuid.New()
		var want []uuid.UUID
		for seat := range 5 {
			b := x.book(request(train, user, seat+1))
			want = append(want, b.ID)
		}
		for _, id := range []int{3, 0, 4, 2, 1} { // in the order of the list nevertheless
			require.NoError(x, x.CancelBooking(x.ctx(), user, want[id]))
		}
		for _, newest := range []bool{false, true} {
			require.Equal(x, want, x.bookingIDs(user, booking.PageRequest{Limit: 2, NewestFirst: newest, Cancelled: true}))
			require.Empty(x, x.bookingIDs(user, booking.PageRequest{NewestFirst: newest}))
			slices.Reverse(want)
		}
		first, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{Limit: 3, Cancelled: true})
		require.NoError(x, err)
		rest, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{After: first.Next, Cancelled: true})
		require.NoError(x, err)
		require.Equal(x, want, idsOf(append(first.Items, rest.Items...)))
	}},
	{"CancelledBookingKeepsItsTrain", func(x *exercise) {
		long, user := x.create(x.draft(2)), uuid.New()
		onLong := x.book(x.between(request(long, user, 1), "C", "D"))
		require.NoError(x, x.CancelBooking(x.ctx(), user, onLong.ID))
		short := x.draftOf(long, 1)
		short.Name, short.Stops = "Short", long.Stops[:2]
		_, _, err := x.PutTrain(x.ctx(), short)
		require.NoError(x, err)
		onShort := x.book(request(short, user, 1))
		require.NoError(x, x.DeleteTrain(x.ctx(), long.ID, true))
		other := x.draft(7)
		other.ID, other.Name = long.ID, "Other"
		other.Stops = []booking.Stop{{Station: x.station("E")}, {Station: x.station("F")}}
		x.create(other)

		require.Equal(x, []uuid.UUID{onLong.ID, onShort.ID}, x.bookingIDs(user, booking.PageRequest{Cancelled: true}))
		onLong = x.requireCancelled(onLong, booking.ByPassenger, long).Booking
		onShort = x.requireCancelled(onShort, booking.ByTrain, short).Booking
		page, err := x.TrainBookings(x.ctx(), long.ID, booking.PageRequest{Cancelled: true})
		require.NoError(x, err)
		require.Equal(x, []uuid.UUID{onLong.ID, onShort.ID}, idsOf(page.Items))
		x.requireSameTrain(long, *page.Items[0].On)
		x.requireSameTrain(short, *page.Items[1].On)
	}},
	{"BookingsOfADeletedTrainAreListed", func(x *exercise) {
		train, user := x.create(x.draft(2)), uuid.New()
		b := x.book(request(train, user, 1))
		require.NoError(x, x.DeleteTrain(x.ctx(), train.ID, true))
		x.requireCancelled(b, booking.ByTrain, train)
		for cancelled, want := range map[bool][]uuid.UUID{false: nil, true: {b.ID}} {
			page, err := x.TrainBookings(x.ctx(), train.ID, booking.PageRequest{Cancelled: cancelled})
			require.NoError(x, err)
			require.Equal(x, want, idsOf(page.Items))
			require.Equal(x, want, x.bookingIDs(user, booking.PageRequest{Cancelled: cancelled}))
		}
	}},
}

// requireCancelled checks that a booking was cancelled by somebody a moment ago, when its train was as given,
// for its user and for an admin, and returns it.
func (x *exercise) requireCancelled(b booking.Booking, by booking.Canceller, train booking.Train) booking.BookedTrain {
	x.Helper()
	found, err := x.FindBooking(x.ctx(), b.User, b.ID)
	require.NoError(x, err)
	require.WithinDuration(x, time.Now(), found.CancelledAt, time.Minute)
	require.False(x, found.CancelledAt.Before(b.BookedAt))
	b.CancelledAt, b.CancelledBy = found.CancelledAt, by
	require.Equal(x, b, found.Booking)
	require.Equal(x, booking.BookingCancelled, found.State())
	x.requireSameTrain(train, *found.On)
	asAdmin, err := x.FindAnyBooking(x.ctx(), b.ID)
	require.NoError(x, err)
	require.Equal(x, found, asAdmin)
	return found
}

// bookingIDs returns the ids of the bookings of a user, from all pages.
func (x *exercise) bookingIDs(user uuid.UUID, page booking.PageRequest) []uuid.UUID {
	x.Helper()
	var ids []uuid.UUID
	for {
		found, err := x.UserBookings(x.ctx(), user, page)
		require.NoError(x, err)
		ids = append(ids, idsOf(found.Items)...)
		if page.After = found.Next; page.After.IsZero() {
			return ids
		}
	}
}

func idsOf(bookings []booking.BookedTrain) (ids []uuid.UUID) {
	for _, b := range bookings {
		ids = append(ids, b.ID)
	}
	return ids
}
