package persistencetest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var bookingFacts = []fact[*exercise]{
	{"CancelClearsOnlyItsOwnLegs", cancelClearsOwn},
	{"RepeatedCancelKeepsTheFirst", cancelTwice},
	{"CancelFindsOnlyBookingsOfItsTrain", cancelOwnTrain},
	{"CancelledBookingsAreThoseOfUserAndTrain", cancelledOfUser},
	{"LatestCancelledBookingsAreReturnedFirst", cancelledLatest},
	{"PagesOfEqualTimesNeitherRepeatNorSkip", pagesAreStable},
	{"PagesHaveEachBookingOfBeforeTheFirstOnce", lateBooking},
	{"UserBookingsHaveTheirTrains", userBookings},
	{"SeatLegsAreOfTheTrainsInOrder", legsInOrder},
	{"SeatLegsOfManyTrainsAreFound", legsOfMany},
	{"BookingIsFoundWithItsTrain", findBookedTrain},
	{"UserBookingsFitTheStopsOfTheirTrains", stopsOfSnapshot},
	{"BookingsAreFoundByTheirIDs", foundByIDs},
	{"CancelledBookingsAreListedApart", cancelledApart},
	{"SomeSeatsAreCancelledApart", seatsCancelled},
	{"CancelledBookingKeepsItsTrain", cancelledKeepsTrain},
	{"BookingsOfADeletedTrainAreListed", deletedListed},
}

func cancelClearsOwn(x *exercise) {
	guard := x.createAdopted()
	front := x.sell(guard, booking.Segment(0, 1), 1, 2)
	middle := x.sell(guard, booking.Segment(1, 2), 1, 2, 3)
	x.sell(guard, booking.Segment(2, 3), 2)
	require.NoError(x, x.CancelBooking(x.Context(), guard, middle.ID, start, booking.ByPassenger))
	require.Equal(x, 2, x.booked(guard.Train, front.Legs))
	require.Equal(x, 0, x.booked(guard.Train, middle.Legs))
	require.Equal(x, 1, x.booked(guard.Train, booking.Segment(2, 3)))
	require.ErrorIs(x, x.book(saleOf(guard, booking.Segment(0, 2), 1))[0], persistence.ErrConflict)
	x.sell(guard, middle.Legs, 1, 2, 3)
}

func cancelTwice(x *exercise) {
	guard := x.createAdopted()
	sold := x.sell(guard, booking.Segment(0, 1), 1)
	at := start.Add(time.Minute)
	first := x.cancel(guard, sold, at, booking.ByAdmin)
	again := x.sell(guard, booking.Segment(0, 1), 1)
	x.cancel(guard, sold, at.Add(time.Hour), booking.ByPassenger)
	require.Equal(x, 1, x.booked(guard.Train, sold.Legs), "the second cancel clears nothing")
	require.Equal(x, []booking.Booking{again}, x.load(guard.Train).Bookings)
	require.Equal(x, []booking.Booking{first}, x.cancelled(guard.Train, sold.User))
}

// foundByIDs has a live booking, a cancelled one, one of another train and ids without a booking.
func foundByIDs(x *exercise) {
	first, second := x.createAdopted(), x.createAdopted()
	live := x.sell(first, booking.Segment(0, 1), 1, 2)
	cancelled := x.cancel(first, x.sell(first, booking.Segment(0, 1), 3), start, booking.ByPassenger)
	other := x.sell(second, booking.Segment(1, 2), 1)
	x.sell(second, booking.Segment(1, 2), 2)
	found, err := x.FindBookings(x.Context(), []uuid.UUID{uuid.New(), other.ID, live.ID, cancelled.ID, uuid.Max})
	require.NoError(x, err)
	require.ElementsMatch(x, []booking.Booking{live, cancelled, other}, found)
	found, err = x.FindBookings(x.Context(), nil)
	require.NoError(x, err)
	require.Empty(x, found)
}

// cancelled returns the bookings of a train that a user has cancelled.
func (x *exercise) cancelled(id booking.TrainID, user uuid.UUID) []booking.Booking {
	x.Helper()
	bookings, err := x.CancelledBookings(x.Context(), id, user)
	require.NoError(x, err)
	return bookings
}

