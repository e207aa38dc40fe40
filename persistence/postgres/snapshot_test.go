package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// Between the statement that reads the bookings and the one that reads their trains, a booking is
// cancelled and the stops of its train change. Both must be of one snapshot: the legs of the
// booking may not be on the new train.
func TestUserBookingsAndTheirTrainsAreOfOneSnapshot(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(context.Context, booking.Booking, *postgres.DB) (booking.BookedTrain, error){
		"UserBookings": func(ctx context.Context, sold booking.Booking, db *postgres.DB) (booking.BookedTrain, error) {
			page, err := db.UserBookings(ctx, sold.User, booking.PageRequest{})
			if err != nil {
				return booking.BookedTrain{}, err
			}
			return page.Items[0], nil
		},
		"FindBookedTrain": func(ctx context.Context, sold booking.Booking, db *postgres.DB) (booking.BookedTrain, error) {
			return db.FindBookedTrain(ctx, sold.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			db := openReader(t, url)
			guard := adopt(t, db, booking.NewTrainID())
			sale := saleOf(guard, 1)
			require.NoError(t, bookOne(t.Context(), db, sale))
			other := connect(t, url)
			other.do(`BEGIN`)
			other.do(`LOCK TABLE trains IN ACCESS EXCLUSIVE MODE`)
			var found booking.BookedTrain
			done := inBackground(func() (err error) {
				found, err = read(t.Context(), sale.Booking, db)
				return err
			})
			other.awaitBlocked(1)
			other.do(`UPDATE bookings SET cancelled_at = $1`, time.Now())
			other.do(`UPDATE trains SET name = 'Changed', stops = '[{"station":"Delhi"},{"station":"Mumbai"}]'`)
			other.do(`COMMIT`)
			require.NoError(t, <-done)
			require.Equal(t, sale.Booking, found.Booking)
			require.NotEqual(t, "Changed", found.On.Name)
		})
	}
}
