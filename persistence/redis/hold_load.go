package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/booking"
)

// Each call is limited, so that Redis replies in time and other clients do not wait: an MGET
// of this size takes 0.1 ms, a step of the scan 1.5 ms.
const (
	holdsPerRead     = 256
	readsPerPipeline = 16
	keysPerScan      = 1000
)

// LoadHolds implements persistence.Holds.
func (db *DB) LoadHolds(ctx context.Context, id booking.TrainID, now time.Time) ([]booking.Hold, error) {
	holds, err := db.holdsAfter(ctx, []booking.TrainID{id}, now.Add(-booking.HoldRetention))
	return holds, wrap("load holds", err)
}

// TrainsWithHolds implements persistence.Holds. It scans all keys (1.5 s per million), which
// is acceptable when a process starts: an index of trains would be on another shard than the
// holds and could not be updated by the same script. It may miss a train whose first hold is
// written during the scan.
func (db *DB) TrainsWithHolds(ctx context.Context, now time.Time) (trains []booking.TrainID, err error) {
	seen := map[booking.TrainID]bool{}
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		var page []booking.TrainID
		if page, cursor, err = db.scanTrains(ctx, cursor); err != nil {
			return nil, wrap("trains with holds", err)
		}
		holds, err := db.holdsAfter(ctx, page, now)
		if err != nil {
			return nil, wrap("trains with holds", err)
		}
		for _, h := range holds {
			if id := h.ID.Train(); !h.Released && !seen[id] {
				seen[id] = true
				trains = append(trains, id)
			}
		}
	}
	return trains, nil
}

// scanTrains returns some trains that have holds, ended ones included, and the next cursor,
// which is 0 at the end. A train may be returned twice.
func (db *DB) scanTrains(ctx context.Context, cursor uint64) (trains []booking.TrainID, next uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	keys, next, err := db.data.Scan(ctx, cursor, holdsPattern, keysPerScan).Result()
	for _, key := range keys {
		if id, ok := trainOf(key); ok {
			trains = append(trains, id)
		}
	}
	return trains, next, err
}

// holdRead identifies the holds of a train that one MGET reads.
type holdRead struct {
	train booking.TrainID
	ids   []string
}

// holdsAfter returns the holds of the trains with a deadline after a time.
func (db *DB) holdsAfter(ctx context.Context, trains []booking.TrainID, after time.Time) (holds []booking.Hold, err error) {
	reads, err := db.holdReads(ctx, trains, after)
	if err != nil {
		return nil, err
	}
	for batch := range slices.Chunk(reads, readsPerPipeline) {
		values, err := db.readHolds(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, read := range batch {
			if holds, err = appendHolds(holds, read, values[i]); err != nil {
				return nil, err
			}
		}
	}
	return holds, nil
}

// holdReads returns the reads for the holds of the trains with a deadline after a time.
func (db *DB) holdReads(ctx context.Context, trains []booking.TrainID, after time.Time) (reads []holdRead, err error) {
	if len(trains) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	within := goredis.ZRangeBy{Min: "(" + strconv.FormatInt(after.UnixMilli(), 10), Max: "+inf"}
	pipe, ranges := db.data.Pipeline(), make([]*goredis.StringSliceCmd, len(trains))
	for i, id := range trains {
		ranges[i] = pipe.ZRangeByScore(ctx, holdsKey(id), &within)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	for i, id := range trains {
		for ids := range slices.Chunk(ranges[i].Val(), holdsPerRead) {
			reads = append(reads, holdRead{id, ids})
		}
	}
	return reads, nil
}

// readHolds returns the values of each read; nil for a missing key.
func (db *DB) readHolds(ctx context.Context, reads []holdRead) ([][]any, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, gets := db.data.Pipeline(), make([]*goredis.SliceCmd, len(reads))
	for i, read := range reads {
		keys := make([]string, len(read.ids))
		for j, id := range read.ids {
			keys[j] = holdKey(read.train, id)
		}
		gets[i] = pipe.MGet(ctx, keys...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	values := make([][]any, len(reads))
	for i, get := range gets {
		values[i] = get.Val()
	}
	return values, nil
}

// appendHolds decodes the values of a read. A missing value has expired by Redis's clock.
func appendHolds(holds []booking.Hold, read holdRead, values []any) ([]booking.Hold, error) {
	for i, value := range values {
		text, ok := value.(string)
		if !ok {
			continue
		}
		key := holdKey(read.train, read.ids[i])
		id, err := booking.ParseHoldID(read.ids[i])
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key, err)
		}
		hold, err := decodeHold(key, id, text)
		if err != nil {
			return nil, err
		}
		holds = append(holds, hold)
	}
	return holds, nil
}
