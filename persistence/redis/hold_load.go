package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"
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
// It reads each lease with MGET, since GET of a missing one would be an error of the pipeline.
func (db *DB) LoadHolds(
	ctx context.Context, trains []booking.TrainID, now time.Time,
) ([]persistence.Result[persistence.HeldTrain], error) {
	pipe, leases := db.data.pipeline(), make([]*goredis.SliceCmd, len(trains))
	for i, id := range trains {
		leases[i] = pipe.on(ctx, leaseKey(id)).MGet(ctx, leaseKey(id))
	}
	held := make([]persistence.Result[persistence.HeldTrain], len(trains))
	for i, holds := range db.liveHolds(ctx, pipe, trains, holdsKey, now) {
		owner, err := ownerOf(trains[i], leases[i])
		if err = cmp.Or(holds.Err, err); err != nil {
			held[i].Err = wrap("load holds", err)
			continue
		}
		held[i].Value = persistence.HeldTrain{Holds: holds.Value, Owner: owner}
	}
	return held, nil
}

// ownerOf returns the address in the lease of a train, "" if there is none.
func ownerOf(train booking.TrainID, lease *goredis.SliceCmd) (string, error) {
	values, err := lease.Result()
	if err != nil {
		return "", err
	}
	value, found := values[0].(string)
	if !found {
		return "", nil
	}
	l, err := parseLease(train, value)
	return l.Address, err
}

// UserHolds implements persistence.Holds. It does not find holds that version N−1 wrote.
func (db *DB) UserHolds(
	ctx context.Context, id booking.TrainID, user uuid.UUID, now time.Time,
) ([]booking.Hold, error) {
	ids, err := db.latestIDs(ctx, userKey(id, user.String()), now.Add(-booking.HoldRetention))
	if err != nil || len(ids) == 0 {
		return nil, wrap("user holds", err)
	}
	read := db.holdsOf(ctx, []holdRead{{train: id, ids: ids}})[0]
	return read.Value, wrap("user holds", read.Err)
}

// latestIDs returns the ids of a user's set with a deadline after a time, the latest first.
func (db *DB) latestIDs(ctx context.Context, key string, after time.Time) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	master, err := db.data.master(ctx, key)
	if err != nil {
		return nil, err
	}
	ids, err := master.ZRangeArgs(ctx, goredis.ZRangeArgs{
		Key: key, Start: "+inf", Stop: afterScore(after), ByScore: true, Rev: true, Count: persistence.MaxHistory,
	}).Result()
	db.data.failed(ctx, err)
	return ids, err
}

// TrainsWithHolds implements persistence.Holds. It scans all keys (1.5 s per million), which
// is acceptable when a process starts: an index of trains would be on another shard than the
// holds and could not be updated by the same script. It may miss a train whose first hold is
// written during the scan.
func (db *DB) TrainsWithHolds(ctx context.Context, now time.Time) ([]booking.TrainID, error) {
	var mu sync.Mutex
	found := map[booking.TrainID]bool{}
	err := db.data.each(ctx, func(ctx context.Context, master *goredis.Client) error {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			page, next, err := db.scanTrains(ctx, master, cursor)
			if err != nil {
				return err
			}
			cursor = next
			for i, held := range db.liveHolds(ctx, db.data.pipeline(), page, holdsKey, now) {
				if _, malformed := errors.AsType[valueError](held.Err); held.Err != nil && !malformed {
					return held.Err
				} else if malformed || len(held.Value) > 0 {
					mu.Lock()
					found[page[i]] = true
					mu.Unlock()
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, wrap("trains with holds", err)
	}
	return slices.Collect(maps.Keys(found)), nil
}

// scanTrains returns some trains of a shard that have holds, ended ones included, and the next
// cursor, which is 0 at the end. A train may be returned twice.
func (db *DB) scanTrains(
	ctx context.Context, master *goredis.Client, cursor uint64,
) (trains []booking.TrainID, next uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	keys, next, err := master.Scan(ctx, cursor, holdsPattern, keysPerScan).Result()
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

// liveHolds returns the holds of each train that are live at now and not released, of those whose ids
// are in its set. It sends the pipeline, to which the caller may have added commands.
func (db *DB) liveHolds(
	ctx context.Context, pipe *pipeline, trains []booking.TrainID, setOf func(booking.TrainID) string, now time.Time,
) []persistence.Result[[]booking.Hold] {
	live := make([]persistence.Result[[]booking.Hold], len(trains))
	var reads []holdRead
	for i, command := range db.holdIDs(ctx, pipe, trains, setOf, now) {
		ids, err := command.Result()
		live[i].Err = err
		for some := range slices.Chunk(ids, holdsPerRead) {
			reads = append(reads, holdRead{trains[i], i, some})
		}
	}
	for i, found := range db.holdsOf(ctx, reads) {
		of := &live[reads[i].place]
		of.Value, of.Err = append(of.Value, unreleased(found.Value)...), cmp.Or(of.Err, found.Err)
	}
	return live
}

// unreleased deletes the released holds: the set of a user has them, and so has that of a train if the
// version before wrote it.
func unreleased(holds []booking.Hold) []booking.Hold {
	return slices.DeleteFunc(holds, func(h booking.Hold) bool { return h.Released })
}

// holdsOf returns the holds of each read, in order.
func (db *DB) holdsOf(ctx context.Context, reads []holdRead) []persistence.Result[[]booking.Hold] {
	holds := make([]persistence.Result[[]booking.Hold], 0, len(reads))
	for batch := range pipelines(reads) {
		for i, command := range db.readHolds(ctx, batch) {
			var found persistence.Result[[]booking.Hold]
			values, err := command.Result()
			if found.Err = err; err == nil {
				found.Value, found.Err = decodeHolds(batch[i], values)
			}
			holds = append(holds, found)
		}
	}
	return holds
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

// holdIDs reads the ids in the set of each train with a deadline after now.
func (db *DB) holdIDs(
	ctx context.Context, pipe *pipeline, trains []booking.TrainID, setOf func(booking.TrainID) string, now time.Time,
) []*goredis.StringSliceCmd {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	within := goredis.ZRangeBy{Min: afterScore(now), Max: "+inf"}
	ranges := make([]*goredis.StringSliceCmd, len(trains))
	for i, id := range trains {
		ranges[i] = pipe.on(ctx, setOf(id)).ZRangeByScore(ctx, setOf(id), &within)
	}
	pipe.send(ctx)
	return ranges
}

// readHolds reads the values of each read; nil for a missing key.
func (db *DB) readHolds(ctx context.Context, reads []holdRead) []*goredis.SliceCmd {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, gets := db.data.pipeline(), make([]*goredis.SliceCmd, len(reads))
	for i, read := range reads {
		keys := make([]string, len(read.ids))
		for j, id := range read.ids {
			keys[j] = holdKey(read.train, id)
		}
		gets[i] = pipe.on(ctx, keys[0]).MGet(ctx, keys...)
	}
	pipe.send(ctx)
	return gets
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
			return nil, valueError{fmt.Errorf("key %s: %w", key, err)}
		}
		hold, err := decodeHold(key, id, text)
		if err != nil {
			return nil, err
		}
		holds = append(holds, hold)
	}
	return holds, nil
}
