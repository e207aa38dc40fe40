package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	// KEYS lease. ARGV its value, its TTL in milliseconds. Returns the holder's value, or false
	// if the lease was removed because its TTL was too long or missing.
	acquireLease = goredis.NewScript(`
		local holder = redis.call('GET', KEYS[1])
		if not holder then
			redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
			return ARGV[1]
		end
		local left = redis.call('PTTL', KEYS[1])
		if left < 0 or left > tonumber(ARGV[2]) then
			redis.call('DEL', KEYS[1])
			return false
		end
		return holder`)

	// KEYS lease. ARGV its value, its TTL in milliseconds.
	renewLease = goredis.NewScript(fence + `
		return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

	// KEYS lease. ARGV its value.
	releaseLease = goredis.NewScript(fence + `
		return redis.call('DEL', KEYS[1])`)
)

// AcquireLease implements persistence.Leases. If the reply is lost, it reads the lease back in
// the remaining time.
func (db *DB) AcquireLease(ctx context.Context, lease persistence.Lease) (persistence.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	key := leaseKey(lease.Train)
	holder, err := db.data.run(ctx, acquireLease, []string{key}, leaseValue(lease), persistence.LeaseTTL.Milliseconds()).Text()
	if errors.Is(err, goredis.Nil) {
		return persistence.Lease{}, wrap("acquire lease", fmt.Errorf("%w: key %s had a longer TTL than a lease and was removed, try again", persistence.ErrConflict, key))
	}
	if err = translate(err); errors.Is(err, persistence.ErrUnknown) {
		found, findErr := db.get(ctx, key)
		if findErr == nil {
			holder, err = found, nil
		}
	}
	if err != nil {
		return persistence.Lease{}, wrap("acquire lease", err)
	}
	held, err := parseLease(lease.Train, holder)
	return held, wrap("acquire lease", err)
}

// get returns the value of a key.
func (db *DB) get(ctx context.Context, key string) (string, error) {
	master, err := db.data.master(ctx, key)
	if err != nil {
		return "", err
	}
	return master.Get(ctx, key).Result()
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

// ReleaseLease implements persistence.Leases.
func (db *DB) ReleaseLease(ctx context.Context, lease persistence.Lease) error {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	err := db.data.run(ctx, releaseLease, []string{leaseKey(lease.Train)}, leaseValue(lease)).Err()
	return wrap("release lease", translate(err))
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
