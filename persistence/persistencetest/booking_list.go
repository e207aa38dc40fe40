package persistencetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// pagesAreStable makes bookings of equal times, in no order of ids, and reads every list in pages
// of every length.
func pagesAreStable(x *exercise) {
	guard, user := x.createAdopted(), uuid.New()
	var want []booking.Booking
	for i := range 9 {
		sale := saleOf(guard, booking.Segment(0, 1), i+1)
		sale.Booking.User, sale.Booking.BookedAt = user, start.Add(time.Duration(i/4)*time.Microsecond)
		require.NoError(x, x.book(sale)[0])
		want = append(want, sale.Booking)
	}
	slices.SortFunc(want, func(a, b booking.Booking) int {
		return booking.Cursor{At: a.BookedAt, ID: a.ID}.Compare(booking.Cursor{At: b.BookedAt, ID: b.ID})
	})
	for limit := 1; limit <= len(want)+1; limit++ {
		require.Equal(x, want, x.trainPages(guard.Train, booking.PageRequest{Limit: limit}), "limit %d", limit)
		require.Equal(x, want, x.userPages(user, booking.PageRequest{Limit: limit}), "oldest first, limit %d", limit)
		slices.Reverse(want)
		require.Equal(x, want, x.userPages(user, booking.PageRequest{Limit: limit, NewestFirst: true}), "newest first, limit %d", limit)
		slices.Reverse(want)
	}
	require.Equal(x, want, x.live(guard.Train), "no limit")
}

// trainPages returns the bookings of a train, read in pages.
func (x *exercise) trainPages(id booking.TrainID, page booking.PageRequest) []booking.Booking {
	x.Helper()
	return withoutTrains(collect(x, page, func(page booking.PageRequest) (booking.Page[booking.BookedTrain], error) {
		return x.TrainBookings(x.Context(), id, page)
	}))
}

// userPages returns the bookings of a user, read in pages.
func (x *exercise) userPages(user uuid.UUID, page booking.PageRequest) []booking.Booking {
	x.Helper()
	return withoutTrains(collect(x, page, func(page booking.PageRequest) (booking.Page[booking.BookedTrain], error) {
		return x.UserBookings(x.Context(), user, page)
	}))
}

// lateBooking stores a booking with a time that the reader has passed. The promise of
// booking.PageRequest is about the others; the next reader has the late one too.
func lateBooking(x *exercise) {
	for _, newest := range []bool{false, true} {
		guard, user := x.createAdopted(), uuid.New()
		sell := func(seat int, at time.Duration) booking.Booking {
			sale := saleOf(guard, booking.Segment(0, 1), seat)
			sale.Booking.User, sale.Booking.BookedAt = user, start.Add(at)
			require.NoError(x, x.book(sale)[0])
			return sale.Booking
		}
		var want []booking.Booking
		for i := range 5 {
			want = append(want, sell(i+1, time.Duration(i)*time.Second))
		}
		var late booking.Booking
		request := booking.PageRequest{Limit: 2, NewestFirst: newest}
		list := func(request booking.PageRequest) (booking.Page[booking.BookedTrain], error) {
			page, err := x.UserBookings(x.Context(), user, request)
			if late.ID == uuid.Nil { // the reader has read the first page, from either end
				passed := map[bool]time.Duration{false: 500 * time.Millisecond, true: 3500 * time.Millisecond}[newest]
				late = sell(6, passed)
			}
			return page, err
		}
		found := withoutTrains(collect(x, request, list))
		all := append(slices.Clone(want), late)
		slices.SortFunc(all, func(a, b booking.Booking) int { return a.BookedAt.Compare(b.BookedAt) })
		if newest {
			slices.Reverse(want)
			slices.Reverse(all)
		}
		require.Equal(x, want, found, "newest first %t", newest)
		require.Equal(x, all, x.userPages(user, request), "newest first %t", newest)
	}
}

