package persistencetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var exchangeFacts = []fact[*exercise]{
	{"ExchangeCancelsTheOldAndBooksTheNew", exchanged},
	{"ExchangeOnOneTrainMayKeepTheSeat", exchangedOnOneTrain},
	{"ExchangeIsAllOrNothing", exchangeRefused},
	{"ExchangeNeedsALiveBookingOfTheUser", exchangeOfNothing},
	{"ExchangedBookingKeepsItsTrain", exchangedKeepsTrain},
	{"RestOfABookingIsExchanged", restExchanged},
	{"OneOfManyExchangesSucceeds", oneExchange},
	{"ExchangesOfManyTrainsDoNotBlockEachOther", crossedExchanges},
}

// exchangeOf returns an exchange of a booking by its user.
func exchangeOf(old booking.Booking, guard persistence.Guard, legs booking.Legs, seats ...int) persistence.Exchange {
	sale := saleOf(guard, legs, seats...)
	sale.Booking.User, sale.Booking.BookedAt = old.User, start.Add(time.Minute)
	return persistence.Exchange{Sale: sale, OldTrain: old.Train, Old: old.ID}
}

// requireSold checks the live bookings of a train, and that its seats agree with them.
func (x *exercise) requireSold(id booking.TrainID, want ...booking.Booking) {
	x.Helper()
	loaded := x.load(id)
	require.ElementsMatch(x, want, loaded.Bookings)
	require.Equal(x, seatsOf(want), loaded.Seats)
}

func exchanged(x *exercise) {
	from, to := x.createAdopted(), x.createAdopted()
	old, kept := x.sell(from, booking.Segment(0, 2), 1, 2), x.sell(from, booking.Segment(2, 3), 2)
	there := x.sell(to, booking.Segment(0, 1), 1)
	exchange := exchangeOf(old, to, booking.Segment(1, 3), 1, 7)
	x.adopt(from.Train) // the old train may be anybody's
	for range 2 {       // idempotent
		require.NoError(x, x.ExchangeBooking(x.Context(), exchange))
		x.requireSold(from.Train, kept)
		x.requireSold(to.Train, there, exchange.Booking)
		require.Equal(x, []booking.Booking{asCancelled(old, exchange.Booking.BookedAt, booking.ByPassenger)},
			x.cancelled(from.Train, old.User))
		exchange.Guard = x.adopt(to.Train)
	}
	current := x.adopt(from.Train)
	require.NoError(x, x.CancelBooking(x.Context(), current, old.ID, start, booking.ByAdmin), "the first cancellation stays")
	require.Equal(x, booking.ByPassenger, x.cancelled(from.Train, old.User)[0].CancelledBy)
	x.sell(current, old.Legs, 1, 2)

	x.cancel(exchange.Guard, exchange.Booking, start, booking.ByPassenger)
	require.ErrorIs(x, x.ExchangeBooking(x.Context(), exchange), persistence.ErrConflict, "the new booking is cancelled")
}

// exchangedOnOneTrain has a seat that only the old booking has, one that both have, and one that only the
// new one has. Two legs of the seat that both have belong to it before and after.
func exchangedOnOneTrain(x *exercise) {
	guard := x.createAdopted()
	other := x.sell(guard, booking.Segment(3, 4), 2)
	old := x.sell(guard, booking.Segment(0, 2), 1, 2)
	exchange := exchangeOf(old, guard, booking.Segment(1, 3), 2, 3)
	require.NoError(x, x.ExchangeBooking(x.Context(), exchange))
	x.requireSold(guard.Train, other, exchange.Booking)
	back := exchangeOf(exchange.Booking, guard, booking.Segment(0, 1), 2)
	require.NoError(x, x.ExchangeBooking(x.Context(), back))
	x.requireSold(guard.Train, other, back.Booking)
}

