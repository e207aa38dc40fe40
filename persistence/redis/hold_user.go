package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// The trains on which users have holds are in sets that have as members a user and a train, for all
// holds that end in a period of time. So a batch of holds writes a few sets, and nothing has to be
// removed from them: they expire as a whole. They contain more than is live, and a reader looks at the
// holds themselves.

// periods are the lengths of the periods: a hold is in one that is at least as long as the time that it
// has left. So a reader looks at two or three periods of each length. The first is longer than
// booking.DefaultHoldTTL, and the last longer than any hold, which is twice booking.MaxHoldTTL.
var periods = [...]time.Duration{4 * time.Minute, 40 * time.Minute, 400 * time.Minute, 4000 * time.Minute}

// userSlots is in how many sets the holds of a period are. They expire a second after each other, because
// Redis executes nothing else while it deletes one: with 1,000 holds a second, it takes 60 ms for all
// together. In a Redis Cluster a slot is on one shard, and the slots are on all of them. A batch writes
// one slot, the next batch the next one, and a reader looks at all: there are far more holds than lists.
const userSlots = 16

// periodKey is the key of the set of a slot for the holds that end in the n-th period of a length since
// 1970.
func periodKey(length int, n int64, slot int) string {
	return fmt.Sprintf("{h:%d}:%d:%d", slot, length, n)
}

// member is the member of a set for a hold of a user.
func member(user uuid.UUID, train booking.TrainID) string { return string(user[:]) + string(train[:]) }

// userSet is what a batch of holds adds to a set.
type userSet struct {
	key     string
	ttl     time.Duration
	members []goredis.Z
	added   *goredis.IntCmd
}

// userSets returns what a batch adds to a slot at now. An extended hold is put, and so added, again. One that is
// released or dropped is not removed.
func userSets(writes []persistence.HoldWrite, slot int, now time.Time) (sets []*userSet) {
	byKey := map[string]*userSet{}
	for i := range writes {
		w := &writes[i]
		if w.Op == persistence.HoldDrop || w.Hold.Released {
			continue
		}
		end := w.Hold.ExpiresAt
		length := slices.IndexFunc(periods[:], func(l time.Duration) bool { return end.Sub(now) <= l })
		if length < 0 { // the clock was moved
			length = len(periods) - 1
		}
		n := end.UnixMilli() / periods[length].Milliseconds()
		key := periodKey(length, n, slot)
		set := byKey[key]
		if set == nil {
			ends := time.UnixMilli((n + 1) * periods[length].Milliseconds())
			// Computed with the clock of this process, like the deadline: that of Redis may differ.
			ttl := max(ends.Sub(now), 0) + holdGrace + time.Duration(slot)*time.Second
			set = &userSet{key: key, ttl: ttl}
			byKey[key], sets = set, append(sets, set)
		}
		set.members = append(set.members, goredis.Z{Member: member(w.Hold.User, w.Guard.Train)})
	}
	return sets
}

// write adds the commands that write the set to a pipeline.
func (s *userSet) write(ctx context.Context, pipe *pipeline) {
	to := pipe.on(ctx, s.key)
	s.added = to.ZAdd(ctx, s.key, s.members...)
	to.PExpire(ctx, s.key, s.ttl)
}

// lost reports whether Redis did not reply. It is harmless to write the set again, however late.
func (s *userSet) lost() bool {
	err := translate(s.added.Err())
	return unsent(err) || errors.Is(err, persistence.ErrUnknown)
}

// HoldsOfUser implements persistence.Holds. It does not find holds that version N−1 wrote.
func (db *DB) HoldsOfUser(ctx context.Context, user uuid.UUID, now time.Time) (persistence.HeldByUser, error) {
	var held persistence.HeldByUser
	trains, failed := db.trainsOfUser(ctx, user, now)
	if len(trains) > persistence.MaxUserHolds {
		held.Incomplete, trains = true, trains[:persistence.MaxUserHolds]
	}
	setOf := func(id booking.TrainID) string { return userKey(id, user.String()) }
	for _, on := range db.liveHolds(ctx, db.data.pipeline(), trains, setOf, now) {
		held.Holds, failed = append(held.Holds, on.Value...), cmp.Or(failed, on.Err)
	}
	if failed != nil && len(held.Holds) == 0 {
		return persistence.HeldByUser{}, wrap("holds of user", failed)
	}
	held.Incomplete = held.Incomplete || failed != nil
	return held, nil
}

// trainsOfUser returns the trains on which a user may have live holds, those whose holds end first
// first, and the failure to read some of them. There may be more if they are more than
// persistence.MaxUserHolds.
func (db *DB) trainsOfUser(ctx context.Context, user uuid.UUID, now time.Time) (trains []booking.TrainID, failed error) {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	of := goredis.ZRangeBy{
		Min: "[" + member(user, booking.TrainID{}), Max: "[" + member(user, booking.TrainID(uuid.Max)),
		Count: persistence.MaxUserHolds + 1,
	}
	pipe := db.data.pipeline()
	var sets []*goredis.StringSliceCmd
	for length, l := range periods {
		last := now.Add(l+holdGrace).UnixMilli() / l.Milliseconds() // put by a process whose clock is ahead
		for n := now.UnixMilli() / l.Milliseconds(); n <= last; n++ {
			for slot := range userSlots {
				key := periodKey(length, n, slot)
				sets = append(sets, pipe.on(ctx, key).ZRangeByLex(ctx, key, &of))
			}
		}
	}
	pipe.send(ctx)
	found := map[booking.TrainID]bool{}
	for _, set := range sets {
		members, err := set.Result()
		failed = cmp.Or(failed, err)
		for _, m := range members {
			var id booking.TrainID
			copy(id[:], m[len(user):])
			if !found[id] {
				found[id], trains = true, append(trains, id)
			}
		}
	}
	return trains, failed
}
