package persistencetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

var trainFacts = []fact[*exercise]{
	{"PingSucceeds", pingSucceeds},
	{"TrainIsLoadedAsItWasCreated", trainLoaded},
	{"TrainIsLoadedWithWhatIsBooked", bookedLoaded},
	{"TrainIsLoadedWithTheGivenCancelledBookings", cancelledLoaded},
	{"TrainIsLoadedFromOneSnapshot", loadedFromOneSnapshot},
	{"TrainIsNotCreatedTwice", notCreatedTwice},
	{"UnknownTrainIsNotFound", unknownTrain},
	{"AdoptIncrementsTheEpoch", adoptIncrements},
	{"OneOfManyAdoptersWins", oneAdopterWins},
	{"ManyTrainsAreAdoptedIndependently", manyAdopted},
	{"ManyTrainsAreLoadedInOrder", manyTrainsLoaded},
	{"ChangeReplacesAllButIDAndCreation", changeReplaces},
	{"CapacityDoesNotShrinkBelowBookedSeats", capacityStays},
	{"TrainWithBookingsIsDeletedOnlyWithForce", deleteNeedsForce},
	{"DeletedTrainIsNotFound", deletedNotFound},
	{"RestoredTrainKeepsItsEpoch", restoredKeepsEpoch},
	{"RestoredTrainHasNoBookedSeats", restoredHasNoSeats},
}

func pingSucceeds(x *exercise) {
	require.NoError(x, x.Ping(x.Context()))
}

func trainLoaded(x *exercise) {
	want := x.createTrain()
	got := x.load(want.ID)
	x.requireSameTrain(want, got.Train)
	require.Empty(x, got.Bookings)
	require.Empty(x, got.Cancelled)
	require.Empty(x, got.Seats)
}

func bookedLoaded(x *exercise) {
	guard, other := x.createAdopted(), x.createAdopted()
	x.sell(other, booking.Segment(0, 3), 1)
	front := x.sell(guard, booking.Segment(0, 1), 1, 2)
	back := x.sell(guard, booking.Segment(2, 3), 2, 3)
	last := x.sell(guard, booking.Segment(booking.MaxLegs-1, booking.MaxLegs), booking.MaxCapacity)
	loaded := x.load(guard.Train)
	require.ElementsMatch(x, []booking.Booking{front, back, last}, loaded.Bookings)
	require.Equal(x, map[int]booking.Legs{
		1: front.Legs, 2: front.Legs | back.Legs, 3: back.Legs, booking.MaxCapacity: last.Legs,
	}, loaded.Seats)

	require.NoError(x, x.CancelBooking(x.Context(), guard, front.ID, start, booking.ByPassenger))
	loaded = x.load(guard.Train)
	require.ElementsMatch(x, []booking.Booking{back, last}, loaded.Bookings)
	require.Equal(x, map[int]booking.Legs{2: back.Legs, 3: back.Legs, booking.MaxCapacity: last.Legs}, loaded.Seats,
		"a seat without legs is missing")
}

func cancelledLoaded(x *exercise) {
	guard := x.createAdopted()
	var cancelled []uuid.UUID
	for seat := range 3 {
		b := x.sell(guard, booking.Segment(0, 3), seat+1)
		require.NoError(x, x.CancelBooking(x.Context(), guard, b.ID, start, booking.ByPassenger))
		cancelled = append(cancelled, b.ID)
	}
	live := x.sell(guard, booking.Segment(0, 3), 1)
	require.Empty(x, x.load(guard.Train).Cancelled, "none was asked for")
	require.ElementsMatch(x, cancelled[:2], x.load(guard.Train, cancelled[0], live.ID, uuid.New(), cancelled[1]).Cancelled)
	require.Equal(x, []booking.Booking{live}, x.load(guard.Train).Bookings)
}

