package actors_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
)

// An owner that does not know yet that it is none any more has not seen the booking. What
// it acknowledges must be in the store all the same (I5).
func TestCancelThroughAStaleOwnerIsStored(t *testing.T) {
	t.Parallel()
	s := openStores(t)
	stale := start(t, s, rules)
	train, user := addTrain(t, stale, 10), uuid.New()
	tally(t, stale, train)
	owner := start(t, s, rules)
	held, err := owner.Hold(t.Context(), seat(train, user, 5))
	require.NoError(t, err)
	booked, err := owner.Confirm(t.Context(), refTo(held))
	require.NoError(t, err)

	require.NoError(t, stale.CancelBooking(t.Context(), user, booked.ID))
	found, err := s.FindBooking(t.Context(), booked.ID)
	require.NoError(t, err)
	require.False(t, found.CancelledAt.IsZero())
}

// The drop of the deleted train's holds was done and its answer lost.
func TestHoldsOfADeletedTrainAreNotInherited(t *testing.T) {
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

// A hold that was refused with not_executed leaves nothing (I5): neither in a store nor to
// the next activation.
func TestRefusedHoldIsNotInherited(t *testing.T) {
	t.Parallel()
	system, shared, store := faultyCluster(t)
	train := addTrain(t, system, 10)
	tally(t, system, train)
	shared.put.Store(true)  // the lease is gone
	store.adopt.Store(true) // and the database is out of reach
	_, err := system.Hold(t.Context(), seat(train, uuid.New(), 5))
	refused, ok := errors.AsType[*booking.Error](err)
	require.True(t, ok, err)
	require.Equal(t, booking.OutcomeNotExecuted, refused.Outcome)
	shared.put.Store(false)
	store.adopt.Store(false)
	require.Equal(t, booking.Tally{Available: 10}, tally(t, system, train))
}

// The store is read, then a peer deletes a train and says so.
func TestReconcilingBringsNoDeletedTrainBack(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	system := start(t, stores, rules)
	id := addTrain(t, system, 10)
	train, err := system.FindTrain(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, actors.ReconcileWhile(t.Context(), system, func() { actors.DeleteFromPeer(system, train.Train) }))
	_, err = system.FindTrain(t.Context(), id)
	require.Equal(t, booking.CodeNotFound, booking.CodeOf(err))
	require.NoError(t, actors.ReconcileWhile(t.Context(), system, func() {}))
	_, err = system.FindTrain(t.Context(), id)
	require.NoError(t, err, "it is stored after all")
}

// Heartbeats for peers that come and go are sent beside each other while a process drains.
func TestADrainingProcessIsNotEvicted(t *testing.T) {
	t.Parallel()
	shared, err := redis.Open(t.Context(), "redis://"+servers.Redis(t), redis.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shared.Close()) })
	witness := actors.NewMember(shared, "10.0.0.2:8090")
	require.NoError(t, witness.Heartbeat(t.Context()))
	for range 20 {
		m := actors.NewMember(shared, "10.0.0.1:8090")
		require.NoError(t, m.Heartbeat(t.Context()))
		var beats sync.WaitGroup
		for range 3 {
			beats.Go(func() {
				for range 3 {
					_ = m.Heartbeat(t.Context())
				}
			})
		}
		require.NoError(t, m.Drain(t.Context()))
		beats.Wait()
		require.False(t, m.Evicted())
		require.NoError(t, m.Leave(t.Context()))
	}
}

// faultyHolds is Redis, whose writes fail when they are told to: puts because the lease
// is gone, drops because their answer is lost.
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

// faultyStore is Postgres, which adopts nothing when it is told to.
type faultyStore struct {
	*postgres.DB
	adopt atomic.Bool
}

func (f *faultyStore) Adopt(ctx context.Context, id booking.TrainID, seen int64, owner uuid.UUID) (int64, error) {
	if f.adopt.Load() {
		return 0, errAway
	}
	return f.DB.Adopt(ctx, id, seen, owner)
}

// faultyCluster is clusterOfOne on stores that can fail.
func faultyCluster(t *testing.T) (*actors.System, *faultyHolds, *faultyStore) {
	t.Helper()
	const address = "127.0.0.1:8090"
	db, err := postgres.Open(t.Context(), servers.Postgres(t), postgres.Options{Logger: slog.New(slog.DiscardHandler), Conns: 4})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	shared, err := redis.Open(t.Context(), "redis://"+servers.Redis(t), redis.Options{Address: address, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shared.Close()) })
	holds, store := &faultyHolds{DB: shared}, &faultyStore{DB: db}
	system := actors.New(actors.Options{Store: store, Holds: holds, Rules: rules, Cluster: &actors.Cluster{
		Leases: shared, Members: shared, Address: address, Listen: address, Tokens: []string{"token"},
	}})
	actors.WithoutPeers(system)
	require.NoError(t, system.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, system.Stop(context.Background())) })
	return system, holds, store
}

// A release is told as done if an earlier attempt did it, and only then.
func TestReleaseWhoseAnswerWasLostIsToldAsItIs(t *testing.T) {
	t.Parallel()
	s := openStores(t)
	system := start(t, s, booking.HoldRules{TTL: time.Second, MaxSeats: 10})
	train, user := addTrain(t, system, 10), uuid.New()
	for name, done := range map[string]bool{"done": true, "not done, and expired meanwhile": false} {
		held, err := system.Hold(t.Context(), seat(train, user, 5))
		require.NoError(t, err)
		var lost atomic.Bool
		s.holds.set(func(writes []persistence.HoldWrite, write func() ([]error, error)) ([]error, error) {
			if !writes[0].Hold.Released || lost.Swap(true) {
				return write()
			}
			if !done {
				<-time.After(time.Until(held.ExpiresAt))
				return nil, persistence.ErrUnknown
			}
			_, err := write()
			return nil, errors.Join(persistence.ErrUnknown, err)
		})
		err = system.Release(t.Context(), refTo(held))
		if done {
			require.NoError(t, err, name)
		} else {
			require.Equal(t, booking.CodeSeatNotLocked, booking.CodeOf(err), name)
		}
	}
}
