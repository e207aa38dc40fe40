package persistencetest

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var fenceFacts = []fact[*exercise]{
	{"AdoptFencesThePreviousActivation", adoptFences},
	{"OwnerAndEpochAreCompared", ownerCompared},
	{"TrainThatWasNeverAdoptedIsFenced", unownedFenced},
	{"FencedSaleDoesNotAffectItsBatch", fencedSale},
	{"NothingIsWrittenAfterAdoptReturned", nothingAfterAdopt},
}

// guardedWrites are all writes on behalf of a train with a booking sold.
var guardedWrites = map[string]func(ctx context.Context, s persistence.Store, g persistence.Guard, sold uuid.UUID) error{
	"Book": func(ctx context.Context, s persistence.Store, g persistence.Guard, _ uuid.UUID) error {
		results, err := s.Book(ctx, []persistence.Sale{saleOf(g, booking.Segment(0, 1), 9)})
		return errors.Join(append(results, err)...)
	},
	"CancelBooking": func(ctx context.Context, s persistence.Store, g persistence.Guard, sold uuid.UUID) error {
		return s.CancelBooking(ctx, g, sold, start, booking.ByPassenger)
	},
	"ExchangeBooking": func(ctx context.Context, s persistence.Store, g persistence.Guard, sold uuid.UUID) error {
		return s.ExchangeBooking(ctx, persistence.Exchange{
			Sale: saleOf(g, booking.Segment(0, 1), 9), OldTrain: g.Train, Old: sold,
		})
	},
	"ChangeTrain": func(ctx context.Context, s persistence.Store, g persistence.Guard, _ uuid.UUID) error {
		train := newTrain()
		train.ID, train.Name = g.Train, "Changed"
		return s.ChangeTrain(ctx, g, train)
	},
	"DeleteTrain": func(ctx context.Context, s persistence.Store, g persistence.Guard, _ uuid.UUID) error {
		return s.DeleteTrain(ctx, g, persistence.Deletion{At: start, Force: true})
	},
}

// requireFenced checks that every write with the guard is fenced and changes nothing.
func (x *exercise) requireFenced(guard persistence.Guard, sold booking.Booking) {
	x.Helper()
	before := x.load(guard.Train)
	for name, write := range guardedWrites {
		require.ErrorIs(x, write(x.Context(), x, guard, sold.ID), persistence.ErrFenced, name)
		after := x.load(guard.Train)
		x.requireSameTrain(before.Train, after.Train)
		require.Equal(x, []booking.Booking{sold}, after.Bookings, name)
		require.Equal(x, before.Seats, after.Seats, name)
		require.Equal(x, len(sold.Seats), x.booked(guard.Train, booking.Segment(0, booking.MaxLegs)), name)
	}
}

func adoptFences(x *exercise) {
	old := x.createAdopted()
	sold := x.sell(old, booking.Segment(0, 2), 3, 4)
	current := x.adopt(old.Train)
	x.requireFenced(old, sold)
	require.NoError(x, x.CancelBooking(x.Context(), current, sold.ID, start, booking.ByPassenger), "the current activation can write")
}

func ownerCompared(x *exercise) {
	guard := x.createAdopted()
	sold := x.sell(guard, booking.Segment(0, 2), 3)
	otherOwner := guard
	otherOwner.Owner = uuid.New()
	x.requireFenced(otherOwner, sold)
	otherEpoch := guard
	otherEpoch.Epoch++
	x.requireFenced(otherEpoch, sold)
}

func unownedFenced(x *exercise) {
	id := x.createTrain().ID
	for _, owner := range []uuid.UUID{{}, uuid.New()} {
		sale := saleOf(persistence.Guard{Train: id, Owner: owner}, booking.Segment(0, 1), 1)
		require.ErrorIs(x, x.book(sale)[0], persistence.ErrFenced)
	}
}

func fencedSale(x *exercise) {
	fenced, other := x.createAdopted(), x.createAdopted()
	current := x.adopt(fenced.Train)
	legs := booking.Segment(0, 3)
	sales := []persistence.Sale{
		saleOf(other, legs, 1), saleOf(fenced, legs, 1), saleOf(current, legs, 1),
		saleOf(other, legs, 1, 2), saleOf(persistence.Guard{Train: booking.NewTrainID()}, legs, 1), saleOf(other, legs, 2),
	}
	want := []error{nil, persistence.ErrFenced, nil, persistence.ErrConflict, persistence.ErrNotFound, nil}
	for i, err := range x.book(sales...) {
		require.ErrorIs(x, err, want[i], "sale %d", i)
		_, found := x.FindBooking(x.Context(), sales[i].Booking.ID)
		require.Equal(x, want[i] == nil, found == nil, "sale %d", i)
	}
}

// nothingAfterAdopt sells as fast as it can while the train is adopted. The new owner must load
// everything that the old one has written. With more sellers, sales would lock the train all the time.
func nothingAfterAdopt(x *exercise) {
	old := x.createAdopted()
	const sellers, adopter = 2, 0
	var loaded persistence.LoadedTrain
	results := together(sellers+1, func(i int) error {
		if i == adopter {
			if _, err := Adopt(x.Context(), x, old.Train, old.Epoch, uuid.New()); err != nil {
				return err
			}
			var err error
			loaded, err = LoadTrain(x.Context(), x, old.Train, nil)
			return err
		}
		for leg := range booking.MaxLegs {
			sale, err := saleOf(old, booking.Segment(leg, leg+1), i), persistence.ErrLocked
			for errors.Is(err, persistence.ErrLocked) { // by the adoption
				var results []error
				results, err = x.Book(x.Context(), []persistence.Sale{sale})
				err = errors.Join(append(results, err)...)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(x, results[adopter])
	require.ElementsMatch(x, loaded.Bookings, x.live(old.Train))
	require.Equal(x, seatsOf(loaded.Bookings), loaded.Seats)
	for _, err := range results[adopter+1:] {
		if err != nil {
			require.ErrorIs(x, err, persistence.ErrFenced)
		}
	}
}