// loadedFromOneSnapshot loads a train while its seats are sold and cancelled: either a booking and
// its seats are loaded, or its id is among the cancelled ones, or nothing of it.
func loadedFromOneSnapshot(x *exercise) {
	guard := x.createAdopted()
	ctx, cancel := context.WithCancel(x.Context())
	defer cancel()
	const rounds = 40
	sales := make([]persistence.Sale, rounds)
	ids := make([]uuid.UUID, rounds)
	for i := range sales {
		sales[i] = saleOf(guard, booking.Segment(0, 2), 1, 2, 3)
		ids[i] = sales[i].Booking.ID
	}
	sell := func() error {
		for _, sale := range sales {
			results, err := x.Book(x.Context(), []persistence.Sale{sale})
			if err := errors.Join(append(results, err)...); err != nil {
				return err
			}
			if err := x.CancelBooking(x.Context(), guard, sale.Booking.ID, start, booking.ByPassenger); err != nil {
				return err
			}
		}
		return nil
	}
	load := func() error {
		for last := 0; last < rounds; {
			loaded, err := LoadTrain(ctx, x, guard.Train, ids)
			if err != nil {
				return err
			}
			sold := len(loaded.Cancelled) + len(loaded.Bookings)
			if seats := seatsOf(loaded.Bookings); sold < last || !maps.Equal(seats, loaded.Seats) {
				return fmt.Errorf("%d, then %d were sold; bookings of %v, seats %v", last, sold, seats, loaded.Seats)
			}
			last = len(loaded.Cancelled)
		}
		return nil
	}
	results := together(2, func(i int) error {
		err := []func() error{sell, load}[i]()
		if err != nil {
			cancel() // load would wait for sales that do not come
		}
		return err
	})
	for _, err := range results {
		require.NoError(x, err)
	}
}

func notCreatedTwice(x *exercise) {
	want := x.createTrain()
	other := newTrain()
	other.ID, other.Name = want.ID, "Another"
	require.ErrorIs(x, x.CreateTrain(x.Context(), other), persistence.ErrExists)
	got := x.load(want.ID).Train
	x.requireSameTrain(want, got)
}

func unknownTrain(x *exercise) {
	id := booking.NewTrainID()
	_, err := Epoch(x.Context(), x, id)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	_, err = Adopt(x.Context(), x, id, 0, uuid.New())
	require.ErrorIs(x, err, persistence.ErrNotFound)
	_, err = LoadTrain(x.Context(), x, id, nil)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	sale := saleOf(persistence.Guard{Train: id, Epoch: 1, Owner: uuid.New()}, booking.Segment(0, 1), 1)
	require.ErrorIs(x, x.book(sale)[0], persistence.ErrNotFound)
	require.Zero(x, x.booked(id, booking.Segment(0, 1)))
	_, err = x.TrainBookings(x.Context(), id, booking.PageRequest{})
	require.ErrorIs(x, err, persistence.ErrNotFound)
}

func adoptIncrements(x *exercise) {
	id := x.createTrain().ID
	old, err := Epoch(x.Context(), x, id)
	require.NoError(x, err)
	for range 3 {
		epoch, err := Adopt(x.Context(), x, id, old, uuid.New())
		require.NoError(x, err)
		require.Equal(x, old+1, epoch)
		_, err = Adopt(x.Context(), x, id, old, uuid.New())
		require.ErrorIs(x, err, persistence.ErrFenced, "the epoch has changed")
		old, err = Epoch(x.Context(), x, id)
		require.NoError(x, err)
		require.Equal(x, epoch, old)
	}
}

// manyAdopted adopts a train that does not exist, a deleted one, one with another epoch, and one for
// two activations, among many others.
func manyAdopted(x *exercise) {
	const missing, deleted, stale, twice, again = 1, 3, 5, 7, 8
	activations := make([]persistence.Guard, 20)
	trains := make([]booking.TrainID, len(activations))
	for i := range activations {
		train := x.createTrain()
		activations[i] = persistence.Guard{Train: train.ID, Epoch: 1, Owner: uuid.New()}
	}
	activations[missing].Train = booking.NewTrainID()
	require.NoError(x, x.DeleteTrain(x.Context(), x.adopt(activations[deleted].Train), persistence.Deletion{At: start}))
	activations[deleted].Epoch = 2
	x.adopt(activations[stale].Train)
	activations[again].Train = activations[twice].Train
	results, err := x.Adopt(x.Context(), adoptionsOf(activations))
	require.NoError(x, err)
	require.Len(x, results, len(activations))
	want := map[int]error{
		missing: persistence.ErrNotFound, deleted: persistence.ErrNotFound,
		stale: persistence.ErrFenced, again: persistence.ErrFenced,
	}
	for i, a := range activations {
		require.ErrorIs(x, results[i], want[i], "activation %d", i)
		sold := x.book(saleOf(a, booking.Segment(0, 1), i%10+1))
		require.Equal(x, want[i] == nil, sold[0] == nil, "activation %d", i)
		trains[i] = a.Train
	}
	epochs, err := x.Epochs(x.Context(), trains)
	require.NoError(x, err)
	require.Len(x, epochs, len(trains))
	for i, epoch := range epochs {
		if errors.Is(want[i], persistence.ErrNotFound) {
			require.ErrorIs(x, epoch.Err, persistence.ErrNotFound, "train %d", i)
			continue
		}
		require.NoError(x, epoch.Err, "train %d", i)
		require.Equal(x, int64(1), epoch.Value, "train %d", i)
	}
	results, err = x.Adopt(x.Context(), nil)
	require.NoError(x, err)
	require.Empty(x, results)
}