func exchangeRefused(x *exercise) {
	from, to := x.createAdopted(), x.createAdopted()
	old, taken := x.sell(from, booking.Segment(0, 2), 1), x.sell(to, booking.Segment(2, 3), 2)
	stale, foreign := to, exchangeOf(old, to, booking.Segment(0, 2), 3)
	stale.Epoch--
	foreign.Booking.ID = taken.ID
	missing := persistence.Guard{Train: booking.NewTrainID(), Owner: uuid.New()}
	for name, c := range map[string]struct {
		exchange persistence.Exchange
		want     error
	}{
		"a seat is taken":              {exchangeOf(old, to, booking.Segment(0, 3), 1, 2), persistence.ErrConflict},
		"on the same train":            {exchangeOf(x.sell(to, booking.Segment(0, 1), 5), to, booking.Segment(0, 3), 2, 5), persistence.ErrConflict},
		"the id is another booking's":  {foreign, persistence.ErrConflict},
		"fenced":                       {exchangeOf(old, stale, booking.Segment(0, 2), 3), persistence.ErrFenced},
		"guarded by that of the other": {exchangeOf(old, persistence.Guard{Train: to.Train, Epoch: from.Epoch, Owner: from.Owner}, booking.Segment(0, 2), 3), persistence.ErrFenced},
		"no such train":                {exchangeOf(old, missing, booking.Segment(0, 2), 3), persistence.ErrNotFound},
	} {
		before := x.live(to.Train)
		require.ErrorIs(x, x.ExchangeBooking(x.Context(), c.exchange), c.want, name)
		x.requireSold(from.Train, old)
		x.requireSold(to.Train, before...)
	}
	require.NoError(x, x.DeleteTrain(x.Context(), to, persistence.Deletion{At: start, Force: true}))
	require.ErrorIs(x, x.ExchangeBooking(x.Context(), exchangeOf(old, to, booking.Segment(0, 1), 3)), persistence.ErrNotFound)
	x.requireSold(from.Train, old)
	ctx, cancel := context.WithCancel(x.Context())
	cancel()
	require.ErrorIs(x, x.ExchangeBooking(ctx, exchangeOf(old, x.createAdopted(), booking.Segment(0, 1), 3)), context.Canceled)
}

func exchangeOfNothing(x *exercise) {
	from, to := x.createAdopted(), x.createAdopted()
	old := x.sell(from, booking.Segment(0, 2), 1)
	theirs := exchangeOf(old, to, booking.Segment(0, 1), 1)
	theirs.Booking.User = uuid.New()
	elsewhere := exchangeOf(old, to, booking.Segment(0, 1), 1)
	elsewhere.OldTrain = to.Train
	unknown := exchangeOf(old, to, booking.Segment(0, 1), 1)
	unknown.Old = uuid.New()
	for name, exchange := range map[string]persistence.Exchange{
		"of another user": theirs, "of another train": elsewhere, "unknown": unknown,
	} {
		require.ErrorIs(x, x.ExchangeBooking(x.Context(), exchange), persistence.ErrNotLive, name)
		x.requireSold(to.Train)
	}
	x.requireSold(from.Train, old)
	x.cancel(from, old, start, booking.ByAdmin)
	again := x.sell(from, old.Legs, 1)
	require.ErrorIs(x, x.ExchangeBooking(x.Context(), exchangeOf(old, to, booking.Segment(0, 1), 1)), persistence.ErrNotLive)
	x.requireSold(from.Train, again)
	x.requireSold(to.Train)
	require.Equal(x, []booking.Booking{asCancelled(old, start, booking.ByAdmin)}, x.cancelled(from.Train, old.User))

	confirmed := exchangeOf(again, to, booking.Segment(0, 1), 1) // the hold was confirmed the ordinary way
	require.NoError(x, x.book(confirmed.Sale)[0])
	require.ErrorIs(x, x.ExchangeBooking(x.Context(), confirmed), persistence.ErrConflict)
	x.requireSold(from.Train, again)
}

