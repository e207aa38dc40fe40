package actors_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// trainStores are stores whose next write of a train can be replaced.
type trainStores struct {
	*stores
	create, change, remove atomic.Pointer[func(write func() error) error]
}

func (s *trainStores) CreateTrain(ctx context.Context, train booking.Train) error {
	write := func() error { return s.stores.CreateTrain(ctx, train) }
	if f := s.create.Swap(nil); f != nil {
		return (*f)(write)
	}
	return write()
}

func (s *trainStores) ChangeTrain(ctx context.Context, guard persistence.Guard, train booking.Train) error {
	write := func() error { return s.stores.ChangeTrain(ctx, guard, train) }
	if f := s.change.Swap(nil); f != nil {
		return (*f)(write)
	}
	return write()
}

func (s *trainStores) DeleteTrain(ctx context.Context, guard persistence.Guard, deletion persistence.Deletion) error {
	write := func() error { return s.stores.DeleteTrain(ctx, guard, deletion) }
	if f := s.remove.Swap(nil); f != nil {
		return (*f)(write)
	}
	return write()
}

func startOnTrainStores(t *testing.T) (*trainStores, *actors.System) {
	t.Helper()
	s := &trainStores{stores: openStores(t)}
	return s, start(t, s, rules)
}

func TestRetryFindsTheTrainOfALostCreation(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"done": true, "not done": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stores, s := startOnTrainStores(t)
			train := express(booking.NewTrainID())
			stores.create.Store(lose(done))
			_, _, err := s.PutTrain(t.Context(), train)
			requireOutcome(t, booking.OutcomeUnknown, err)

			put, created, err := s.PutTrain(t.Context(), train)
			require.NoError(t, err)
			require.Equal(t, !done, created)
			found, err := s.FindTrain(t.Context(), train.ID)
			require.NoError(t, err)
			require.Equal(t, put, *found.Train)
		})
	}
}

func TestLostChangeIsRetriedAndListed(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"done": true, "not done": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stores, s := startOnTrainStores(t)
			train := express(addTrain(t, s, 10))
			train.Stops[0].Station = "X"
			stores.change.Store(lose(done))
			_, _, err := s.PutTrain(t.Context(), train)
			require.NoError(t, err)
			page, err := s.ListTrains(t.Context(), booking.TrainQuery{From: "X", To: "C"})
			require.NoError(t, err)
			require.Len(t, page.Items, 1)
		})
	}
}

func TestLostDeletionIsRetried(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"done": true, "not done": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stores, s := startOnTrainStores(t)
			id := addTrain(t, s, 10)
			stores.remove.Store(lose(done))
			require.NoError(t, s.DeleteTrain(t.Context(), id, false))
			left, err := s.ListTrains(t.Context(), booking.TrainQuery{})
			require.NoError(t, err)
			require.Empty(t, left.Items)
			again := s.DeleteTrain(t.Context(), id, false)
			require.Equal(t, booking.CodeNotFound, booking.CodeOf(again))
		})
	}
}

func TestTrainCreatedDuringTheDeletionOfItsIDStays(t *testing.T) {
	t.Parallel()
	stores, s := startOnTrainStores(t)
	id := addTrain(t, s, 10)
	recreate := func(write func() error) error {
		if err := write(); err != nil {
			return err
		}
		_, err := s.CreateTrain(context.Background(), express(id))
		return err
	}
	stores.remove.Store(&recreate)
	require.NoError(t, s.DeleteTrain(t.Context(), id, false))
	found, err := s.FindTrain(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "Express", found.Train.Name)
}

// lose executes a write or not, and loses its response.
func lose(done bool) *func(func() error) error {
	f := func(write func() error) error {
		if done {
			if err := write(); err != nil {
				return err
			}
		}
		return persistence.ErrUnknown
	}
	return &f
}

func express(id booking.TrainID) booking.Train {
	return booking.Train{
		ID: id, Name: "Express", Capacity: 20, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "C"}},
	}
}