// manyTrainsLoaded loads trains with different bookings, and one that does not exist.
func manyTrainsLoaded(x *exercise) {
	const missing = 3
	trains := make([]booking.TrainID, 12)
	want := make([]persistence.LoadedTrain, len(trains))
	became := []uuid.UUID{uuid.New()}
	for i := range trains {
		want[i].Train = x.createTrain()
		trains[i] = want[i].Train.ID
		guard := x.adopt(trains[i])
		for seat := range i {
			want[i].Bookings = append(want[i].Bookings, x.sell(guard, booking.Segment(0, 2), seat+1))
		}
		cancelled := x.sell(guard, booking.Segment(2, 3), 1)
		require.NoError(x, x.CancelBooking(x.Context(), guard, cancelled.ID, start, booking.ByPassenger))
		if i%2 == 0 {
			want[i].Cancelled = []uuid.UUID{cancelled.ID}
			became = append(became, cancelled.ID)
		}
	}
	trains[missing] = booking.NewTrainID()
	loaded, err := x.LoadTrains(x.Context(), trains, became)
	require.NoError(x, err)
	require.Len(x, loaded, len(trains))
	for i, l := range loaded {
		if i == missing {
			require.ErrorIs(x, l.Err, persistence.ErrNotFound)
			continue
		}
		require.NoError(x, l.Err, "train %d", i)
		x.requireSameTrain(want[i].Train, l.Value.Train)
		require.ElementsMatch(x, want[i].Bookings, l.Value.Bookings, "train %d", i)
		require.ElementsMatch(x, want[i].Cancelled, l.Value.Cancelled, "train %d", i)
		require.Equal(x, seatsOf(want[i].Bookings), l.Value.Seats, "train %d", i)
	}
	loaded, err = x.LoadTrains(x.Context(), nil, nil)
	require.NoError(x, err)
	require.Empty(x, loaded)
}

// adoptionsOf returns the adoptions of trains that exist.
func adoptionsOf(guards []persistence.Guard) []persistence.Adoption {
	adoptions := make([]persistence.Adoption, len(guards))
	for i, guard := range guards {
		adoptions[i].Guard = guard
	}
	return adoptions
}

func oneAdopterWins(x *exercise) {
	id := x.createTrain().ID
	results := together(8, func(int) error {
		_, err := Adopt(x.Context(), x, id, 0, uuid.New())
		return err
	})
	require.Equal(x, 1, succeeded(results))
	for _, err := range results {
		if err != nil {
			require.ErrorIs(x, err, persistence.ErrFenced)
		}
	}
}

func changeReplaces(x *exercise) {
	train := x.createTrain()
	guard := x.adopt(train.ID)
	change := newTrain()
	change.Name, change.Capacity, change.OnSale, change.SalesOpenAt = "Rajdhani", 20_000, false, time.Time{}
	change.Stops, change.UpdatedAt = change.Stops[1:], start.Add(time.Hour)
	change.CreatedAt = start.Add(time.Minute) // must be ignored
	change.ID = train.ID
	require.NoError(x, x.ChangeTrain(x.Context(), guard, change))
	got := x.load(train.ID).Train
	change.CreatedAt = train.CreatedAt
	x.requireSameTrain(change, got)
	change.SalesOpenAt = start
	require.NoError(x, x.ChangeTrain(x.Context(), guard, change))
	x.requireSameTrain(change, x.load(train.ID).Train)
	epoch, err := Epoch(x.Context(), x, train.ID)
	require.NoError(x, err)
	require.Equal(x, guard.Epoch, epoch)
}

