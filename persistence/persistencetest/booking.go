package persistencetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var bookingFacts = []fact[*exercise]{
	{"BookingComesBackAsItWasWritten", bookingComesBack},
	{"SeatIsSoldOnceOnEachLeg", soldOncePerLeg},
	{"PartyIsSoldWholeOrNotAtAll", partyWhole},
	{"SameBookingTwiceIsOneBooking", sameBookingTwice},
	{"CancelledBookingIsNotSoldAgain", cancelledStays},
	{"CancelClearsItsOwnLegsAndNoOthers", cancelClearsOwn},
	{"CancelTwiceKeepsTheFirstTime", cancelTwice},
	{"CancelFindsBookingsOfItsTrainAlone", cancelOwnTrain},
	{"LastLegOfTheLongestTrainIsSold", lastLeg},
	{"OneOfManyBuyersGetsTheSeat", oneBuyer},
	{"CallerWhoGaveUpBooksNothing", gaveUp},
	{"EmptyBatchDoesNothing", emptyBatch},
	{"BookingsMatchAModelOfMasks", matchModel},
}

func bookingComesBack(x *exercise) {
	guard := x.createAdopted()
	sale := saleOf(guard, booking.Segment(1, 3), 2, 5, 9)
	sale.Booking.BookedAt = start.Add(123 * time.Microsecond)
	require.NoError(x, x.book(sale)[0])
	got, err := x.FindBooking(x.Context(), sale.Booking.ID)
	require.NoError(x, err)
	require.Equal(x, sale.Booking, got)
	_, loaded, err := x.LoadTrain(x.Context(), guard.Train, start)
	require.NoError(x, err)
	require.Equal(x, []booking.Booking{sale.Booking}, loaded)
	_, err = x.FindBooking(x.Context(), uuid.New())
	require.ErrorIs(x, err, persistence.ErrNotFound)
}

// soldOncePerLeg sells with a guard that is current, so that the store's own guard is
// all that stands between two buyers.
func soldOncePerLeg(x *exercise) {
	for _, c := range []struct {
		name           string
		first, second  booking.Legs
		seat           int
		secondRefusal  error
		bookedOnTheRun int
	}{
		{"the same segment", booking.Segment(0, 3), booking.Segment(0, 3), 5, persistence.ErrConflict, 1},
		{"overlap at the end", booking.Segment(0, 2), booking.Segment(1, 3), 5, persistence.ErrConflict, 1},
		{"one within the other", booking.Segment(0, 3), booking.Segment(1, 2), 5, persistence.ErrConflict, 1},
		{"neighbours", booking.Segment(0, 1), booking.Segment(1, 3), 5, nil, 1},
		{"with a gap", booking.Segment(0, 1), booking.Segment(2, 3), 5, nil, 1},
		{"another seat", booking.Segment(0, 3), booking.Segment(0, 3), 6, nil, 2},
	} {
		for _, inOneBatch := range []bool{true, false} {
			guard := x.createAdopted()
			first, second := saleOf(guard, c.first, 5), saleOf(guard, c.second, c.seat)
			var results []error
			if inOneBatch {
				results = x.book(first, second)
			} else {
				results = append(x.book(first), x.book(second)...)
			}
			require.NoError(x, results[0], c.name)
			require.ErrorIs(x, results[1], c.secondRefusal, c.name)
			require.Equal(x, c.bookedOnTheRun, x.booked(guard.Train, booking.Segment(0, 3)), c.name)
		}
	}
}

func partyWhole(x *exercise) {
	guard := x.createAdopted()
	run := booking.Segment(0, 3)
	taken := x.sell(guard, booking.Segment(2, 3), 4)
	require.ErrorIs(x, x.book(saleOf(guard, run, 3, 4, 5))[0], persistence.ErrConflict)
	require.Equal(x, []booking.Booking{taken}, x.live(guard.Train))
	require.Equal(x, 1, x.booked(guard.Train, run))
	x.sell(guard, run, 3, 5)
}

func sameBookingTwice(x *exercise) {
	guard := x.createAdopted()
	sale := saleOf(guard, booking.Segment(0, 3), 1, 2)
	require.Equal(x, []error{nil, nil}, x.book(sale, sale), "in one batch")
	sale.Guard = x.adopt(guard.Train)
	require.NoError(x, x.book(sale)[0], "again, by the next owner")
	require.Equal(x, []booking.Booking{sale.Booking}, x.live(guard.Train))
	require.Equal(x, 2, x.booked(guard.Train, sale.Booking.Legs))
}