func cancelledOfUser(x *exercise) {
	user := uuid.New()
	sell := func(guard persistence.Guard, seat int) booking.Booking {
		sale := saleOf(guard, booking.Segment(0, 2), seat)
		sale.Booking.User = user
		require.NoError(x, x.book(sale)[0])
		return sale.Booking
	}
	guard, other := x.createAdopted(), x.createAdopted()
	require.Empty(x, x.cancelled(guard.Train, user))
	require.Empty(x, x.cancelled(booking.NewTrainID(), user))
	mine, live := sell(guard, 1), sell(guard, 2)
	theirs, elsewhere := x.sell(guard, booking.Segment(0, 2), 3), sell(other, 1)
	mine = x.cancel(guard, mine, start, booking.ByPassenger)
	theirs = x.cancel(guard, theirs, start, booking.ByAdmin)
	elsewhere = x.cancel(other, elsewhere, start, booking.ByPassenger)
	require.Equal(x, []booking.Booking{mine}, x.cancelled(guard.Train, user))
	require.Equal(x, []booking.Booking{theirs}, x.cancelled(guard.Train, theirs.User))
	require.Equal(x, []booking.Booking{elsewhere}, x.cancelled(other.Train, user))

	live = asCancelled(live, start.Add(time.Second), booking.ByTrain)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: live.CancelledAt, Force: true}))
	require.Equal(x, []booking.Booking{live, mine}, x.cancelled(guard.Train, user), "with force")
}

// cancelledLatest cancels bookings in another order than that in which they were made.
func cancelledLatest(x *exercise) {
	const n = persistence.MaxHistory + 5
	guard, user := x.createAdopted(), uuid.New()
	sales, want := make([]persistence.Sale, n), make([]booking.Booking, n)
	for i := range sales {
		sales[i] = saleOf(guard, booking.Segment(0, 1), i+1)
		sales[i].Booking.User = user
	}
	require.Equal(x, make([]error, n), x.book(sales...))
	for i, sale := range sales {
		place := i * 7 % n // each place once, since 7 and n have no common factor
		at := start.Add(-time.Duration(place) * time.Microsecond)
		want[place] = x.cancel(guard, sale.Booking, at, booking.ByPassenger)
	}
	require.Equal(x, want[:persistence.MaxHistory], x.cancelled(guard.Train, user))
}

func cancelOwnTrain(x *exercise) {
	guard, other := x.createAdopted(), x.createAdopted()
	sold := x.sell(guard, booking.Segment(0, 1), 1)
	require.ErrorIs(x, x.CancelBooking(x.Context(), other, sold.ID, start, booking.ByPassenger), persistence.ErrNotFound)
	require.ErrorIs(x, x.CancelBooking(x.Context(), guard, uuid.New(), start, booking.ByPassenger), persistence.ErrNotFound)
	require.Equal(x, []booking.Booking{sold}, x.live(guard.Train))
}

// legsInOrder has one train twice.
func legsInOrder(x *exercise) {
	busy, idle, cancelled, other := x.createAdopted(), x.createAdopted(), x.createAdopted(), x.createAdopted()
	x.sell(busy, booking.Segment(0, 1), 1, 2, 3)
	x.sell(busy, booking.Segment(1, 2), 3, 4)
	x.sell(busy, booking.Segment(booking.MaxLegs-1, booking.MaxLegs), booking.MaxCapacity)
	part := x.sell(cancelled, booking.Segment(0, 1), 5, 6)
	x.sell(cancelled, booking.Segment(1, 3), 6)
	require.NoError(x, x.CancelBooking(x.Context(), cancelled, part.ID, start, booking.ByPassenger))
	x.sell(other, booking.Segment(0, 3), 1)

	first, second := booking.Segment(0, 1), booking.Segment(1, 2)
	ofBusy := map[int]booking.Legs{
		1: first, 2: first, 3: first | second, 4: second, booking.MaxCapacity: booking.Segment(booking.MaxLegs-1, booking.MaxLegs),
	}
	none := map[int]booking.Legs{}
	require.Equal(x, []map[int]booking.Legs{none, ofBusy, none, {6: booking.Segment(1, 3)}, ofBusy, none},
		x.seatLegs(booking.NewTrainID(), busy.Train, idle.Train, cancelled.Train, busy.Train, booking.NewTrainID()))
	require.Empty(x, x.seatLegs())

	require.NoError(x, x.DeleteTrain(x.Context(), other, persistence.Deletion{At: start, Force: true}))
	require.Equal(x, []map[int]booking.Legs{none}, x.seatLegs(other.Train), "deleted")
}

// legsOfMany has as many trains as a page of a search, of which only two have bookings.
func legsOfMany(x *exercise) {
	trains, want := make([]booking.TrainID, 1000), make([]map[int]booking.Legs, 1000)
	for i := range trains {
		trains[i], want[i] = booking.NewTrainID(), map[int]booking.Legs{}
	}
	for _, i := range []int{17, len(trains) - 1} {
		guard := x.createAdopted()
		x.sell(guard, booking.Segment(0, 2), i+1)
		trains[i], want[i] = guard.Train, map[int]booking.Legs{i + 1: booking.Segment(0, 2)}
	}
	require.Equal(x, want, x.seatLegs(trains...))
}
