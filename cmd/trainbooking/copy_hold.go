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
		holds, err := loadHolds(ctx, from, train, now)
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
	holders, err := to.AcquireLeases(ctx, []persistence.Lease{lease})
	if err == nil {
		err = holders[0].Err
	}
	if err != nil {
		return err
	}
	if holders[0].Value.Lease != lease {
		return errors.New("a service or another copy is using this Redis: stop it and run this command again")
	}
	defer func() {
		err = errors.Join(err, to.ReleaseLeases(context.WithoutCancel(ctx), []persistence.Lease{lease}))
	}()
	existing, err := loadHolds(ctx, to, train, now)
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

// loadHolds returns the live holds of a train.
func loadHolds(ctx context.Context, from persistence.Holds, train booking.TrainID, now time.Time) ([]booking.Hold, error) {
	held, err := from.LoadHolds(ctx, []booking.TrainID{train}, now)
	if err != nil {
		return nil, err
	}
	return held[0].Value.Holds, held[0].Err
}
