package redis

import (
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/persistence"
)

// addToUser adds a hold to the set of its user and moves the expiry of the set back, never
// forward. A user's first hold has no TTL to compare and no earlier ids to remove.
const addToUser = `
	redis.call('ZADD', KEYS[4], ARGV[5], ARGV[2])
	if redis.call('PEXPIRE', KEYS[4], ARGV[4], 'NX') == 0 then
		redis.call('PEXPIRE', KEYS[4], ARGV[4], 'GT')
		redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[6])
	end`

// The scripts that write a hold. KEYS lease, hold, holds, user (of a put). ARGV lease's value,
// hold's id, and for a put: value, TTL and deadline, and the deadline up to which ids are removed;
// times in milliseconds. SET is the first write, because Redis checks its memory only before the
// first write of a script.
//
// Two scripts use keys that are not in KEYS, but have the same hash tag.
var (
	putHold = goredis.NewScript(fence + `
		redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
		redis.call('ZADD', KEYS[3], ARGV[5], ARGV[2])
		if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[4]) then
			redis.call('PEXPIRE', KEYS[3], ARGV[4])
		end
		redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[6])` + addToUser + `
		return 1`)

	// ARGV[7] is the key of a hold without its id. The user's set is cut to the latest ids and those of
	// live holds, which HoldsOfUser reads.
	putReleased = goredis.NewScript(fence + `
		redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
		redis.call('ZREM', KEYS[3], ARGV[2])` + addToUser + `
		local cut = redis.call('ZRANGE', KEYS[4], 0, ` + afterLatest + `)
		for _, id in ipairs(cut) do
			if not redis.call('ZSCORE', KEYS[3], id) then
				redis.call('ZREM', KEYS[4], id)
				redis.call('DEL', ARGV[7] .. id)
			end
		end
		return 1`)

	// ARGV[3] is the key of a user without its id, which is in the value (see holdValue).
	dropHold = goredis.NewScript(fence + `
		local value = redis.call('GETDEL', KEYS[2])
		redis.call('ZREM', KEYS[3], ARGV[2])
		local user = value and string.match(value, '"u":"([^"]+)"')
		if user then
			redis.call('ZREM', ARGV[3] .. user, ARGV[2])
		end
		return 1`)
)

// afterLatest is the rank of the first id before the latest persistence.MaxHistory in a sorted set
// whose last rank is -1.
var afterLatest = strconv.Itoa(-persistence.MaxHistory - 1)
