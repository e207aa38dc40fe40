package persistencetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// This file has the methods that take many items for one.

// Epoch returns the epoch of a train.
func Epoch(ctx context.Context, store persistence.Trains, id booking.TrainID) (int64, error) {
	return only(store.Epochs(ctx, []booking.TrainID{id}))
}

// Adopt makes owner's activation current, if the epoch of the train is old, and returns the new epoch.
// It tries again while the train is locked.
func Adopt(ctx context.Context, store persistence.Trains, id booking.TrainID, old int64, owner uuid.UUID) (int64, error) {
	for {
		results, err := store.Adopt(ctx, []persistence.Adoption{{
			Guard: persistence.Guard{Train: id, Epoch: old + 1, Owner: owner},
		}})
		if err == nil {
			err = results[0]
		}
		switch {
		case err == nil:
			return old + 1, nil
		case !errors.Is(err, persistence.ErrLocked):
			return 0, err
		}
	}
}

// LoadTrain returns the state of a train.
func LoadTrain(
	ctx context.Context, store persistence.Trains, id booking.TrainID, became []uuid.UUID,
) (persistence.LoadedTrain, error) {
	return only(store.LoadTrains(ctx, []booking.TrainID{id}, became))
}

// LoadHolds returns the live holds of a train.
func LoadHolds(ctx context.Context, store persistence.Holds, id booking.TrainID, now time.Time) ([]booking.Hold, error) {
	held, err := only(store.LoadHolds(ctx, []booking.TrainID{id}, now))
	return held.Holds, err
}

// AcquireLease acquires a lease unless it is held, and returns the holder.
func AcquireLease(ctx context.Context, store persistence.Leases, lease persistence.Lease) (persistence.Lease, error) {
	holder, err := only(store.AcquireLeases(ctx, []persistence.Lease{lease}))
	return holder.Lease, err
}

// ReleaseLease releases a lease if it is still held.
func ReleaseLease(ctx context.Context, store persistence.Leases, lease persistence.Lease) error {
	return store.ReleaseLeases(ctx, []persistence.Lease{lease})
}

func only[T any](results []persistence.Result[T], err error) (value T, _ error) {
	if err != nil {
		return value, err
	}
	return results[0].Value, results[0].Err
}
