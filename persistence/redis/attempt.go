package redis

import (
	"context"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/booking"
)

// attemptPoll is how often an attempt that waits for others tries again. It is about as long as a
// password takes to verify.
const attemptPoll = 50 * time.Millisecond

// The results of beginAttempt that are no time to wait.
const (
	begun = -1
	busy  = -2
)

// attemptTime is the beginning of the scripts below: the time on Redis's clock and the window, in
// milliseconds.
const attemptTime = `
	local time = redis.call('TIME')
	local now = time[1] * 1000 + math.floor(time[2] / 1000)
	local window = tonumber(ARGV[2])`

var (
	// KEYS the attempts. ARGV attempt, window, the TTL of the key, limit, booking.AttemptTime. Returns
	// begun, busy, or how long to wait. A key whose TTL is much too long is from before Redis's clock
	// went back. ZREMRANGEBYSCORE removes what has expired, of both signs; it is the first write, so
	// that Redis lets the script finish even if it is out of memory.
	beginAttempt = goredis.NewScript(attemptTime + `
		if redis.call('PTTL', KEYS[1]) > 2 * tonumber(ARGV[3]) then redis.call('DEL', KEYS[1]) end
		redis.call('ZREMRANGEBYSCORE', KEYS[1], -now, now)
		local limit = tonumber(ARGV[4])
		if redis.call('ZCARD', KEYS[1]) < limit then
			redis.call('ZADD', KEYS[1], -(now + tonumber(ARGV[5])), ARGV[1])
			redis.call('PEXPIRE', KEYS[1], ARGV[3])
			return -1
		end
		if redis.call('ZCOUNT', KEYS[1], 0, '+inf') < limit then return -2 end
		local first = redis.call('ZRANGE', KEYS[1], 0, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
		return tonumber(first[2]) - now`)

	// KEYS the attempts. ARGV attempt, window, the TTL of the key, 1 if the attempt counts or 0. ZREM
	// is the first write, as above.
	endAttempt = goredis.NewScript(attemptTime + `
		redis.call('ZREM', KEYS[1], ARGV[1])
		if ARGV[4] == '1' then
			redis.call('ZADD', KEYS[1], now + window, ARGV[1])
			redis.call('PEXPIRE', KEYS[1], ARGV[3])
		end
		return 1`)
)

// attempt is an attempt in Redis, with the first arguments of its scripts.
type attempt struct {
	db   *DB
	key  string
	args []any
}

// BeginAttempt implements booking.Attempts.
func (db *DB) BeginAttempt(
	ctx context.Context, key string, limit booking.AttemptLimit,
) (end func(counts bool) error, err error) {
	ttl := max(limit.Window, booking.AttemptTime)
	a := &attempt{db, attemptsKey(key), []any{uuid.NewString(), limit.Window.Milliseconds(), ttl.Milliseconds()}}
	for {
		wait, err := a.run(ctx, beginAttempt, limit.Max, booking.AttemptTime.Milliseconds())
		switch {
		case err != nil:
			return nil, wrap("begin attempt", err)
		case wait == begun:
			return func(counts bool) error { return a.end(context.WithoutCancel(ctx), counts) }, nil
		case wait != busy:
			return nil, booking.RateLimited(time.Duration(wait) * time.Millisecond)
		}
		select {
		case <-time.After(attemptPoll):
		case <-ctx.Done():
			return nil, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, ctx.Err())
		}
	}
}

func (a *attempt) end(ctx context.Context, counts bool) error {
	does := 0
	if counts {
		does = 1
	}
	_, err := a.run(ctx, endAttempt, does)
	return wrap("end attempt", err)
}

func (a *attempt) run(ctx context.Context, script *goredis.Script, args ...any) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, a.db.options.Timeout)
	defer cancel()
	result, err := a.db.data.run(ctx, script, []string{a.key}, append(a.args[:3:3], args...)...).Int64()
	return result, translate(err)
}
