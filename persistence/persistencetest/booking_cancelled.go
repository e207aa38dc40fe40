package persistencetest

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// cancelledApart cancels every second booking of a user, and reads both lists in pages.
func cancelledApart(x *exercise) {
	guard, user := x.createAdopted(), uuid.New()
	x.cancel(guard, x.sell(guard, booking.Segment(1, 2), 1), start, booking.ByPassenger) // of another user
	lists := map[bool][]booking.Booking{}
	for i := range 10 {
		sale := saleOf(guard, booking.Segment(0, 1), i+1)
		sale.Booking.User, sale.Booking.BookedAt = user, start.Add(time.Duration(i)*time.Microsecond)
		require.NoError(x, x.book(sale)[0])
		b := sale.Booking
		if i%2 == 1 { // the latest is cancelled first
			b = x.cancel(guard, b, start.Add(-time.Duration(i)*time.Second), booking.ByAdmin)
		}
		lists[i%2 == 1] = append(lists[i%2 == 1], b)
	}
	for cancelled, want := range lists {
		page := booking.PageRequest{Limit: 2, Cancelled: cancelled}
		require.Equal(x, want, x.userPages(user, page))
		require.Subset(x, x.trainPages(guard.Train, page), want)
		page.NewestFirst = true
		slices.Reverse(want)
		require.Equal(x, want, x.userPages(user, page))
	}
	require.Len(x, x.trainPages(guard.Train, booking.PageRequest{Limit: 2, Cancelled: true}), 6)
}

// seatsCancelled cancels one seat of three, and then the others.
func seatsCancelled(x *exercise) {
	guard, segment := x.createAdopted(), booking.Segment(1, 2)
	other := x.sell(guard, booking.Segment(0, 1), 2)
	b := x.sell(guard, segment, 1, 2, 3)
	stale := guard
	stale.Owner = uuid.New()
	cancel := func(guard persistence.Guard, seats ...int) error {
		return x.CancelSeats(x.Context(), guard, b.ID, seats, start, booking.ByAdmin)
	}
	require.ErrorIs(x, cancel(stale, 2), persistence.ErrFenced)
	for _, seats := range [][]int{{2, 4}, {4}, {1, 2, 3}} {
		require.ErrorIs(x, cancel(guard, seats...), persistence.ErrConflict, "%v", seats)
	}
	require.ErrorIs(x, cancel(x.createAdopted(), 2), persistence.ErrNotFound, "another train")
	require.ElementsMatch(x, []booking.Booking{other, b}, x.live(guard.Train))

	part := b
	part.ID, part.Seats, part.CancelledAt, part.CancelledBy = booking.PartOf(b.ID, []int{2}), []int{2}, start, booking.ByAdmin
	b.Seats = []int{1, 3}
	for range 2 { // idempotent
		require.NoError(x, cancel(guard, 2))
		require.ElementsMatch(x, []booking.Booking{other, b}, x.live(guard.Train))
		require.Equal(x, []booking.Booking{part}, x.cancelled(guard.Train, b.User))
		require.Equal(x, map[int]booking.Legs{1: segment, 2: other.Legs, 3: segment}, x.seatLegs(guard.Train)[0])
	}
	found, err := x.FindBookedTrain(x.Context(), part.ID)
	require.NoError(x, err)
	require.Equal(x, part, found.Booking)
	require.NotNil(x, found.On)
	require.ErrorIs(x, cancel(guard, 2, 3), persistence.ErrConflict, "one of them is cancelled")
	x.sell(guard, segment, 2)
	x.cancel(guard, b, start, booking.ByPassenger)
	require.ErrorIs(x, cancel(guard, 1), persistence.ErrConflict, "all of it is cancelled")
	require.NoError(x, cancel(guard, 2), "it was cancelled before")
}

// cancelledKeepsTrain changes a train after each cancellation, and at last deletes it and creates another
// one with its id. UpdatedAt stays: nothing may rely on it.
func cancelledKeepsTrain(x *exercise) {
	train, user := x.createTrain(), uuid.New()
	guard := x.adopt(train.ID)
	shown := map[uuid.UUID]booking.Train{}
	sell := func(seat int) booking.Booking {
		sale := saleOf(guard, train.Run(), seat)
		sale.Booking.User = user
		require.NoError(x, x.book(sale)[0])
		shown[sale.Booking.ID] = train
		return sale.Booking
	}
	change := func(name string, stations ...string) {
		train.Name, train.Stops = name, nil
		for _, station := range stations {
			train.Stops = append(train.Stops, booking.Stop{Station: station})
		}
		require.NoError(x, x.ChangeTrain(x.Context(), guard, train))
	}
	for i, stations := range [][]string{{"Delhi", "Agra"}, {"Pune", "Goa", "Kochi"}, {"Puri", "Kolkata"}} {
		first, second := sell(2*i+1), sell(2*i+2)
		x.cancel(guard, first, start, booking.ByPassenger)
		x.cancel(guard, second, start, booking.ByAdmin)
		change("Express to "+stations[1], stations...)
	}
	sell(1)
	sell(2)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start, Force: true}))
	restored := newTrain()
	restored.ID, restored.Name = train.ID, "Restored"
	require.NoError(x, x.CreateTrain(x.Context(), restored))

	page, err := x.UserBookings(x.Context(), user, booking.PageRequest{Cancelled: true})
	require.NoError(x, err)
	ofTrain, err := x.TrainBookings(x.Context(), train.ID, booking.PageRequest{Cancelled: true})
	require.NoError(x, err)
	require.Len(x, page.Items, len(shown))
	require.Len(x, ofTrain.Items, len(shown))
	for _, b := range append(page.Items, ofTrain.Items...) {
		x.requireSameTrain(shown[b.ID], *b.On)
		found, err := x.FindBookedTrain(x.Context(), b.ID)
		require.NoError(x, err)
		require.Equal(x, b, found)
	}
}

func deletedListed(x *exercise) {
	guard := x.createAdopted()
	at := start.Add(time.Minute)
	lists := func(confirmed, cancelled []booking.Booking) {
		x.Helper()
		require.Equal(x, confirmed, x.live(guard.Train))
		require.Equal(x, cancelled, x.trainPages(guard.Train, booking.PageRequest{Limit: 10, Cancelled: true}))
	}
	sold := x.sell(guard, booking.Segment(0, 3), 1)
	lists([]booking.Booking{sold}, nil)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: at, Force: true}))
	cancelled := []booking.Booking{asCancelled(sold, at, booking.ByTrain)}
	lists(nil, cancelled)
	restored := newTrain()
	restored.ID = guard.Train
	require.NoError(x, x.CreateTrain(x.Context(), restored))
	lists(nil, cancelled)
	again := x.sell(x.adopt(guard.Train), booking.Segment(0, 3), 1)
	lists([]booking.Booking{again}, cancelled)
	_, err := x.TrainBookings(x.Context(), booking.NewTrainID(), booking.PageRequest{Cancelled: true})
	require.ErrorIs(x, err, persistence.ErrNotFound)
}