// exchangedKeepsTrain changes the old train after the exchange.
func exchangedKeepsTrain(x *exercise) {
	train := x.createTrain()
	from, to := x.adopt(train.ID), x.createAdopted()
	old := x.sell(from, booking.Segment(0, 2), 1)
	require.NoError(x, x.ExchangeBooking(x.Context(), exchangeOf(old, to, booking.Segment(0, 1), 1)))
	changed := train
	changed.Name, changed.Stops = "Changed", train.Stops[:2]
	require.NoError(x, x.ChangeTrain(x.Context(), from, changed))
	found, err := x.FindBookedTrain(x.Context(), old.ID)
	require.NoError(x, err)
	x.requireSameTrain(train, *found.On)
}

// restExchanged exchanges a booking of which a seat was cancelled.
func restExchanged(x *exercise) {
	from, to := x.createAdopted(), x.createAdopted()
	old := x.sell(from, booking.Segment(0, 2), 1, 2)
	require.NoError(x, x.CancelSeats(x.Context(), from, old.ID, []int{2}, start, booking.ByPassenger))
	again := x.sell(from, old.Legs, 2)
	exchange := exchangeOf(old, to, booking.Segment(0, 1), 1)
	require.NoError(x, x.ExchangeBooking(x.Context(), exchange))
	x.requireSold(from.Train, again)
	x.requireSold(to.Train, exchange.Booking)
	require.ErrorIs(x, x.CancelSeats(x.Context(), from, old.ID, []int{1}, start, booking.ByPassenger), persistence.ErrConflict)
}

// oneExchange exchanges one booking for seats of many trains at once, while it is also cancelled.
func oneExchange(x *exercise) {
	from := x.createAdopted()
	old := x.sell(from, booking.Segment(0, 2), 1)
	exchanges := make([]persistence.Exchange, 8)
	for i := range exchanges {
		exchanges[i] = exchangeOf(old, x.createAdopted(), booking.Segment(0, 1), 1)
	}
	results := together(len(exchanges)+1, func(i int) error {
		if i < len(exchanges) {
			return x.exchange(exchanges[i])
		}
		return x.CancelBooking(x.Context(), from, old.ID, start, booking.ByPassenger)
	})
	require.NoError(x, results[len(exchanges)], "the first cancellation stays")
	booked := 0
	for i, err := range results[:len(exchanges)] {
		if err != nil {
			require.ErrorIs(x, err, persistence.ErrNotLive)
			x.requireSold(exchanges[i].Guard.Train)
			continue
		}
		booked++
		x.requireSold(exchanges[i].Guard.Train, exchanges[i].Booking)
	}
	require.LessOrEqual(x, booked, 1)
	x.requireSold(from.Train)
}

// exchange exchanges a booking, again while something is locked.
func (x *exercise) exchange(exchange persistence.Exchange) (err error) {
	for {
		if err = x.ExchangeBooking(x.Context(), exchange); !errors.Is(err, persistence.ErrLocked) {
			return err
		}
	}
}

// crossedExchanges moves bookings round and round between trains, each to the seats of the others.
func crossedExchanges(x *exercise) {
	guards := []persistence.Guard{x.createAdopted(), x.createAdopted(), x.createAdopted()}
	const passengers, rounds = 6, 10
	results := together(passengers, func(i int) error {
		leg := booking.Segment(i, i+1) // so that all share the rows of two seats
		sale := saleOf(guards[i%len(guards)], leg, 1, 2)
		_, err := x.Book(x.Context(), []persistence.Sale{sale})
		for n := 1; n <= rounds && err == nil; n++ {
			next := exchangeOf(sale.Booking, guards[(i+n)%len(guards)], leg, 1, 2)
			err = x.exchange(next)
			sale = next.Sale
		}
		return err
	})
	require.Equal(x, make([]error, passengers), results)
	for _, guard := range guards {
		x.requireSold(guard.Train, x.live(guard.Train)...)
		require.Len(x, x.live(guard.Train), passengers/len(guards))
	}
}
