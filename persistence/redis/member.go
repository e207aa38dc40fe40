package redis

import (
	"context"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/persistence"
)

// The keys of the members; see the package comment.
const (
	heartbeatsKey  = "{members}:beats"
	markerKey      = "{members}:marker"
	changesChannel = "{members}:changes"
)

const (
	// maxSilence is the longest time without any heartbeat that is not a silence. It is longer than
	// the interval of the heartbeats of one member, MemberTTL/4. After a shorter time, the member
	// that sent the last heartbeat still has twice as long to send the next.
	maxSilence = persistence.MemberTTL / 3
	// minBetweenLosses lets a dead member be removed before a silence can count as a loss again.
	minBetweenLosses = 2 * persistence.MemberTTL
)

// memberState is the beginning of the scripts below. In the marker, born is when members were last
// lost, beat is the last heartbeat of any member, and paused is for how long the members' clock has
// stood still since born (all in milliseconds). The scores and the age of born are on that clock.
//
// After a silence, either nobody could reach Redis, and nobody must be evicted for that: all
// members count as lost, and each has MemberTTL to send a heartbeat. Or members have died and the
// heartbeats of the only survivor are lost now and then, which must not keep the dead ones. So a
// silence that soon follows a loss is none. Instead, the members' clock stands still after its first
// maxSilence, so that each heartbeat that arrives brings the end of a dead member nearer.
//
// When Redis's clock goes back, the scores are meaningless, which is a loss too.
const memberState = `
	local time = redis.call('TIME')
	local now = time[1] * 1000 + math.floor(time[2] / 1000)
	local marker = redis.call('HMGET', KEYS[2], 'born', 'beat', 'paused')
	local born, beat, paused = tonumber(marker[1]), tonumber(marker[2]), tonumber(marker[3] or 0)
	local lost = not born or not beat or beat > now
	if not lost and now - beat > tonumber(ARGV[1]) then
		lost = beat - paused - born > tonumber(ARGV[2])
		paused = paused + now - beat - tonumber(ARGV[1])
	end
	if lost then born, paused = now, 0 end
	local clock = now - paused
	`

// memberTimes are the first arguments of both scripts.
var memberTimes = []any{maxSilence.Milliseconds(), minBetweenLosses.Milliseconds()}

var (
	// KEYS beats, marker. ARGV memberTimes, member, MemberTTL, born at the member's last
	// heartbeat ('' if none), 'join' or 'beat', channel. Returns whether the caller is a member
	// (1 or 0), born, its age, the time, and the members. ZREMRANGEBYSCORE is the first write: after
	// one that needs no memory, Redis lets a script finish even if it is out of memory.
	addMember = goredis.NewScript(memberState + `
		redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', clock)
		if lost then redis.call('DEL', KEYS[1]) end
		local present = redis.call('ZSCORE', KEYS[1], ARGV[3])
		local before = tonumber(ARGV[5])
		local member = present or lost or (before and before ~= born) or ARGV[6] == 'join'
		if member then
			redis.call('ZADD', KEYS[1], clock + tonumber(ARGV[4]), ARGV[3])
			redis.call('HSET', KEYS[2], 'born', born, 'beat', now, 'paused', paused)
			if not present then redis.call('PUBLISH', ARGV[7], '') end
		end
		return {member and '1' or '0', tostring(born), tostring(clock - born), tostring(now), unpack(redis.call('ZRANGE', KEYS[1], 0, -1))}`)

	// KEYS beats, marker. ARGV memberTimes. Returns the same as addMember.
	listMembers = goredis.NewScript(memberState + `
		return {'1', '', tostring(clock - born), tostring(now), unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. clock, '+inf'))}`)

	// KEYS beats. ARGV member, channel.
	removeMember = goredis.NewScript(`
		if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then redis.call('PUBLISH', ARGV[2], '') end
		return 1`)
)

// Join implements persistence.Members.
func (db *DB) Join(ctx context.Context, member string) (persistence.Membership, error) {
	m, err := db.addMember(ctx, member, "join")
	return m, wrap("join", err)
}

// Heartbeat implements persistence.Members. A missing member is added again if the marker has
// changed since its last heartbeat: then members were lost in between. A time without any
// heartbeat may count as a loss, so that nobody is evicted because Redis was unreachable.
func (db *DB) Heartbeat(ctx context.Context, member string) (persistence.Membership, error) {
	m, err := db.addMember(ctx, member, "beat")
	return m, wrap("heartbeat", err)
}

func (db *DB) addMember(ctx context.Context, member, how string) (persistence.Membership, error) {
	db.mu.Lock()
	before := db.born[member]
	db.mu.Unlock()
	m, born, err := db.members(ctx, addMember, member,
		persistence.MemberTTL.Milliseconds(), before, how, changesChannel)
	if err == nil && !m.Evicted {
		db.mu.Lock()
		db.born[member] = born
		db.mu.Unlock()
	}
	return m, err
}

// ListMembers implements persistence.Members.
func (db *DB) ListMembers(ctx context.Context) (persistence.Membership, error) {
	m, _, err := db.members(ctx, listMembers)
	return m, wrap("list members", err)
}

// Leave implements persistence.Members.
func (db *DB) Leave(ctx context.Context, member string) error {
	db.mu.Lock()
	delete(db.born, member) // so that a later heartbeat does not add it again
	db.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	err := db.reserved.run(ctx, removeMember, []string{heartbeatsKey}, member, changesChannel).Err()
	return wrap("leave", translate(err))
}

// members runs addMember or listMembers, and returns the membership and the field born.
func (db *DB) members(ctx context.Context, script *goredis.Script, args ...any) (m persistence.Membership, born string, err error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	reply, err := db.reserved.run(ctx, script, []string{heartbeatsKey, markerKey}, slices.Concat(memberTimes, args)...).StringSlice()
	if err != nil {
		return m, "", translate(err)
	}
	member, born := reply[0], reply[1]
	age, err := strconv.ParseInt(reply[2], 10, 64)
	if err != nil {
		return m, "", err
	}
	now, err := strconv.ParseInt(reply[3], 10, 64)
	if err != nil {
		return m, "", err
	}
	m.Members = reply[4:]
	slices.Sort(m.Members)
	m.Evicted, m.Since, m.Now = member == "0", time.Duration(age)*time.Millisecond, time.UnixMilli(now)
	return m, born, nil
}
