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

// maxSilence is the longest time without any heartbeat. After a longer one, Redis was
// unreachable for all members, so nobody is evicted and all members count as lost. It is
// longer than the interval of the heartbeats of one member, MemberTTL/4. After a shorter
// silence, the member that sent the last heartbeat still has twice as long to send the next.
const maxSilence = persistence.MemberTTL / 3

// memberState is the beginning of the scripts below. In the marker, born is when members were
// last lost and beat is the last heartbeat of any member. After a jump of the clock the scores
// are meaningless, so that counts as a loss too.
const memberState = `
	local time = redis.call('TIME')
	local now = time[1] * 1000 + math.floor(time[2] / 1000)
	local marker = redis.call('HMGET', KEYS[2], 'born', 'beat')
	local born, beat = tonumber(marker[1]), tonumber(marker[2])
	local lost = not born or not beat or beat > now or now - beat > tonumber(ARGV[1])
	`

var (
	// KEYS beats, marker. ARGV maxSilence, member, MemberTTL, born at the member's last
	// heartbeat ('' if none), 'join' or 'beat', channel. Returns whether the caller is a member
	// (1 or 0), born, its age, the
	// time, and the members. ZREMRANGEBYSCORE is the first write: after one
	// that needs no memory, Redis lets a script finish even if it is out of memory.
	addMember = goredis.NewScript(memberState + `
		redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
		if lost then
			redis.call('DEL', KEYS[1])
			born = now
		end
		local present = redis.call('ZSCORE', KEYS[1], ARGV[2])
		local before = tonumber(ARGV[4])
		local member = present or lost or (before and before ~= born) or ARGV[5] == 'join'
		if member then
			redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[2])
			redis.call('HSET', KEYS[2], 'born', born, 'beat', now)
			if not present then redis.call('PUBLISH', ARGV[6], '') end
		end
		return {member and '1' or '0', tostring(born), tostring(now - born), tostring(now), unpack(redis.call('ZRANGE', KEYS[1], 0, -1))}`)

	// KEYS beats, marker. ARGV maxSilence. Returns the same as addMember.
	listMembers = goredis.NewScript(memberState + `
		if lost then born = now end
		return {'1', '', tostring(now - born), tostring(now), unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf'))}`)

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
// heartbeat counts as a loss, so that nobody is evicted because Redis was unreachable.
func (db *DB) Heartbeat(ctx context.Context, member string) (persistence.Membership, error) {
	m, err := db.addMember(ctx, member, "beat")
	return m, wrap("heartbeat", err)
}

func (db *DB) addMember(ctx context.Context, member, how string) (persistence.Membership, error) {
	db.mu.Lock()
	before := db.born[member]
	db.mu.Unlock()
	m, born, err := db.members(ctx, addMember, maxSilence.Milliseconds(), member,
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
	m, _, err := db.members(ctx, listMembers, maxSilence.Milliseconds())
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
	reply, err := db.reserved.run(ctx, script, []string{heartbeatsKey, markerKey}, args...).StringSlice()
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