func capacityStays(x *exercise) {
	train := x.createTrain()
	guard := x.adopt(train.ID)
	seventh := x.sell(guard, booking.Segment(1, 2), 7)
	smaller := train
	smaller.Capacity = 6
	require.ErrorIs(x, x.ChangeTrain(x.Context(), guard, smaller), persistence.ErrConflict)
	got := x.load(train.ID).Train
	x.requireSameTrain(train, got)
	smaller.Capacity = 7
	require.NoError(x, x.ChangeTrain(x.Context(), guard, smaller))
	require.NoError(x, x.CancelBooking(x.Context(), guard, seventh.ID, start, booking.ByPassenger))
	smaller.Capacity = 6
	require.NoError(x, x.ChangeTrain(x.Context(), guard, smaller), "a cancelled seat does not prevent it")
}

func deleteNeedsForce(x *exercise) {
	guard := x.createAdopted()
	sold := x.sell(guard, booking.Segment(0, 3), 1, 2)
	require.ErrorIs(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start}), persistence.ErrConflict)
	require.Len(x, x.live(guard.Train), 1)
	at := start.Add(time.Minute)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: at, Force: true}))
	got, err := x.FindBooking(x.Context(), sold.ID)
	require.NoError(x, err)
	require.Equal(x, asCancelled(sold, at, booking.ByTrain), got)
	history, err := x.UserBookings(x.Context(), sold.User, booking.PageRequest{})
	require.NoError(x, err)
	require.Empty(x, history.Items)
}

func deletedNotFound(x *exercise) {
	train := x.createTrain()
	guard := x.adopt(train.ID)
	cancelled := x.sell(guard, booking.Segment(0, 3), 1)
	require.NoError(x, x.CancelBooking(x.Context(), guard, cancelled.ID, start, booking.ByPassenger))
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start}), "a cancelled booking does not prevent it")
	_, err := Epoch(x.Context(), x, train.ID)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	_, err = Adopt(x.Context(), x, train.ID, guard.Epoch, uuid.New())
	require.ErrorIs(x, err, persistence.ErrNotFound)
	_, err = LoadTrain(x.Context(), x, train.ID, nil)
	require.ErrorIs(x, err, persistence.ErrNotFound)
	require.ErrorIs(x, x.book(saleOf(guard, booking.Segment(0, 1), 1))[0], persistence.ErrNotFound)
	require.ErrorIs(x, x.ChangeTrain(x.Context(), guard, train), persistence.ErrNotFound)
	require.ErrorIs(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start, Force: true}), persistence.ErrNotFound)
}

func restoredKeepsEpoch(x *exercise) {
	train := x.createTrain()
	x.adopt(train.ID)
	guard := x.adopt(train.ID)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start}))
	restored := newTrain()
	restored.ID, restored.Name, restored.CreatedAt = train.ID, "Restored", start.Add(time.Hour)
	restored.SalesOpenAt = start.Add(2 * time.Hour)
	require.NoError(x, x.CreateTrain(x.Context(), restored))
	got := x.load(train.ID).Train
	x.requireSameTrain(restored, got)
	require.ErrorIs(x, x.book(saleOf(guard, booking.Segment(0, 1), 1))[0], persistence.ErrFenced,
		"the activation that deleted the train does not own the restored one")
	require.Greater(x, x.adopt(train.ID).Epoch, guard.Epoch)
}

func restoredHasNoSeats(x *exercise) {
	train := x.createTrain()
	guard := x.adopt(train.ID)
	x.sell(guard, booking.Segment(0, 3), 1, 2)
	require.NoError(x, x.DeleteTrain(x.Context(), guard, persistence.Deletion{At: start, Force: true}))
	require.NoError(x, x.CreateTrain(x.Context(), train))
	guard = x.adopt(train.ID)
	require.Zero(x, x.booked(train.ID, booking.Segment(0, 3)))
	x.sell(guard, booking.Segment(0, 3), 1, 2)
}

// requireSameTrain compares two trains. Equal times of stops may have different representations.
func (x *exercise) requireSameTrain(want, got booking.Train) {
	x.Helper()
	require.True(x, want.Same(&got), "want %v, got %v", want, got)
	want.Stops, got.Stops = nil, nil
	require.Equal(x, want, got)
}
