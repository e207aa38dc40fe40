package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/redis"
	"trainbooking.dev/persistence/sqlite"
)

// copyAddress is in the leases of a copy instead of where a process can be reached.
const copyAddress = "copy"

// carryHolds writes the holds of the trains into Redis and returns how many there are.
func (c *copyStore) carryHolds(
	ctx context.Context, from *sqlite.DB, trains []booking.TrainID, log *slog.Logger, now time.Time,
) (carried int, err error) {
	to, err := openRedis(ctx, &c.Redis, redis.Options{Address: copyAddress, Logger: log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for _, train := range trains {
		holds, err := from.LoadHolds(ctx, train, now)
		if err != nil {
			return 0, err
		}
		if err := carryTrain(ctx, to, train, holds, now); err != nil {
			return 0, fmt.Errorf("holds of train %s: %w", train, err)
		}
		carried += len(holds)
	}
	return carried, nil
}

// carryTrain makes the holds of a train in Redis those that are given. Like everybody
// who writes holds it has the train's lease while it does.
func carryTrain(ctx context.Context, to *redis.DB, train booking.TrainID, holds []booking.Hold, now time.Time) (err error) {
	lease := persistence.Lease{Train: train, Address: copyAddress, Owner: uuid.New()}
	holder, err := to.AcquireLease(ctx, lease)
	if err != nil {
		return err
	}
	if holder != lease {
		return errors.New("a service works on this Redis, or another copy: stop it, and run this again")
	}
	defer func() { err = errors.Join(err, to.ReleaseLease(context.WithoutCancel(ctx), lease)) }()
	before, err := to.LoadHolds(ctx, train, now)
	if err != nil {
		return err
	}
	guard, writes := persistence.Guard{Train: train, Owner: lease.Owner}, []persistence.HoldWrite{}
	for _, hold := range before { // of an earlier copy
		if !slices.ContainsFunc(holds, func(h booking.Hold) bool { return h.ID == hold.ID }) {
			writes = append(writes, persistence.HoldWrite{Guard: guard, Op: persistence.HoldDrop, Hold: hold})
		}
	}
	for _, hold := range holds {
		writes = append(writes, persistence.HoldWrite{Guard: guard, Op: persistence.HoldPut, Hold: hold})
	}
	results, err := to.WriteHolds(ctx, writes)
	return errors.Join(append(results, err)...)
}
