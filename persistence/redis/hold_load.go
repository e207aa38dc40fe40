package redis

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Each call is limited, so that Redis replies in time and other clients do not wait: an MGET
// of this size takes 0.1 ms, a step of the scan 1.5 ms.
const (
	holdsPerRead     = 256
	holdsPerPipeline = 16 * holdsPerRead
	keysPerScan      = 1000
)

// LoadHolds implements persistence.Holds. Its first step reads the leases and the ids of the holds.
// They are separate commands, since trains may be on different shards, and MGET, since GET of a
// missing lease would be an error of the pipeline.
func (db *DB) LoadHolds(
	ctx context.Context, trains []booking.TrainID, now time.Time,
) ([]persistence.Result[persistence.HeldTrain], error) {
	pipe, leases := db.data.Pipeline(), make([]*goredis.SliceCmd, len(trains))
	for i, id := range trains {
		leases[i] = pipe.MGet(ctx, leaseKey(id))
	}
	reads, err := db.holdReads(ctx, pipe, trains, now)
	if err != nil {
		return nil, wrap("load holds", err)
	}
	holds, err := db.holdsOf(ctx, reads)
	if err != nil {
		return nil, wrap("load holds", err)
	}
	held := make([]persistence.Result[persistence.HeldTrain], len(trains))
	for i, read := range reads {
		of := &held[read.place]
		of.Value.Holds, of.Err = append(of.Value.Holds, unreleased(holds[i].Value)...), cmp.Or(of.Err, holds[i].Err)
	}
	for i, lease := range leases {
		if value, found := lease.Val()[0].(string); found {
			l, err := parseLease(trains[i], value)
			held[i].Value.Owner, held[i].Err = l.Address, cmp.Or(held[i].Err, err)
		}
		held[i].Err = wrap("load holds", held[i].Err)
	}
	return held, nil
}

// UserHolds implements persistence.Holds. It does not find holds that version N−1 wrote.
func (db *DB) UserHolds(
	ctx context.Context, id booking.TrainID, user uuid.UUID, now time.Time,
) ([]booking.Hold, error) {
	ids, err := db.latestIDs(ctx, userKey(id, user.String()), now.Add(-booking.HoldRetention))
	if err != nil || len(ids) == 0 {
		return nil, wrap("user holds", err)
	}
	read, err := db.holdsOf(ctx, []holdRead{{train: id, ids: ids}})
	if err != nil {
		return nil, wrap("user holds", err)
	}
	return read[0].Value, wrap("user holds", read[0].Err)
}

// latestIDs returns the ids of a user's set with a deadline after a time, the latest first.
func (db *DB) latestIDs(ctx context.Context, key string, after time.Time) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	return db.data.ZRangeArgs(ctx, goredis.ZRangeArgs{
		Key: key, Start: "+inf", Stop: afterScore(after), ByScore: true, Rev: true, Count: persistence.MaxHistory,
	}).Result()
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
		holds, err := db.liveHolds(ctx, page, now)
		if err != nil {
			return nil, wrap("trains with holds", err)
		}
		for _, h := range holds {
			if id := h.ID.Train(); !seen[id] {
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
	place int // of the train among those of the call
	ids   []string
}

// liveHolds returns the holds of the trains that are live at now and not released.
func (db *DB) liveHolds(ctx context.Context, trains []booking.TrainID, now time.Time) ([]booking.Hold, error) {
	reads, err := db.holdReads(ctx, db.data.Pipeline(), trains, now)
	if err != nil {
		return nil, err
	}
	read, err := db.holdsOf(ctx, reads)
	if err != nil {
		return nil, err
	}
	var holds []booking.Hold
	for _, r := range read {
		if r.Err != nil {
			return nil, r.Err
		}
		holds = append(holds, unreleased(r.Value)...)
	}
	return holds, nil
}

// unreleased deletes the released holds. Only a version before this one leaves the id of one among
// those of its train.
func unreleased(holds []booking.Hold) []booking.Hold {
	return slices.DeleteFunc(holds, func(h booking.Hold) bool { return h.Released })
}

// holdsOf returns the holds of each read, in order.
func (db *DB) holdsOf(ctx context.Context, reads []holdRead) ([]persistence.Result[[]booking.Hold], error) {
	holds := make([]persistence.Result[[]booking.Hold], 0, len(reads))
	for batch := range pipelines(reads) {
		values, err := db.readHolds(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, read := range batch {
			found, err := decodeHolds(read, values[i])
			holds = append(holds, persistence.Result[[]booking.Hold]{Value: found, Err: err})
		}
	}
	return holds, nil
}

// pipelines divides reads into parts of at most holdsPerPipeline holds.
func pipelines(reads []holdRead) iter.Seq[[]holdRead] {
	return func(yield func([]holdRead) bool) {
		begin, holds := 0, 0
		for i, read := range reads {
			if holds += len(read.ids); holds <= holdsPerPipeline {
				continue
			}
			if !yield(reads[begin:i]) {
				return
			}
			begin, holds = i, len(read.ids)
		}
		if begin < len(reads) {
			yield(reads[begin:])
		}
	}
}

// afterScore is the lower bound of a range of deadlines after a time.
func afterScore(t time.Time) string { return "(" + strconv.FormatInt(t.UnixMilli(), 10) }

// holdReads returns the reads for the holds of the trains with a deadline after now, in the order of
// the trains. It sends the pipeline, to which the caller may have added commands.
func (db *DB) holdReads(
	ctx context.Context, pipe goredis.Pipeliner, trains []booking.TrainID, now time.Time,
) (reads []holdRead, err error) {
	if len(trains) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	within := goredis.ZRangeBy{Min: afterScore(now), Max: "+inf"}
	ranges := make([]*goredis.StringSliceCmd, len(trains))
	for i, id := range trains {
		ranges[i] = pipe.ZRangeByScore(ctx, holdsKey(id), &within)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	for i, id := range trains {
		for ids := range slices.Chunk(ranges[i].Val(), holdsPerRead) {
			reads = append(reads, holdRead{id, i, ids})
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

// decodeHolds decodes the values of a read. A missing value has expired by Redis's clock.
func decodeHolds(read holdRead, values []any) (holds []booking.Hold, err error) {
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
