package memory

import (
	"context"
	"slices"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ExchangeBooking implements persistence.Bookings.
func (s *Store) ExchangeBooking(ctx context.Context, x persistence.Exchange) error {
	end, err := s.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	t, err := s.guarded(x.Guard)
	if err != nil {
		return err
	}
	old, sold := s.bookings[x.Old], s.bookings[x.Booking.ID]
	if old != nil && (old.Train != x.OldTrain || old.User != x.Booking.User) {
		old = nil
	}
	live := old != nil && old.CancelledAt.IsZero()
	switch {
	case sold != nil && (!sold.CancelledAt.IsZero() || old == nil || live):
		return persistence.ErrConflict
	case sold != nil:
		return nil
	case !live:
		return persistence.ErrNotLive
	case slices.ContainsFunc(x.Booking.Seats, func(n int) bool { return t.without(old, n).Overlaps(x.Booking.Legs) }):
		return persistence.ErrConflict
	}
	s.trains[x.OldTrain].cancel(old, x.Booking.BookedAt, booking.ByPassenger)
	return s.sell(x.Sale)
}

// without returns the legs on which a seat is booked, except by a booking.
func (t *train) without(b *booking.Booking, seat int) booking.Legs {
	legs := t.seats[seat]
	if b.Train == t.ID && slices.Contains(b.Seats, seat) {
		legs &^= b.Legs
	}
	return legs
}
