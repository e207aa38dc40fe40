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

// copyAddress is the address in the leases of the copy command.
const copyAddress = "copy"

// writeHolds writes the live holds of the trains to Redis and returns their number.
func (c *copyStore) writeHolds(
	ctx context.Context, from *sqlite.DB, trains []booking.TrainID, log *slog.Logger, now time.Time,
) (written int, err error) {
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
		if err := replaceHolds(ctx, to, train, holds, now); err != nil {
			return 0, fmt.Errorf("holds of train %s: %w", train, err)
		}
		written += len(holds)
	}
	return written, nil
}

// replaceHolds replaces the live holds of a train in Redis. It holds the lease of the train, as
// every writer of holds must.
func replaceHolds(ctx context.Context, to *redis.DB, train booking.TrainID, holds []booking.Hold, now time.Time) (err error) {
	lease := persistence.Lease{Train: train, Address: copyAddress, Owner: uuid.New()}
	holder, err := to.AcquireLease(ctx, lease)
	if err != nil {
		return err
	}
	if holder != lease {
		return errors.New("a service or another copy is using this Redis: stop it and run this command again")
	}
	defer func() { err = errors.Join(err, to.ReleaseLease(context.WithoutCancel(ctx), lease)) }()
	existing, err := to.LoadHolds(ctx, train, now)
	if err != nil {
		return err
	}
	guard, writes := persistence.Guard{Train: train, Owner: lease.Owner}, []persistence.HoldWrite{}
	for _, hold := range existing { // from an earlier copy
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
