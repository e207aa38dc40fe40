package sqlite

import (
	"context"
	"errors"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ExchangeBooking implements persistence.Bookings. Nobody else writes between its statements.
func (db *DB) ExchangeBooking(ctx context.Context, x persistence.Exchange) error {
	return db.write(ctx, "exchange booking", func(ctx context.Context, c *conn) error {
		if err := checkGuard(ctx, c, x.Guard); err != nil {
			return err
		}
		old, err := first(ctx, c, scanBooking, findBookingOfTrain, x.Old[:], x.OldTrain[:])
		exists := err == nil && old.User == x.Booking.User
		if err != nil && !errors.Is(err, persistence.ErrNotFound) {
			return err
		}
		sold, err := first(ctx, c, scanBooking, findBooking, x.Booking.ID[:])
		switch {
		case err == nil && sold.CancelledAt.IsZero() && exists && !old.CancelledAt.IsZero():
			return nil // it was exchanged before
		case err == nil:
			return persistence.ErrConflict
		case !errors.Is(err, persistence.ErrNotFound):
			return err
		case !exists || !old.CancelledAt.IsZero():
			return persistence.ErrNotLive
		}
		if err := cancel(ctx, c, old, x.Booking.BookedAt, booking.ByPassenger); err != nil {
			return err
		}
		return sell(ctx, c, x.Sale)
	})
}
