package actors_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
)

// The deleted train's holds were dropped, but the response was lost.
func TestHoldsOfADeletedTrainAreNotHandedOff(t *testing.T) {
	t.Parallel()
	system, shared, _ := faultyCluster(t)
	train, user := addTrain(t, system, 10), uuid.New()
	held, err := system.Hold(t.Context(), seat(train, user, 5))
	require.NoError(t, err)
	shared.drop.Store(true)
	require.NoError(t, system.DeleteTrain(t.Context(), train, true))
	shared.drop.Store(false)

	_, created, err := system.PutTrain(t.Context(), booking.Train{
		ID: train, Name: "Successor", Capacity: 10, OnSale: true,
		Stops: []booking.Stop{{Station: "X"}, {Station: "Y"}, {Station: "Z"}},
	})
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, booking.Tally{Available: 10}, tally(t, system, train))
	_, err = system.Confirm(t.Context(), refTo(held))
	require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err))
}

// A hold that was refused with not_executed has no effect (I5): neither in a store nor in the
// next activation.
func TestRefusedHoldIsNotHandedOff(t *testing.T) {
	t.Parallel()
	system, shared, store := faultyCluster(t)
	train := addTrain(t, system, 10)
	tally(t, system, train)
	shared.put.Store(true)  // the lease is lost
	store.adopt.Store(true) // and the database is unreachable
	_, err := system.Hold(t.Context(), seat(train, uuid.New(), 5))
	refused, ok := errors.AsType[*booking.Error](err)
	require.True(t, ok, err)
	require.Equal(t, booking.OutcomeNotExecuted, refused.Outcome)
	shared.put.Store(false)
	store.adopt.Store(false)
	require.Equal(t, booking.Tally{Available: 10}, tally(t, system, train))
}

// faultyHolds is a Redis whose writes fail on demand: puts because the lease is lost, drops
// because their responses are lost.
type faultyHolds struct {
	*redis.DB
	put, drop atomic.Bool
}

func (f *faultyHolds) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	switch op := writes[0].Op; {
	case op == persistence.HoldPut && f.put.Load():
		results := make([]error, len(writes))
		for i := range results {
			results[i] = persistence.ErrFenced
		}
		return results, nil
	case op == persistence.HoldDrop && f.drop.Load():
		_, err := f.DB.WriteHolds(ctx, writes)
		return nil, errors.Join(persistence.ErrUnknown, err)
	}
	return f.DB.WriteHolds(ctx, writes)
}

// faultyStore is a Postgres database that refuses adoptions on demand.
type faultyStore struct {
	*postgres.DB
	adopt atomic.Bool
}

func (f *faultyStore) Adopt(ctx context.Context, activations []persistence.Adoption) ([]error, error) {
	if f.adopt.Load() {
		return nil, errUnreachable
	}
	return f.DB.Adopt(ctx, activations)
}

// faultyCluster is clusterOfOne on stores that can fail.
func faultyCluster(t *testing.T) (*actors.System, *faultyHolds, *faultyStore) {
	t.Helper()
	db, shared := openClusterStores(t, clusterAddress, servers.Redis(t))
	holds, store := &faultyHolds{DB: shared}, &faultyStore{DB: db}
	return startWith(t, newClusterOfOne(store, holds, shared, rules)), holds, store
}
