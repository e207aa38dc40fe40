package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// CancelBooking implements persistence.Bookings.
func (s *Store) CancelBooking(
	ctx context.Context, guard persistence.Guard, id uuid.UUID, at time.Time, by booking.Canceller,
) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	t, b, err := s.guardedBooking(guard, id)
	if err == nil && b.CancelledAt.IsZero() {
		t.cancel(b, at, by)
	}
	return err
}

// guardedBooking returns a booking of the train of the guard, which may be cancelled.
func (s *Store) guardedBooking(guard persistence.Guard, id uuid.UUID) (*train, *booking.Booking, error) {
	t, err := s.guarded(guard)
	b := s.bookings[id]
	if err == nil && (b == nil || b.Train != guard.Train) {
		err = persistence.ErrNotFound
	}
	return t, b, err
}

// CancelSeats implements persistence.Bookings.
func (s *Store) CancelSeats(
	ctx context.Context, guard persistence.Guard, id uuid.UUID, seats []int, at time.Time, by booking.Canceller,
) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	t, b, err := s.guardedBooking(guard, id)
	if err != nil {
		return err
	}
	part, rest, ok := persistence.SplitBooking(*b, seats)
	switch {
	case !ok && s.bookings[part.ID] != nil:
		return nil // it was cancelled before
	case !ok:
		return persistence.ErrConflict
	}
	*b, s.bookings[part.ID] = rest, &part
	t.cancel(&part, at, by)
	return nil
}

// cancel cancels a live booking of the train, and keeps the train as it is now for it.
func (t *train) cancel(b *booking.Booking, at time.Time, by booking.Canceller) {
	on := t.Train
	t.former[b.ID] = &on
	b.CancelledAt, b.CancelledBy = at, by
	for _, n := range b.Seats {
		t.seats[n] &^= b.Legs
	}
	t.sold = slices.DeleteFunc(t.sold, func(sold *booking.Booking) bool { return sold == b })
	t.cancelled[b.User] = append(t.cancelled[b.User], b)
}

// CancelledBookings implements persistence.Bookings. Those of one time are ordered by id, as by
// the databases.
func (s *Store) CancelledBookings(ctx context.Context, id booking.TrainID, user uuid.UUID) ([]booking.Booking, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	t := s.trains[id]
	if t == nil {
		return nil, nil
	}
	latest := slices.SortedFunc(slices.Values(t.cancelled[user]), func(a, b *booking.Booking) int {
		return booking.Cursor{At: b.CancelledAt, ID: b.ID}.Compare(booking.Cursor{At: a.CancelledAt, ID: a.ID})
	})
	var bookings []booking.Booking
	for _, b := range latest[:min(len(latest), persistence.MaxHistory)] {
		bookings = append(bookings, *b)
	}
	return bookings, nil
}

// FindBooking implements persistence.Bookings.
func (s *Store) FindBooking(ctx context.Context, id uuid.UUID) (booking.Booking, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.Booking{}, err
	}
	b := s.bookings[id]
	if b == nil {
		return booking.Booking{}, persistence.ErrNotFound
	}
	return *b, nil
}

// FindBookings implements persistence.Bookings. They are in the order of the ids.
func (s *Store) FindBookings(ctx context.Context, ids []uuid.UUID) (bookings []booking.Booking, err error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if b := s.bookings[id]; b != nil {
			bookings = append(bookings, *b)
		}
	}
	return bookings, nil
}

// SeatLegs implements persistence.Bookings.
func (s *Store) SeatLegs(ctx context.Context, trains []booking.TrainID) ([]map[int]booking.Legs, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	seats := make([]map[int]booking.Legs, len(trains))
	for i, id := range trains {
		seats[i] = s.trains[id].booked()
	}
	return seats, nil
}

// booked returns the legs on which each seat is booked. A nil train has none.
func (t *train) booked() map[int]booking.Legs {
	booked := map[int]booking.Legs{}
	if t == nil {
		return booked
	}
	for n, legs := range t.seats {
		if legs != 0 {
			booked[n] = legs
		}
	}
	return booked
}

// FindBookedTrain implements persistence.Bookings.
func (s *Store) FindBookedTrain(ctx context.Context, id uuid.UUID) (booking.BookedTrain, error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.BookedTrain{}, err
	}
	b := s.bookings[id]
	if b == nil {
		return booking.BookedTrain{}, persistence.ErrNotFound
	}
	return s.withTrain(b), nil
}

// withTrain returns a booking with its train.
func (s *Store) withTrain(b *booking.Booking) booking.BookedTrain {
	t := s.trains[b.Train]
	on := t.former[b.ID]
	if on == nil {
		present := t.Train
		on = &present
	}
	return booking.BookedTrain{Booking: *b, On: on}
}

// UserBookings implements persistence.Bookings.
func (s *Store) UserBookings(
	ctx context.Context, user uuid.UUID, request booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return booking.Page[booking.BookedTrain]{}, err
	}
	return s.page(request, func(b *booking.Booking) bool { return b.User == user }), nil
}

// TrainBookings implements persistence.Bookings.
func (s *Store) TrainBookings(
	ctx context.Context, id booking.TrainID, request booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	end, err := s.begin(ctx)
	defer end()
	if err == nil && s.trains[id] == nil {
		err = persistence.ErrNotFound
	}
	if err != nil {
		return booking.Page[booking.BookedTrain]{}, err
	}
	return s.page(request, func(b *booking.Booking) bool { return b.Train == id }), nil
}

// page returns the requested page of some of the bookings.
func (s *Store) page(request booking.PageRequest, of func(*booking.Booking) bool) booking.Page[booking.BookedTrain] {
	var found []booking.BookedTrain
	for _, b := range s.bookings {
		if of(b) && b.CancelledAt.IsZero() != request.Cancelled {
			found = append(found, s.withTrain(b))
		}
	}
	return pageOf(found, request, func(b booking.BookedTrain) booking.Cursor {
		return booking.Cursor{At: b.BookedAt, ID: b.ID}
	})
}

// pageOf sorts items by their cursors, in the direction of the request, and returns the requested
// page.
func pageOf[T any](items []T, request booking.PageRequest, cursor func(T) booking.Cursor) booking.Page[T] {
	compare := booking.Cursor.Compare
	if request.NewestFirst {
		compare = func(c, d booking.Cursor) int { return d.Compare(c) }
	}
	items = slices.DeleteFunc(items, func(item T) bool { return compare(cursor(item), request.Start()) <= 0 })
	slices.SortFunc(items, func(a, b T) int { return compare(cursor(a), cursor(b)) })
	return booking.PageOf(items, request.Limit, cursor)
}
