package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// fence is the beginning of every script that acts for an activation: it ends the script
	// unless the lease KEYS[1] has the value ARGV[1].
	fence = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end`
	// fenced is the result of a script that fence ended.
	fenced = -1
)

var (
	// KEYS lease. ARGV its value, its TTL in milliseconds. Returns the holder's value and what is
	// left of its TTL, or nothing if the lease was removed because its TTL was too long or missing.
	acquireLease = goredis.NewScript(`
		local holder = redis.call('GET', KEYS[1])
		if not holder then
			redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
			return {ARGV[1], ARGV[2]}
		end
		local left = redis.call('PTTL', KEYS[1])
		if left < 0 or left > tonumber(ARGV[2]) then
			redis.call('DEL', KEYS[1])
			return {}
		end
		return {holder, tostring(left)}`)

	// KEYS lease. ARGV its value, its TTL in milliseconds.
	renewLease = goredis.NewScript(fence + `
		return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

	// KEYS lease. ARGV its value.
	releaseLease = goredis.NewScript(fence + `
		return redis.call('DEL', KEYS[1])`)
)

// AcquireLeases implements persistence.Leases. It reads the leases whose replies are lost back in the
// remaining time.
func (db *DB) AcquireLeases(
	ctx context.Context, leases []persistence.Lease,
) ([]persistence.Result[persistence.Holder], error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, commands := db.data.pipeline(), make([]*goredis.Cmd, len(leases))
	for i, lease := range leases {
		commands[i] = pipe.run(ctx, acquireLease, []string{leaseKey(lease.Train)}, leaseValue(lease), persistence.LeaseTTL.Milliseconds())
	}
	pipe.send(ctx)
	holders := make([]persistence.Result[persistence.Holder], len(leases))
	for i, err := range failures(commands) {
		if holders[i].Err = err; err == nil {
			holders[i].Value, holders[i].Err = decodeHolder(leases[i].Train, commands[i].Val())
		}
	}
	db.readLeasesBack(ctx, leases, holders)
	for i := range holders {
		holders[i].Err = wrap("acquire lease", holders[i].Err)
	}
	return holders, nil
}

// decodeHolder decodes the reply of acquireLease.
func decodeHolder(train booking.TrainID, reply any) (holder persistence.Holder, err error) {
	parts, _ := reply.([]any)
	if len(parts) == 0 {
		return holder, fmt.Errorf("%w: key %s had a longer TTL than a lease and was removed, try again", persistence.ErrConflict, leaseKey(train))
	}
	holder.Lease, err = parseLease(train, fmt.Sprint(parts[0]))
	if err != nil {
		return holder, err
	}
	left, err := strconv.ParseInt(fmt.Sprint(parts[1:]...), 10, 64)
	holder.Left = time.Duration(left) * time.Millisecond
	return holder, err
}

// readLeasesBack replaces the results that are unknown by what is stored, if there is a lease.
func (db *DB) readLeasesBack(
	ctx context.Context, leases []persistence.Lease, holders []persistence.Result[persistence.Holder],
) {
	pipe := db.data.pipeline()
	values, left := map[int]*goredis.StringCmd{}, map[int]*goredis.DurationCmd{}
	for i, h := range holders {
		if errors.Is(h.Err, persistence.ErrUnknown) {
			key := leaseKey(leases[i].Train)
			shard := pipe.on(ctx, key)
			values[i], left[i] = shard.Get(ctx, key), shard.PTTL(ctx, key)
		}
	}
	if len(values) == 0 {
		return
	}
	pipe.send(ctx)
	for i, get := range values {
		value, err := get.Result()
		if err != nil {
			continue
		}
		lease, err := parseLease(leases[i].Train, value)
		holders[i] = persistence.Result[persistence.Holder]{
			Value: persistence.Holder{Lease: lease, Left: max(0, left[i].Val())}, Err: err,
		}
	}
}

// RenewLeases implements persistence.Leases.
func (db *DB) RenewLeases(ctx context.Context, leases []persistence.Lease) ([]error, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, commands := db.reserved.pipeline(), make([]*goredis.Cmd, len(leases))
	for i, lease := range leases {
		commands[i] = pipe.run(ctx, renewLease, []string{leaseKey(lease.Train)}, leaseValue(lease), persistence.LeaseTTL.Milliseconds())
	}
	pipe.send(ctx)
	replies, results := numbers(commands)
	for i, reply := range replies {
		if results[i] == nil && reply == fenced {
			results[i] = persistence.ErrFenced
		}
		results[i] = wrap("renew lease", results[i])
	}
	if db.replaced(ctx) {
		return results, wrap("renew leases", persistence.ErrRestarted)
	}
	return results, nil
}

// ReleaseLeases implements persistence.Leases.
func (db *DB) ReleaseLeases(ctx context.Context, leases []persistence.Lease) error {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	pipe, commands := db.data.pipeline(), make([]*goredis.Cmd, len(leases))
	for i, lease := range leases {
		commands[i] = pipe.run(ctx, releaseLease, []string{leaseKey(lease.Train)}, leaseValue(lease))
	}
	pipe.send(ctx)
	return wrap("release leases", cmp.Or(failures(commands)...))
}

func leaseValue(lease persistence.Lease) string { return lease.Address + "|" + lease.Owner.String() }

func parseLease(train booking.TrainID, value string) (persistence.Lease, error) {
	cut := strings.LastIndexByte(value, '|')
	owner, err := uuid.Parse(value[cut+1:])
	if cut < 0 || err != nil {
		return persistence.Lease{}, fmt.Errorf("the value of key %s is not a lease: %q", leaseKey(train), value)
	}
	return persistence.Lease{Train: train, Address: value[:cut], Owner: owner}, nil
}
