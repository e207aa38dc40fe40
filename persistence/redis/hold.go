package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// holdGrace is how much longer than needed a hold is kept, so that clocks that differ by
// less lose none.
const holdGrace = time.Minute

// fenced is what a script answers whose lease is not held.
const fenced = -1

var (
	// KEYS lease, hold, holds. ARGV lease's value, hold's id, value, PX, deadline, and the
	// deadline up to which ids are forgotten. SET comes first: it is what Redis refuses
	// when it is out of memory, and only while nothing has been written.
	putHold = goredis.NewScript(`
		if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
		redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
		redis.call('ZADD', KEYS[3], ARGV[5], ARGV[2])
		if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[4]) then
			redis.call('PEXPIRE', KEYS[3], ARGV[4])
		end
		redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[6])
		return 1`)

	// KEYS lease, hold, holds. ARGV lease's value, hold's id.
	dropHold = goredis.NewScript(`
		if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
		redis.call('DEL', KEYS[2])
		redis.call('ZREM', KEYS[3], ARGV[2])
		return 1`)
)

// WriteHolds implements persistence.Holds: one script for each, sent as one pipeline.
// Each is answered apart, with ErrFull or ErrUnknown too. Once it has begun it is carried
// through whatever becomes of the caller.
func (db *DB) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	operations, err := db.holdOperations(writes, time.Now())
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, wrap("write holds", err)
	}
	ctx = context.WithoutCancel(ctx)
	results, err := db.sendHolds(ctx, operations)
	if err != nil {
		return nil, wrap("write holds", err)
	}
	db.findLost(ctx, operations, results)
	for i, err := range results {
		results[i] = wrap("write hold", err)
	}
	return results, nil
}

// holdOperation is a write as it is sent.
type holdOperation struct {
	script *goredis.Script
	keys   []string
	args   []any
	key    string // of the hold
	value  string // to put; "" to drop
}

// holdOperations fails when one of the writes is none.
func (db *DB) holdOperations(writes []persistence.HoldWrite, now time.Time) ([]holdOperation, error) {
	operations := make([]holdOperation, len(writes))
	for i, w := range writes {
		train, id := w.Guard.Train, w.Hold.ID.String()
		lease := persistence.Lease{Train: train, Address: db.options.Address, Owner: w.Guard.Owner}
		o := holdOperation{key: holdKey(train, id), args: []any{leaseValue(lease), id}}
		o.keys = []string{leaseKey(train), o.key, holdsKey(train)}
		switch w.Op {
		case persistence.HoldPut:
			o.script, o.value = putHold, encodeHold(&w.Hold)
			// By this process's clock, as the deadline is: Redis's own may be off.
			left := max(w.Hold.ExpiresAt.Sub(now)+booking.HoldRetention, 0) + holdGrace
			forgotten := now.Add(-booking.HoldRetention - holdGrace)
			o.args = append(o.args, o.value, left.Milliseconds(), w.Hold.ExpiresAt.UnixMilli(), forgotten.UnixMilli())
		case persistence.HoldDrop:
			o.script = dropHold
		default:
			return nil, fmt.Errorf("unknown operation %d on a hold", w.Op)
		}
		operations[i] = o
	}
	return operations, nil
}

// sendHolds returns a result for each; with an error none was sent.
func (db *DB) sendHolds(ctx context.Context, operations []holdOperation) ([]error, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, commands := newPipeline(db.data), make([]*goredis.Cmd, len(operations))
	for i, o := range operations {
		commands[i] = pipe.add(ctx, o.script, o.keys, o.args...)
	}
	answers, results, err := pipe.send(ctx, commands)
	for i := range results {
		if results[i] == nil && answers[i] == fenced {
			results[i] = persistence.ErrFenced
		}
	}
	return results, err
}

// findLost looks for the holds of writes that were not answered. What is there as it was
// put, or is not there as it was dropped, is done. A hold that is not there says nothing:
// the write may come yet (a Redis that hangs reads it when it goes on), until another
// lease fences it.
func (db *DB) findLost(ctx context.Context, operations []holdOperation, results []error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, found := db.data.Pipeline(), map[int]*goredis.StringCmd{}
	for i, err := range results {
		if errors.Is(err, persistence.ErrUnknown) {
			found[i] = pipe.Get(ctx, operations[i].key)
		}
	}
	if len(found) == 0 {
		return
	}
	_, _ = pipe.Exec(ctx) // each answer says for itself; without one, they stay unknown
	for i, get := range found {
		value, err := get.Result()
		put := operations[i].value
		if err == nil && put != "" && value == put || errors.Is(err, goredis.Nil) && put == "" {
			results[i] = nil
		}
	}
}
