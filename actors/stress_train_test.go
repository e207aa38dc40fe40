package actors_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// put makes a train, or changes its capacity, and must find it then.
func (w *world) put(id booking.TrainID) {
	err := w.insist(func(ctx context.Context) error {
		_, _, err := w.PutTrain(ctx, booking.Train{
			ID: id, Name: "Test Express", Capacity: stressSeats + rand.IntN(3), OnSale: true,
			Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
		})
		return err
	}, nil)
	if err != nil && booking.CodeOf(err) != booking.CodeCapacityInUse {
		w.accuse("not put: %v", err)
	}
	if _, err := w.FindTrain(context.Background(), id); booking.CodeOf(err) == booking.CodeNotFound {
		w.accuse("put and not found")
	}
}

// operate changes trains, and deletes and puts the last one again.
func (w *world) operate() {
	last := w.trains[len(w.trains)-1]
	if rand.IntN(20) > 0 {
		w.put(w.trains[rand.IntN(len(w.trains))])
		return
	}
	w.deletes(last)
	err := w.insist(func(ctx context.Context) error { return w.DeleteTrain(ctx, last, rand.IntN(2) == 0) }, nil)
	switch code := booking.CodeOf(err); code {
	case booking.CodeHasBookings:
		return
	case "", booking.CodeNotFound: // not found: the attempt before was given up
	default:
		w.accuse("not deleted: %v", err)
	}
	page, err := w.ListTrains(context.Background(), booking.TrainQuery{})
	if err == nil && slices.ContainsFunc(page.Items, func(a booking.Availability) bool { return a.Train.ID == last }) {
		w.accuse("deleted and listed")
	}
	w.put(last)
}

// look reads in each way: free + held + booked = capacity (I10).
func (w *world) look() {
	ctx := context.Background()
	found, err := w.Search(ctx, "A", "B")
	page, listed := w.ListTrains(ctx, booking.TrainQuery{From: "B", To: "C"})
	if err != nil || listed != nil {
		return
	}
	for _, a := range append(found, page.Items...) {
		if a.Booked < 0 || a.Held < 0 || a.Available < 0 || a.Booked+a.Held+a.Available != a.Train.Capacity {
			w.accuse("%+v of %d", a.Tally, a.Train.Capacity)
		}
	}
}

// stands checks what is in the store at the end: each booking that was told and not
// ended, whole (I5, I8), no seat sold twice (I1), and seats that match the bookings.
func (w *world) stands(t *testing.T) {
	t.Helper()
	for _, s := range w.certain() {
		id, isBooking := s.what.(uuid.UUID)
		if !isBooking || w.endings(s.what) > 0 || w.deleted(s.train) {
			continue
		}
		found, err := w.store.FindBooking(t.Context(), id)
		require.NoError(t, err, "a confirm that was acknowledged")
		require.True(t, found.CancelledAt.IsZero())
		require.Equal(t, s.seats, found.Seats)
	}
	for _, id := range w.refused {
		if found, err := w.store.FindBooking(t.Context(), id); err == nil && !w.knows(id) {
			require.False(t, found.CancelledAt.IsZero(), "a confirm that was refused")
		}
	}
	for _, train := range w.trains {
		page, err := w.store.TrainBookings(t.Context(), train, booking.PageRequest{})
		require.NoError(t, err)
		taken := map[int]booking.Legs{}
		for _, b := range page.Items {
			for _, n := range b.Seats {
				require.False(t, taken[n].Overlaps(b.Legs), "seat %d is sold twice", n)
				taken[n] |= b.Legs
			}
		}
		for leg := range 2 {
			legs, sold := booking.Segment(leg, leg+1), 0
			for _, on := range taken {
				if on.Overlaps(legs) {
					sold++
				}
			}
			counts, err := w.store.BookedSeats(t.Context(), []booking.TrainID{train}, []booking.Legs{legs})
			require.NoError(t, err)
			require.Equal(t, []int{sold}, counts)
		}
	}
}