func userBookings(x *exercise) {
	user := uuid.New()
	var trains []booking.Train
	for i := range 4 {
		train := x.createTrain()
		trains = append(trains, train)
		guard := x.adopt(train.ID)
		mine, theirs := saleOf(guard, booking.Segment(0, 2), 1), saleOf(guard, booking.Segment(0, 2), 2)
		mine.Booking.User, mine.Booking.BookedAt = user, start.Add(time.Duration(i)*time.Second)
		require.Equal(x, []error{nil, nil}, x.book(mine, theirs))
		if i == 3 {
			require.NoError(x, x.CancelBooking(x.Context(), guard, mine.Booking.ID, start, booking.ByPassenger))
		}
	}
	history, err := x.UserBookings(x.Context(), user, booking.PageRequest{})
	require.NoError(x, err)
	require.Zero(x, history.Next)
	require.Len(x, history.Items, 3, "the cancelled one is omitted")
	for i, item := range history.Items {
		require.Equal(x, user, item.User)
		x.requireSameTrain(trains[i], *item.On)
	}
}

func findBookedTrain(x *exercise) {
	train := x.createTrain()
	guard := x.adopt(train.ID)
	sold := x.sell(guard, booking.Segment(0, 2), 1)
	x.sell(guard, booking.Segment(0, 2), 2)
	requireFound := func(want booking.Booking) {
		x.Helper()
		found, err := x.FindBookedTrain(x.Context(), want.ID)
		require.NoError(x, err)
		require.Equal(x, want, found.Booking)
		x.requireSameTrain(train, *found.On)
	}
	requireFound(sold)
	requireFound(x.cancel(guard, sold, start, booking.ByAdmin))
	_, err := x.FindBookedTrain(x.Context(), uuid.New())
	require.ErrorIs(x, err, persistence.ErrNotFound)
}

// stopsOfSnapshot changes the stops of a train whenever nothing is booked on it. No reader may
// combine a booking with the stops of another time, which may lack its legs.
func stopsOfSnapshot(x *exercise) {
	const rounds = 30
	long := x.createTrain()
	short := long
	short.Stops = []booking.Stop{{Station: "Delhi"}, {Station: "Mumbai"}}
	guard, user := x.adopt(long.ID), uuid.New()
	var latest atomic.Pointer[booking.Booking]
	latest.Store(&booking.Booking{})
	list := func(page booking.PageRequest) func() ([]booking.BookedTrain, error) {
		return func() ([]booking.BookedTrain, error) {
			found, err := x.UserBookings(x.Context(), user, page)
			return found.Items, err
		}
	}
	find := func() ([]booking.BookedTrain, error) {
		found, err := x.FindBookedTrain(x.Context(), latest.Load().ID)
		if errors.Is(err, persistence.ErrNotFound) {
			return nil, nil
		}
		return []booking.BookedTrain{found}, err
	}
	ctx, cancel := context.WithCancel(x.Context())
	var readers errgroup.Group
	for _, read := range []func() ([]booking.BookedTrain, error){
		list(booking.PageRequest{Limit: 1}), list(booking.PageRequest{Limit: 1, NewestFirst: true}),
		list(booking.PageRequest{Cancelled: true}), find,
	} {
		readers.Go(func() error { return fitStops(ctx, read) })
	}
	for range rounds {
		for _, to := range []booking.Train{short, long} {
			require.NoError(x, x.ChangeTrain(x.Context(), guard, to))
			sale := saleOf(guard, to.Run(), 1)
			sale.Booking.User = user
			require.NoError(x, x.book(sale)[0])
			latest.Store(&sale.Booking)
			require.NoError(x, x.CancelBooking(x.Context(), guard, sale.Booking.ID, start, booking.ByPassenger))
		}
	}
	cancel()
	require.NoError(x, readers.Wait())
}

// fitStops reads bookings until ctx ends, and returns an error if one does not fit its train.
func fitStops(ctx context.Context, read func() ([]booking.BookedTrain, error)) error {
	for ctx.Err() == nil {
		bookings, err := read()
		if err != nil {
			return err
		}
		for _, b := range bookings {
			if !b.On.Run().Contains(b.Legs) {
				return fmt.Errorf("a booking of legs %v on a train with %d stops", b.Legs, len(b.On.Stops))
			}
		}
	}
	return nil
}
