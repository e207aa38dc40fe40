package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
)

// exchangeOf returns an exchange of a booking by its user.
func exchangeOf(old booking.Booking, guard persistence.Guard, seats ...int) persistence.Exchange {
	sale := saleOf(guard, seats...)
	sale.Booking.User = old.User
	return persistence.Exchange{Sale: sale, OldTrain: old.Train, Old: old.ID}
}

// Its owner is not compared, but its row must not change.
func TestExchangeIsLockedDuringAnAdoptionOfTheOldTrain(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	from, to := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	old := saleOf(from, 1)
	require.NoError(t, bookOne(t.Context(), db, old))
	exchange := exchangeOf(old.Booking, to, 1)
	adopter := connect(t, url)
	adopter.do(`BEGIN`)
	adopter.do(`UPDATE trains SET epoch = epoch + 1, owner = $2 WHERE id = $1`, [16]byte(from.Train), [16]byte(uuid.New()))
	require.ErrorIs(t, db.ExchangeBooking(t.Context(), exchange), persistence.ErrLocked)
	adopter.do(`COMMIT`)
	require.NoError(t, db.ExchangeBooking(t.Context(), exchange))
}

// A seat to free may be locked, or one to take.
func TestExchangeWithALockedSeatIsNotExecuted(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	from, to := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	old := saleOf(from, 1)
	require.NoError(t, bookOne(t.Context(), db, old))
	exchange := exchangeOf(old.Booking, to, 1)
	other := connect(t, url)
	for _, guard := range []persistence.Guard{from, to} {
		other.blockSeat(guard, 1)
		err := db.ExchangeBooking(t.Context(), exchange)
		require.ErrorIs(t, err, persistence.ErrLocked)
		require.NotErrorIs(t, err, persistence.ErrUnknown)
		found, err := db.FindBooking(t.Context(), old.Booking.ID)
		require.NoError(t, err)
		require.Equal(t, old.Booking, found)
		other.do(`COMMIT`)
	}
	require.NoError(t, db.ExchangeBooking(t.Context(), exchange))
	require.Equal(t, 2, other.count(`SELECT count(*) FROM seats WHERE legs & 32 <> 0`), "the legs of others stay")
}
