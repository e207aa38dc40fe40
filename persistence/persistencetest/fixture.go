package persistencetest

import (
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// start is the time at which the tests began, in UTC and whole milliseconds.
var start = time.Now().UTC().Truncate(time.Millisecond)

// newTrain returns a train of ten seats and three legs, with names and times that an engine may
// fail to preserve.
func newTrain() booking.Train {
	india := time.FixedZone("", 5*3600+30*60)
	leaves := start.In(india).Add(48 * time.Hour)
	return booking.Train{
		ID: booking.NewTrainID(), Name: `Duranto "एक्सप्रेस" <&> 🚆`, Capacity: 10, OnSale: true,
		Stops: []booking.Stop{
			{Station: "दिल्ली", DepartsAt: leaves},
			{Station: "Jaipur", ArrivesAt: leaves.Add(4 * time.Hour), DepartsAt: leaves.Add(4*time.Hour + time.Nanosecond)},
			{Station: "São Paulo", ArrivesAt: leaves.UTC().Add(9 * time.Hour)},
			{Station: "Mumbai"},
		},
		SalesOpenAt: start.Add(time.Hour + time.Microsecond),
		CreatedAt:   start, UpdatedAt: start.Add(time.Microsecond),
	}
}

func (x *exercise) createTrain() booking.Train {
	x.Helper()
	train := newTrain()
	require.NoError(x, x.CreateTrain(x.Context(), train))
	return train
}

// adopt adopts the train for a new activation.
func (x *exercise) adopt(id booking.TrainID) persistence.Guard {
	x.Helper()
	owner := uuid.New()
	old, err := Epoch(x.Context(), x, id)
	require.NoError(x, err)
	epoch, err := Adopt(x.Context(), x, id, old, owner)
	require.NoError(x, err)
	return persistence.Guard{Train: id, Epoch: epoch, Owner: owner}
}

func (x *exercise) createAdopted() persistence.Guard {
	x.Helper()
	return x.adopt(x.createTrain().ID)
}

// saleOf returns a sale to a new user.
func saleOf(guard persistence.Guard, legs booking.Legs, seats ...int) persistence.Sale {
	return persistence.Sale{Guard: guard, Booking: booking.Booking{
		ID: uuid.New(), Train: guard.Train, User: uuid.New(), Legs: legs, Seats: seats, BookedAt: start,
	}}
}

// book writes a batch and returns the results.
func (x *exercise) book(sales ...persistence.Sale) []error {
	x.Helper()
	results, err := x.Book(x.Context(), sales)
	require.NoError(x, err)
	require.Len(x, results, len(sales))
	return results
}

// sell writes one sale that must succeed and returns its booking.
func (x *exercise) sell(guard persistence.Guard, legs booking.Legs, seats ...int) booking.Booking {
	x.Helper()
	sale := saleOf(guard, legs, seats...)
	require.NoError(x, x.book(sale)[0])
	return sale.Booking
}

// cancel cancels a booking and returns it as it is then.
func (x *exercise) cancel(guard persistence.Guard, b booking.Booking, at time.Time, by booking.Canceller) booking.Booking {
	x.Helper()
	require.NoError(x, x.CancelBooking(x.Context(), guard, b.ID, at, by))
	return asCancelled(b, at, by)
}

func asCancelled(b booking.Booking, at time.Time, by booking.Canceller) booking.Booking {
	b.CancelledAt, b.CancelledBy = at, by
	return b
}

// load returns the state of a train.
func (x *exercise) load(id booking.TrainID, became ...uuid.UUID) persistence.LoadedTrain {
	x.Helper()
	loaded, err := LoadTrain(x.Context(), x, id, became)
	require.NoError(x, err)
	return loaded
}

// seatsOf returns the legs on which each seat is booked according to bookings.
func seatsOf(bookings []booking.Booking) map[int]booking.Legs {
	seats := map[int]booking.Legs{}
	for _, b := range bookings {
		for _, seat := range b.Seats {
			seats[seat] |= b.Legs
		}
	}
	return seats
}

// booked returns the number of seats that are booked on any of the legs.
func (x *exercise) booked(id booking.TrainID, legs booking.Legs) (n int) {
	x.Helper()
	for _, booked := range x.seatLegs(id)[0] {
		if booked.Overlaps(legs) {
			n++
		}
	}
	return n
}

// seatLegs returns the legs on which the seats of each train are booked.
func (x *exercise) seatLegs(trains ...booking.TrainID) []map[int]booking.Legs {
	x.Helper()
	seats, err := x.SeatLegs(x.Context(), trains)
	require.NoError(x, err)
	require.Len(x, seats, len(trains))
	return seats
}

// live returns the live bookings of the train.
func (x *exercise) live(id booking.TrainID) []booking.Booking {
	x.Helper()
	page, err := x.TrainBookings(x.Context(), id, booking.PageRequest{})
	require.NoError(x, err)
	return withoutTrains(page.Items)
}

func withoutTrains(booked []booking.BookedTrain) (bookings []booking.Booking) {
	for _, b := range booked {
		bookings = append(bookings, b.Booking)
	}
	return bookings
}

// together calls do n times concurrently and returns the results.
func together[T any](n int, do func(i int) T) []T {
	results := make([]T, n)
	ready := make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-ready
			results[i] = do(i)
		})
	}
	close(ready)
	done.Wait()
	return results
}

// succeeded counts the errors that are nil.
func succeeded(results []error) (n int) {
	for _, err := range results {
		if err == nil {
			n++
		}
	}
	return n
}

// requireCode checks that err is a *booking.Error with the code.
func (x *exercise) requireCode(code booking.Code, err error) {
	x.Helper()
	require.Error(x, err)
	require.Equal(x, code, booking.CodeOf(err), "%v", err)
}

// collect returns the items of all pages of a list and checks their lengths.
func collect[T any](
	x *exercise, request booking.PageRequest, list func(booking.PageRequest) (booking.Page[T], error),
) []T {
	x.Helper()
	var items []T
	for limit := request.Limit; ; {
		page, err := list(request)
		require.NoError(x, err)
		require.LessOrEqual(x, len(page.Items), limit)
		items = append(items, page.Items...)
		if page.Next.IsZero() {
			return items
		}
		require.Len(x, page.Items, limit, "only the last page may be shorter")
		require.NotEqual(x, request.After, page.Next, "a page begins after the previous one")
		request.After = page.Next
	}
}
