package actors_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

const (
	stressTime  = 4 * time.Second // at least; longer until there are stressSales
	stressSales = 20
	stressTTL   = 80 * time.Millisecond
	stressSeats = 6
	stressLimit = 3 // seats that a user may hold on a train
)

// TestPromisesHoldUnderStress lets clients and an admin do everything at once, on real time
// and a real database that fails, while trains lose their activations.
func TestPromisesHoldUnderStress(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	store := &flaky{DB: db}
	s := actors.New(actors.Options{
		Store: store, Holds: store, Rules: booking.HoldRules{TTL: stressTTL, MaxSeats: stressLimit},
	})
	require.NoError(t, s.Start(t.Context()))
	trains := []booking.Train{stressTrain(), stressTrain(), stressTrain()}
	admin := &stressAdmin{System: s, trains: trains}
	admin.Traffic = traffic.New(traffic.Options{Service: s})
	admin.Client = admin.Traffic.Client(-1, uuid.Nil)
	for _, train := range trains {
		admin.put(train)
	}

	passengers := traffic.Start(t.Context(), traffic.Options{
		Service: s, Users: []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}, Clients: 3,
		Trains: trains, Seats: stressSeats, MaxSeats: 2, Think: 4 * time.Millisecond, Impatient: 0.05,
		Seed: rand.Uint64(), Recorder: admin.Recorder,
	}, traffic.Mixed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() {
		defer cancel()
		<-time.After(stressTime)
		repeat(ctx, stressTime/10, func() {
			if passengers.Bookings() > stressSales {
				cancel()
			}
		})
	})
	running.Go(func() { repeat(ctx, 4*time.Millisecond, admin.change) })
	running.Go(func() {
		repeat(ctx, 20*time.Millisecond, func() { actors.Halt(s, trains[rand.IntN(len(trains))].ID) })
	})
	running.Wait()
	passengers.Stop()
	require.NoError(t, s.Stop(t.Context()))
	store.late.Wait()

	h := passengers.History()
	h.MaxSeats, h.Stored = stressLimit, storedBookings(t, db, h)
	require.Empty(t, h.Check(time.Minute).Problems)
	t.Logf("%d operations, %d bookings, %d failed", len(h.Operations), passengers.Bookings(), len(passengers.Failed()))
	require.Greater(t, passengers.Bookings(), stressSales, "else nothing was tried")
	requireSeatsMatchBookings(t, db, trains)
}

func stressTrain() booking.Train {
	return booking.Train{
		ID: booking.NewTrainID(), Name: "Test Express", Capacity: stressSeats, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
	}
}

func repeat(ctx context.Context, most time.Duration, do func()) {
	for ctx.Err() == nil {
		do()
		<-time.After(rand.N(most))
	}
}

// stressAdmin changes trains, and deletes the last one and creates it again.
type stressAdmin struct {
	*actors.System
	*traffic.Traffic
	*traffic.Client

	trains []booking.Train
}

func (a *stressAdmin) change() {
	ctx := context.Background()
	if rand.IntN(20) > 0 {
		a.put(a.trains[rand.IntN(len(a.trains))])
		return
	}
	last := a.trains[len(a.trains)-1]
	force := rand.IntN(2) == 0
	deleted := a.Send(ctx, history.Operation{Kind: history.Delete, Train: last.ID, Force: force},
		func(ctx context.Context, _ *history.Operation) error { return a.DeleteTrain(ctx, last.ID, force) })
	if deleted.Result == history.HasBookings {
		return
	}
	page, err := a.ListTrains(ctx, booking.TrainQuery{})
	if err == nil && slices.ContainsFunc(page.Items, func(found booking.Availability) bool { return found.Train.ID == last.ID }) {
		a.Violation("train %s was deleted and is listed", last.ID)
	}
	a.put(last)
}

// put creates a train or changes its capacity, and checks that the train is found.
func (a *stressAdmin) put(train booking.Train) {
	ctx := context.Background()
	train.Capacity += rand.IntN(3)
	put := a.Send(ctx, history.Operation{Kind: "put train", Train: train.ID}, func(ctx context.Context, o *history.Operation) error {
		_, _, err := a.PutTrain(ctx, train)
		if booking.CodeOf(err) == booking.CodeCapacityInUse {
			o.Result = history.Done
		}
		return err
	})
	if _, err := a.FindTrain(ctx, train.ID); booking.CodeOf(err) == booking.CodeNotFound {
		a.Violation("train %s is not found after %s", train.ID, &put)
	}
}

// storedBookings returns the bookings of a history as the store has them: each that a client
// tried to confirm, and all that are live.
func storedBookings(t *testing.T, store persistence.Store, h *history.History) []booking.Booking {
	t.Helper()
	found := map[uuid.UUID]booking.Booking{}
	for _, id := range h.Confirmed() {
		b, err := store.FindBooking(t.Context(), id)
		if err == nil {
			found[id] = b
		} else {
			require.ErrorIs(t, err, persistence.ErrNotFound)
		}
	}
	for _, train := range h.Trains() {
		page, err := store.TrainBookings(t.Context(), train, booking.PageRequest{})
		require.NoError(t, err)
		for _, b := range page.Items {
			found[b.ID] = b.Booking
		}
	}
	return slices.Collect(maps.Values(found))
}

// requireSeatsMatchBookings compares the store's seats with its bookings.
func requireSeatsMatchBookings(t *testing.T, store persistence.Store, trains []booking.Train) {
	t.Helper()
	for _, train := range trains {
		page, err := store.TrainBookings(t.Context(), train.ID, booking.PageRequest{})
		require.NoError(t, err)
		want := map[int]booking.Legs{}
		for _, b := range page.Items {
			for _, n := range b.Seats {
				want[n] |= b.Legs
			}
		}
		seats, err := store.SeatLegs(t.Context(), []booking.TrainID{train.ID})
		require.NoError(t, err)
		require.Equal(t, []map[int]booking.Legs{want}, seats)
	}
}
