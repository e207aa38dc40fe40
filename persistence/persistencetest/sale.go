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

var saleFacts = []fact[*exercise]{
	{"BookingIsFoundAsItWasWritten", bookingFound},
	{"SeatIsSoldOnceOnEachLeg", soldOncePerLeg},
	{"SaleOfSeveralSeatsIsAllOrNothing", allOrNothing},
	{"RepeatedSaleIsOneBooking", repeatedSale},
	{"CancelledBookingIsNotSoldAgain", cancelledNotSold},
	{"LastLegOfTheLongestTrainIsSold", lastLeg},
	{"OneOfManyBuyersGetsTheSeat", oneBuyer},
	{"CancelledCallBooksNothing", cancelledCall},
	{"EmptyBatchDoesNothing", emptyBatch},
	{"SalesMatchTheModel", matchModel},
}

func bookingFound(x *exercise) {
	guard := x.createAdopted()
	sale := saleOf(guard, booking.Segment(1, 3), 2, 5, 9)
	sale.Booking.BookedAt = start.Add(123 * time.Microsecond)
	require.NoError(x, x.book(sale)[0])
	got, err := x.FindBooking(x.Context(), sale.Booking.ID)
	require.NoError(x, err)
	require.Equal(x, sale.Booking, got)
	require.Equal(x, []booking.Booking{sale.Booking}, x.load(guard.Train).Bookings)
	_, err = x.FindBooking(x.Context(), uuid.New())
	require.ErrorIs(x, err, persistence.ErrNotFound)
}

// soldOncePerLeg sells with the current guard, so that only the store's check of the legs
// prevents a double sale.
func soldOncePerLeg(x *exercise) {
	for _, c := range []struct {
		name           string
		first, second  booking.Legs
		seat           int
		secondResult   error
		bookedOnTheRun int
	}{
		{"the same segment", booking.Segment(0, 3), booking.Segment(0, 3), 5, persistence.ErrConflict, 1},
		{"overlap at the end", booking.Segment(0, 2), booking.Segment(1, 3), 5, persistence.ErrConflict, 1},
		{"one within the other", booking.Segment(0, 3), booking.Segment(1, 2), 5, persistence.ErrConflict, 1},
		{"adjacent", booking.Segment(0, 1), booking.Segment(1, 3), 5, nil, 1},
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
			require.ErrorIs(x, results[1], c.secondResult, c.name)
			require.Equal(x, c.bookedOnTheRun, x.booked(guard.Train, booking.Segment(0, 3)), c.name)
		}
	}
}

func allOrNothing(x *exercise) {
	guard := x.createAdopted()
	run := booking.Segment(0, 3)
	taken := x.sell(guard, booking.Segment(2, 3), 4)
	require.ErrorIs(x, x.book(saleOf(guard, run, 3, 4, 5))[0], persistence.ErrConflict)
	require.Equal(x, []booking.Booking{taken}, x.live(guard.Train))
	require.Equal(x, 1, x.booked(guard.Train, run))
	x.sell(guard, run, 3, 5)
}

func repeatedSale(x *exercise) {
	guard := x.createAdopted()
	sale := saleOf(guard, booking.Segment(0, 3), 1, 2)
	require.Equal(x, []error{nil, nil}, x.book(sale, sale), "in one batch")
	sale.Guard = x.adopt(guard.Train)
	require.NoError(x, x.book(sale)[0], "again, by the next activation")
	require.Equal(x, []booking.Booking{sale.Booking}, x.live(guard.Train))
	require.Equal(x, 2, x.booked(guard.Train, sale.Booking.Legs))
}

func cancelledNotSold(x *exercise) {
	guard := x.createAdopted()
	sale := saleOf(guard, booking.Segment(0, 3), 1)
	require.NoError(x, x.book(sale)[0])
	require.NoError(x, x.CancelBooking(x.Context(), guard, sale.Booking.ID, start, booking.ByPassenger))
	require.ErrorIs(x, x.book(sale)[0], persistence.ErrConflict)
	require.Zero(x, x.booked(guard.Train, sale.Booking.Legs))
	require.Empty(x, x.live(guard.Train))
}

func lastLeg(x *exercise) {
	guard := x.createAdopted()
	whole := booking.Segment(0, booking.MaxLegs)
	last := booking.Segment(booking.MaxLegs-1, booking.MaxLegs)
	all := x.sell(guard, whole, booking.MaxCapacity)
	require.ErrorIs(x, x.book(saleOf(guard, last, booking.MaxCapacity))[0], persistence.ErrConflict)
	require.NoError(x, x.CancelBooking(x.Context(), guard, all.ID, start, booking.ByPassenger))
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
	require.Equal(x, 1, succeeded(results), "all request seat 7")
	require.Len(x, x.live(guard.Train), 1)
	require.Equal(x, 2, x.booked(guard.Train, booking.Segment(0, 3)), "nothing of the others is stored")
}

func cancelledCall(x *exercise) {
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
