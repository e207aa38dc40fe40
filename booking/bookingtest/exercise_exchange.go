package bookingtest

import (
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var exchangeFacts = []fact{
	{"BookingIsExchangedForAHoldOfAnotherTrain", func(x *exercise) {
		from, to, user := x.create(x.draft(3)), x.create(x.draft(3)), uuid.New()
		old := x.book(x.between(request(from, user, 1, 2), "A", "C"))
		x.book(x.between(request(from, uuid.New(), 2), "C", "D"))
		hold := x.hold(request(to, user, 2, 3))
		var made booking.Booking
		for n := range 2 { // idempotent
			b, err := x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
			require.NoError(x, err)
			if n == 0 {
				made = b
			}
			require.Equal(x, made, b)
			require.Equal(x, hold.Seats, b.Seats)
			require.Equal(x, "aaa", x.seats(from, "A", "C"))
			require.Equal(x, "aba", x.seats(from, "C", "D"))
			require.Equal(x, "abb", x.seats(to, "A", "D"))
		}
		x.requireCancelled(old, booking.ByPassenger, from)
		found, err := x.FindBooking(x.ctx(), user, made.ID)
		require.NoError(x, err)
		require.Equal(x, made, found.Booking)
		require.Equal(x, []uuid.UUID{made.ID}, x.bookingIDs(user, booking.PageRequest{}))
		again, err := x.Confirm(x.ctx(), byHold(hold))
		require.NoError(x, err)
		require.Equal(x, made, again, "the hold is confirmed")
		x.book(request(from, uuid.New(), 1))

		require.NoError(x, x.CancelBooking(x.ctx(), user, made.ID))
		_, err = x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		x.requireCode(booking.CodeBookingCancelled, err, "both are cancelled")
	}},
	{"BookingIsExchangedForAHoldOfItsTrain", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		old := x.book(x.between(request(train, user, 1, 2), "A", "C"))
		hold := x.hold(x.between(request(train, user, 2, 3), "C", "D"))
		b, err := x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		require.NoError(x, err)
		require.Equal(x, "aaa", x.seats(train, "A", "C"))
		require.Equal(x, "abb", x.seats(train, "C", "D"))
		x.requireCancelled(old, booking.ByPassenger, train)
		again, err := x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		require.NoError(x, err)
		require.Equal(x, b, again)
		x.book(x.between(request(train, uuid.New(), 1, 2), "A", "C"))
		x.requireTally(train, booking.Tally{Booked: 3})
	}},
	{"ExchangeThatIsRefusedChangesNothing", func(x *exercise) {
		from, to, user, other := x.create(x.draft(4)), x.create(x.draft(4)), uuid.New(), uuid.New()
		old, theirs := x.book(request(from, user, 1)), x.book(request(from, other, 2))
		hold, held := x.hold(request(to, user, 1)), x.hold(request(to, other, 2))
		confirmed := x.hold(request(to, user, 3))
		_, err := x.Confirm(x.ctx(), byHold(confirmed))
		require.NoError(x, err)
		cancelled := x.book(request(from, user, 4))
		require.NoError(x, x.CancelBooking(x.ctx(), user, cancelled.ID))
		for name, c := range map[string]struct {
			id   uuid.UUID
			hold booking.HoldID
			want booking.Code
		}{
			"another user's booking":   {theirs.ID, hold.ID, booking.CodeNotFound},
			"no booking":               {uuid.New(), hold.ID, booking.CodeNotFound},
			"another user's hold":      {old.ID, held.ID, booking.CodeSeatNotLocked},
			"no hold":                  {old.ID, booking.NewHoldID(to.ID), booking.CodeSeatNotLocked},
			"a hold of no train":       {old.ID, booking.NewHoldID(booking.NewTrainID()), booking.CodeSeatNotLocked},
			"a hold that is confirmed": {old.ID, confirmed.ID, booking.CodeHoldConfirmed},
			"a cancelled booking":      {cancelled.ID, hold.ID, booking.CodeBookingCancelled},
		} {
			_, err := x.ExchangeBooking(x.ctx(), user, c.id, c.hold)
			x.requireCode(c.want, err, name)
			require.Equal(x, "bbaa", x.seats(from, "A", "D"), name)
			require.Equal(x, "hhba", x.seats(to, "A", "D"), name)
		}
		_, err = x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		require.NoError(x, err)
	}},
	{"ExchangeForAHoldOfAWithdrawnTrainEndsTheHold", func(x *exercise) {
		from, to, user := x.create(x.draft(1)), x.create(x.draft(1)), uuid.New()
		old, hold := x.book(request(from, user, 1)), x.hold(request(to, user, 1))
		to.OnSale = false
		_, _, err := x.PutTrain(x.ctx(), to)
		require.NoError(x, err)
		_, err = x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		x.requireCode(booking.CodeNotOnSale, err)
		x.requireTally(from, booking.Tally{Booked: 1})
		x.requireTally(to, booking.Tally{Available: 1})
	}},
	{"RestOfABookingIsExchanged", func(x *exercise) {
		from, to, user := x.create(x.draft(2)), x.create(x.draft(1)), uuid.New()
		old, hold := x.book(request(from, user, 1, 2)), x.hold(request(to, user, 1))
		require.NoError(x, x.CancelBooking(x.ctx(), user, old.ID, 1))
		x.book(request(from, uuid.New(), 1))
		_, err := x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		require.NoError(x, err)
		x.requireTally(from, booking.Tally{Booked: 1, Available: 1})
		x.requireTally(to, booking.Tally{Booked: 1})
	}},
	{"BookingOfADeletedTrainIsNotExchanged", func(x *exercise) {
		from, to, user := x.create(x.draft(1)), x.create(x.draft(1)), uuid.New()
		old, hold := x.book(request(from, user, 1)), x.hold(request(to, user, 1))
		require.NoError(x, x.DeleteTrain(x.ctx(), from.ID, true))
		_, err := x.ExchangeBooking(x.ctx(), user, old.ID, hold.ID)
		x.requireCode(booking.CodeBookingCancelled, err)
		x.requireTally(to, booking.Tally{Held: 1, Available: 0})
	}},
	{"OneOfManyExchangesOfABookingSucceeds", func(x *exercise) {
		from, user := x.create(x.draft(1)), uuid.New()
		old := x.book(request(from, user, 1))
		trains, holds := make([]booking.Train, 4), make([]booking.Hold, 4)
		for i := range trains {
			trains[i] = x.create(x.draft(1))
			holds[i] = x.hold(request(trains[i], user, 1))
		}
		won := x.race(2*len(holds), func(n int) error { // each twice, as if it was repeated
			_, err := x.ExchangeBooking(x.ctx(), user, old.ID, holds[n/2].ID)
			return err
		}, booking.CodeBookingCancelled)
		require.Equal(x, 2, won)
		require.Len(x, x.bookingIDs(user, booking.PageRequest{}), 1)
		x.requireTally(from, booking.Tally{Available: 1})
		total := booking.Tally{}
		for _, train := range trains {
			found, err := x.FindTrain(x.ctx(), train.ID)
			require.NoError(x, err)
			total.Booked += found.Booked
			total.Held += found.Held
		}
		require.Equal(x, booking.Tally{Booked: 1, Held: 3}, total, "the other holds stay")
	}},
}
