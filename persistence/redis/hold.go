package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// holdGrace is how much longer than needed a hold is kept, to allow for clocks that differ.
const holdGrace = time.Minute

// HoldWriters is in how many partitions holds should be written at a time. Redis executes them one
// after another, but while it does, other batches are on their way.
const HoldWriters = 2

// WriteHolds implements persistence.Holds. It sends one script per write, as a pipeline, so
// each may have any error. Once the pipeline is sent, ctx is ignored.
//
// The sets of users precede the scripts. On one master no script is executed without them. In a Redis
// Cluster they may be on another shard, and no write fails because of that one.
func (db *DB) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	now := time.Now()
	operations, err := db.holdOperations(writes, now)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, wrap("write holds", err)
	}
	ctx = context.WithoutCancel(ctx)
	sets := userSets(writes, int(db.batches.Add(1)%userSlots), now)
	results := db.sendHolds(ctx, operations, sets)
	if len(results) > 0 && !slices.ContainsFunc(results, func(err error) bool { return !unsent(err) }) {
		return nil, wrap("write holds", results[0])
	}
	db.readBack(ctx, operations, sets, results)
	for i, err := range results {
		results[i] = wrap("write hold", err)
	}
	return results, nil
}

// holdOperation is the script of a write.
type holdOperation struct {
	script *goredis.Script
	keys   []string
	args   []any
	key    string // of the hold
	value  string // "" to drop the hold
	again  bool   // the hold may be stored already
}

// holdOperations fails if an Op is unknown.
func (db *DB) holdOperations(writes []persistence.HoldWrite, now time.Time) ([]holdOperation, error) {
	operations := make([]holdOperation, len(writes))
	for i, w := range writes {
		train, id := w.Guard.Train, w.Hold.ID.String()
		lease := persistence.Lease{Train: train, Address: db.options.Address, Owner: w.Guard.Owner}
		o := holdOperation{key: holdKey(train, id), args: []any{leaseValue(lease), id}}
		o.keys = []string{leaseKey(train), o.key, holdsKey(train)}
		switch w.Op {
		case persistence.HoldPut, persistence.HoldPutAgain:
			o.script, o.value, o.again = putHold, encodeHold(&w.Hold), w.Op == persistence.HoldPutAgain
			o.keys = append(o.keys, userKey(train, w.Hold.User.String()))
			// Computed with the clock of this process, like the deadline: that of Redis may differ.
			ttl := max(w.Hold.ExpiresAt.Sub(now)+booking.HoldRetention, 0) + holdGrace
			removed := now.Add(-booking.HoldRetention - holdGrace)
			o.args = append(o.args, o.value, ttl.Milliseconds(), w.Hold.ExpiresAt.UnixMilli(), removed.UnixMilli())
			if w.Hold.Released {
				o.script = putReleased
				o.args = append(o.args, holdKey(train, ""))
			}
		case persistence.HoldDrop:
			o.script = dropHold
			o.args = append(o.args, userKey(train, ""))
		default:
			return nil, fmt.Errorf("unknown operation %d on a hold", w.Op)
		}
		operations[i] = o
	}
	return operations, nil
}

// sendHolds returns one result per operation.
func (db *DB) sendHolds(ctx context.Context, operations []holdOperation, sets []*userSet) []error {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, commands := db.data.pipeline(), make([]*goredis.Cmd, len(operations))
	for _, set := range sets {
		set.write(ctx, pipe)
	}
	for i, o := range operations {
		commands[i] = pipe.run(ctx, o.script, o.keys, o.args...)
	}
	pipe.send(ctx)
	replies, results := numbers(commands)
	for i := range results {
		if results[i] == nil && replies[i] == fenced {
			results[i] = persistence.ErrFenced
		}
	}
	return results
}

// readBack reads the holds of writes without a reply. A write was executed if the hold is stored
// as it was put, or is missing after it was dropped. Otherwise the result stays unknown: a Redis
// that hangs may execute the write later, until another lease fences it. Of a hold that may have been
// stored before, nothing can be said. Sets of users without a reply are written again.
func (db *DB) readBack(ctx context.Context, operations []holdOperation, sets []*userSet, results []error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, found := db.data.pipeline(), map[int]*goredis.StringCmd{}
	for i, err := range results {
		if errors.Is(err, persistence.ErrUnknown) && !operations[i].again {
			found[i] = pipe.on(ctx, operations[i].key).Get(ctx, operations[i].key)
		}
	}
	lost := false
	for _, set := range sets {
		if set.lost() {
			lost = true
			set.write(ctx, pipe)
		}
	}
	if len(found) == 0 && !lost {
		return
	}
	pipe.send(ctx)
	for i, get := range found {
		value, err := get.Result()
		put := operations[i].value
		if err == nil && put != "" && value == put || errors.Is(err, goredis.Nil) && put == "" {
			results[i] = nil
		}
	}
}
