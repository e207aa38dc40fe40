package actors_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// buy holds something, and then confirms, releases or forgets it.
func (w *world) buy(user uuid.UUID) {
	train := w.trains[rand.IntN(len(w.trains))]
	request := booking.HoldRequest{ID: booking.NewHoldID(train), User: user, Train: train}
	ends := [][2]string{{"", ""}, {"A", "B"}, {"B", "C"}}[rand.IntN(3)]
	request.From, request.To = ends[0], ends[1]
	if rand.IntN(2) == 0 {
		request.Count = 1 + rand.IntN(2)
	} else {
		request.Seats = []int{1 + rand.IntN(stressSeats)}
	}
	var hold booking.Hold
	err := w.insist(func(ctx context.Context) (err error) {
		hold, err = w.Hold(ctx, request)
		return err
	}, func() bool { return !w.stored(request.ID) })
	if err != nil {
		return
	}
	w.alive(stay{
		what: hold.ID, train: train, user: user, legs: hold.Legs, seats: hold.Seats, until: hold.ExpiresAt,
	})
	w.shows(hold, booking.SeatHeld, func() bool { return w.endings(hold.ID) == 0 && time.Now().Before(hold.ExpiresAt) })
	switch rand.IntN(6) {
	case 0: // forgets it
	case 1:
		w.ending(hold.ID)
		_ = w.insist(func(ctx context.Context) error { return w.Release(ctx, refTo(hold)) }, nil)
	default:
		<-time.After(time.Duration(rand.IntN(int(stressTTL)) * rand.IntN(2)))
		w.confirm(hold)
	}
}

// confirm must succeed in time, unless somebody else ends the hold (I3).
func (w *world) confirm(hold booking.Hold) {
	w.ending(hold.ID)
	// The user's own cancel may come between the commit and its answer, when that is lost.
	id := booking.BookingIDOf(hold.User, hold.ID)
	alone := func() bool {
		return w.endings(hold.ID) == 1 && w.endings(id) == 0 && !w.deleted(hold.ID.Train())
	}
	var b booking.Booking
	err := w.insist(func(ctx context.Context) (err error) {
		b, err = w.Confirm(ctx, refTo(hold))
		return err
	}, func() bool {
		_, err := w.store.FindBooking(context.Background(), id)
		return err != nil || !alone()
	})
	if err != nil {
		if time.Now().Before(hold.ExpiresAt) && alone() {
			w.accuse("not confirmed before %s: %v", hold.ExpiresAt, err)
		}
		w.refuse(booking.BookingIDOf(hold.User, hold.ID))
		return
	}
	w.alive(stay{
		what: b.ID, train: b.Train, user: b.User, legs: b.Legs, seats: b.Seats, until: time.Now().Add(time.Hour),
	})
	w.shows(hold, booking.SeatBooked, func() bool { return w.endings(b.ID) == 0 })
	if rand.IntN(3) > 0 {
		w.cancel(b)
	}
}

// surprise cancels the bookings that are in the user's list before anybody was told.
func (w *world) surprise(user uuid.UUID) {
	page, err := w.UserBookings(context.Background(), user, booking.PageRequest{})
	if err != nil {
		return
	}
	for _, b := range page.Items {
		if !w.knows(b.ID) {
			w.cancel(b.Booking)
		}
	}
}

// cancel must last (I5).
func (w *world) cancel(b booking.Booking) {
	w.ending(b.ID)
	err := w.insist(func(ctx context.Context) error { return w.CancelBooking(ctx, b.User, b.ID) }, nil)
	if err != nil {
		if !w.deleted(b.Train) {
			w.accuse("not cancelled: %v", err)
		}
		return
	}
	if kept, err := w.store.FindBooking(context.Background(), b.ID); err != nil || kept.CancelledAt.IsZero() {
		w.accuse("cancelled and there: %+v %v", kept, err)
	}
}

// shows accuses a seat map that does not show what its user was told, unless that may
// have ended meanwhile.
func (w *world) shows(hold booking.Hold, state booking.SeatState, still func() bool) {
	train := hold.ID.Train()
	found, err := w.FindTrain(context.Background(), train)
	if err != nil {
		return
	}
	from, to := found.Train.Ends(hold.Legs)
	seats, err := w.SeatMap(context.Background(), train, from.Station, to.Station)
	if err != nil || !still() || w.deleted(train) {
		return
	}
	for _, n := range hold.Seats {
		// Held on one leg, it may be booked on another.
		if n > len(seats) {
			w.accuse("seat %d is gone, its user was told %s", n, state)
		} else if shown := seats[n-1].State; shown != state && shown != booking.SeatBooked {
			w.accuse("seat %d is shown as %s, its user was told %s", n, shown, state)
		}
	}
}

// stored reports whether the store has a live hold of this id.
func (w *world) stored(id booking.HoldID) bool {
	holds, err := w.store.LoadHolds(context.Background(), id.Train(), time.Now())
	return err != nil || slices.ContainsFunc(holds, func(h booking.Hold) bool { return h.ID == id && !h.Released })
}