func cancelledStays(x *exercise) {
	guard := x.createAdopted()
	sale := saleOf(guard, booking.Segment(0, 3), 1)
	require.NoError(x, x.book(sale)[0])
	require.NoError(x, x.CancelBooking(x.Context(), guard, sale.Booking.ID, start))
	require.ErrorIs(x, x.book(sale)[0], persistence.ErrConflict)
	require.Zero(x, x.booked(guard.Train, sale.Booking.Legs))
	require.Empty(x, x.live(guard.Train))
}

func cancelClearsOwn(x *exercise) {
	guard := x.createAdopted()
	front := x.sell(guard, booking.Segment(0, 1), 1, 2)
	middle := x.sell(guard, booking.Segment(1, 2), 1, 2, 3)
	x.sell(guard, booking.Segment(2, 3), 2)
	require.NoError(x, x.CancelBooking(x.Context(), guard, middle.ID, start))
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
	require.NoError(x, x.CancelBooking(x.Context(), guard, sold.ID, at))
	again := x.sell(guard, booking.Segment(0, 1), 1)
	require.NoError(x, x.CancelBooking(x.Context(), guard, sold.ID, at.Add(time.Hour)))
	require.Equal(x, 1, x.booked(guard.Train, sold.Legs), "the second time clears nothing")
	sold.CancelledAt = at
	for since, want := range map[time.Time][]booking.Booking{
		at:                       {again, sold},
		at.Add(time.Microsecond): {again},
	} {
		_, loaded, err := x.LoadTrain(x.Context(), guard.Train, since)
		require.NoError(x, err)
		require.ElementsMatch(x, want, loaded)
	}
}

func cancelOwnTrain(x *exercise) {
	guard, other := x.createAdopted(), x.createAdopted()
	sold := x.sell(guard, booking.Segment(0, 1), 1)
	require.ErrorIs(x, x.CancelBooking(x.Context(), other, sold.ID, start), persistence.ErrNotFound)
	require.ErrorIs(x, x.CancelBooking(x.Context(), guard, uuid.New(), start), persistence.ErrNotFound)
	require.Equal(x, []booking.Booking{sold}, x.live(guard.Train))
}

func lastLeg(x *exercise) {
	guard := x.createAdopted()
	whole := booking.Segment(0, booking.MaxLegs)
	last := booking.Segment(booking.MaxLegs-1, booking.MaxLegs)
	all := x.sell(guard, whole, booking.MaxCapacity)
	require.ErrorIs(x, x.book(saleOf(guard, last, booking.MaxCapacity))[0], persistence.ErrConflict)
	require.NoError(x, x.CancelBooking(x.Context(), guard, all.ID, start))
	got := x.sell(guard, last, booking.MaxCapacity)
	require.Equal(x, []booking.Booking{got}, x.live(guard.Train))
	require.Equal(x, 1, x.booked(guard.Train, whole))
	require.Zero(x, x.booked(guard.Train, whole&^last))
}

func oneBuyer(x *exercise) {
	guard := x.createAdopted()
	results := together(32, func(i int) error {
		legs := booking.Segment(i%2, 2+i%2) // all share the middle leg
		results, err := x.Book(x.Context(), []persistence.Sale{saleOf(guard, legs, 1+i%3, 7)})
		return errors.Join(append(results, err)...)
	})
	require.Equal(x, 1, succeeded(results), "all want seat 7")
	require.Len(x, x.live(guard.Train), 1)
	require.Equal(x, 2, x.booked(guard.Train, booking.Segment(0, 3)), "nothing is left of the others")
}

func gaveUp(x *exercise) {
	guard := x.createAdopted()
	ctx, cancel := context.WithCancel(x.Context())
	cancel()
	_, err := x.Book(ctx, []persistence.Sale{saleOf(guard, booking.Segment(0, 1), 1)})
	require.ErrorIs(x, err, context.Canceled)
	require.NotErrorIs(x, err, persistence.ErrUnknown)
	require.Empty(x, x.live(guard.Train))
}

func emptyBatch(x *exercise) {
	require.Empty(x, x.book())
}
