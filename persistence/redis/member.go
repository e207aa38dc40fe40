package redis

import (
	"context"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/persistence"
)

// The keys of the members; the package comment says what is in them.
const (
	beatsKey       = "{members}:beats"
	markerKey      = "{members}:marker"
	changesChannel = "{members}:changes"
)

// silence is for how long nobody may beat. After a longer time Redis was out of reach
// for all: then nobody's heartbeat may be missed, and what is there counts as lost. It
// is longer than the time between the heartbeats of one member, MemberTTL/4; and after
// a silence that is shorter, those who came last still have as much time again.
const silence = persistence.MemberTTL / 3

// memberState is the beginning of the scripts below. The marker was born when members
// were last lost, and tells the last heartbeat of anybody; a clock that goes back or
// jumps ahead is a loss too, as the scores mean nothing any more.
const memberState = `
	local time = redis.call('TIME')
	local now = time[1] * 1000 + math.floor(time[2] / 1000)
	local marker = redis.call('HMGET', KEYS[2], 'born', 'beat')
	local born, beat = tonumber(marker[1]), tonumber(marker[2])
	local lost = not born or not beat or beat > now or now - beat > tonumber(ARGV[1])
	`

var (
	// KEYS beats, marker. ARGV silence, member, time of a heartbeat, when the marker was
	// born that the member saw last ('' if none), 'join' or 'beat', channel. Answers
	// whether the member is in (1 or 0), when the marker was born, its age, and the members.
	// ZREMRANGEBYSCORE comes first: after a write that needs no memory, Redis lets a
	// script finish even if it is out of it.
	beatMember = goredis.NewScript(memberState + `
		redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
		if lost then
			redis.call('DEL', KEYS[1])
			born = now
		end
		local there = redis.call('ZSCORE', KEYS[1], ARGV[2])
		local before = tonumber(ARGV[4])
		local into = there or lost or (before and before ~= born) or ARGV[5] == 'join'
		if into then
			redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[2])
			redis.call('HSET', KEYS[2], 'born', born, 'beat', now)
			if not there then redis.call('PUBLISH', ARGV[6], '') end
		end
		return {into and '1' or '0', tostring(born), tostring(now - born), unpack(redis.call('ZRANGE', KEYS[1], 0, -1))}`)

	// KEYS beats, marker. ARGV silence. Answers as beatMember.
	lookMembers = goredis.NewScript(memberState + `
		if lost then born = now end
		return {'1', '', tostring(now - born), unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf'))}`)

	// KEYS beats. ARGV member, channel.
	leaveMembers = goredis.NewScript(`
		if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then redis.call('PUBLISH', ARGV[2], '') end
		return 1`)
)

// Join implements persistence.Members.
func (db *DB) Join(ctx context.Context, member string) (persistence.Membership, error) {
	m, err := db.beat(ctx, member, "join")
	return m, wrap("join", err)
}

// Heartbeat implements persistence.Members. A member is added again if the marker is another
// than the one that this DB saw with its last heartbeat: it was lost in between, alone
// among its peers or with all of them. A time in which nobody beat is a loss, so that
// nobody is evicted because Redis was away.
func (db *DB) Heartbeat(ctx context.Context, member string) (persistence.Membership, error) {
	m, err := db.beat(ctx, member, "beat")
	return m, wrap("beat", err)
}

func (db *DB) beat(ctx context.Context, member, how string) (persistence.Membership, error) {
	db.mu.Lock()
	before := db.born[member]
	db.mu.Unlock()
	m, born, err := db.members(ctx, beatMember, silence.Milliseconds(), member,
		persistence.MemberTTL.Milliseconds(), before, how, changesChannel)
	if err == nil && !m.Evicted {
		db.mu.Lock()
		db.born[member] = born
		db.mu.Unlock()
	}
	return m, err
}

// Look implements persistence.Members.
func (db *DB) Look(ctx context.Context) (persistence.Membership, error) {
	m, _, err := db.members(ctx, lookMembers, silence.Milliseconds())
	return m, wrap("look", err)
}

// Leave implements persistence.Members.
func (db *DB) Leave(ctx context.Context, member string) error {
	db.mu.Lock()
	delete(db.born, member) // a heartbeat that comes after this adds nobody
	db.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	err := leaveMembers.Run(ctx, db.reserved, []string{beatsKey}, member, changesChannel).Err()
	return wrap("leave", translate(err))
}

// members runs one of the scripts that answer with the membership, and returns also when
// the marker was born.
func (db *DB) members(ctx context.Context, script *goredis.Script, args ...any) (m persistence.Membership, born string, err error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	answer, err := script.Run(ctx, db.reserved, []string{beatsKey, markerKey}, args...).StringSlice()
	if err != nil {
		return m, "", translate(err)
	}
	into, born, age := answer[0], answer[1], answer[2]
	since, err := strconv.ParseInt(age, 10, 64)
	if err != nil {
		return m, "", err
	}
	m.Members = answer[3:]
	slices.Sort(m.Members)
	m.Evicted, m.Since = into == "0", time.Duration(since)*time.Millisecond
	return m, born, nil
}
