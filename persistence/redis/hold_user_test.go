package redis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/redis"
)

// TestSetsOfUsersExpire has holds of three lengths. Each set of the slot lasts until 67 s after its period.
func TestSetsOfUsersExpire(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	writes := puts(guard, 3)
	lengths := map[string]time.Duration{"{h:7}:0:*": 4 * time.Minute, "{h:7}:1:*": 40 * time.Minute, "{h:7}:3:*": 4000 * time.Minute}
	for i, ttl := range []time.Duration{booking.DefaultHoldTTL, 2 * booking.DefaultHoldTTL, booking.MaxHoldTTL} {
		writes[i].Hold.User, writes[i].Hold.ExpiresAt = uuid.UUID{15: 1}, time.Now().Add(ttl)
	}
	for range 2 { // a further hold of a period does not extend the life of its set
		s.UseSlot(7)
		s.write(t, writes...)
	}
	keys := s.raw.Keys(t.Context(), "{h:*").Val()
	require.Len(t, keys, len(lengths))
	for pattern, length := range lengths {
		keys := s.raw.Keys(t.Context(), pattern).Val()
		require.Len(t, keys, 1, pattern)
		require.EqualValues(t, 1, s.raw.ZCard(t.Context(), keys[0]).Val(), "users and trains, not holds")
		left := s.raw.PTTL(t.Context(), keys[0]).Val() - 67*time.Second
		require.Less(t, left, 2*length, pattern)
		past := time.Duration(time.Now().Add(left+time.Second).UnixMilli()) * time.Millisecond % length // the end of a period
		require.Less(t, past, 2*time.Second, pattern)
	}
}

// TestHoldOfAProcessWhoseClockDiffersIsFound reads as of half a minute before and after.
func TestHoldOfAProcessWhoseClockDiffersIsFound(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	writes := puts(guard, 40)
	for i := range writes { // until the end of a period, and of the next one
		writes[i].Hold.ExpiresAt = time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(i+20) * 6 * time.Second)
	}
	s.write(t, writes...)
	for _, w := range writes {
		for _, by := range []time.Duration{-30 * time.Second, 0, 30 * time.Second} {
			held, err := s.HoldsOfUser(t.Context(), w.Hold.User, time.Now().Add(by))
			require.NoError(t, err)
			require.Equal(t, []booking.Hold{w.Hold}, held.Holds)
		}
	}
}

// TestMalformedHoldMakesTheListOfItsUserIncomplete has a hold that cannot be decoded.
func TestMalformedHoldMakesTheListOfItsUserIncomplete(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guards := []persistence.Guard{s.adopt(t, booking.NewTrainID()), s.adopt(t, booking.NewTrainID())}
	writes := oneForEach(guards)
	writes[1].Hold.User = writes[0].Hold.User
	s.write(t, writes...)
	for i, w := range writes {
		key := "{t:" + w.Guard.Train.String() + "}:hold:" + w.Hold.ID.String()
		require.NoError(t, s.raw.Set(t.Context(), key, "{", time.Minute).Err())
		held, err := s.HoldsOfUser(t.Context(), w.Hold.User, time.Now())
		if i == 0 {
			require.NoError(t, err)
			require.Equal(t, persistence.HeldByUser{Holds: []booking.Hold{writes[1].Hold}, Incomplete: true}, held)
		} else {
			require.ErrorContains(t, err, "{t:", "nothing can be read")
		}
	}
}

// TestUnknownUserReadsNothingOfTrains counts the commands.
func TestUnknownUserReadsNothingOfTrains(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	s.write(t, puts(s.adopt(t, booking.NewTrainID()), 100)...)
	require.NoError(t, s.raw.ConfigResetStat(t.Context()).Err())
	held, err := s.HoldsOfUser(t.Context(), uuid.New(), time.Now())
	require.NoError(t, err)
	require.Empty(t, held)
	stats, err := s.raw.InfoMap(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	require.NotContains(t, stats["Commandstats"], "cmdstat_zrangebyscore")
	require.NotContains(t, stats["Commandstats"], "cmdstat_mget")
	require.Regexp(t, `^calls=1[2-9]\d,`, stats["Commandstats"]["cmdstat_zrangebylex"])
}

// TestKilledShardOfAUserFailsNoHold kills the master that has the sets of a user, whose train is on
// another. What is held meanwhile is listed once it is stored again, as owners do when the shard is back.
func TestKilledShardOfAUserFailsNoHold(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := c.open(t)
	user, slot := uuid.New(), 0
	for c.shardOf(t, redis.SetOfSlot(slot)) != 0 {
		slot++
	}
	guard := s.adopt(t, c.trainsOf(t, 1, 1)[0])
	writes := puts(guard, 2)
	writes[0].Hold.User, writes[1].Hold.User = user, user
	s.UseSlot(slot)
	s.write(t, writes[0])
	require.NoError(t, s.awaitReplica(t, c.Nodes[0].Address))
	c.Nodes[0].Kill(t)
	s.UseSlot(slot)
	s.write(t, writes[1])
	held, err := s.HoldsOfUser(t.Context(), user, time.Now())
	require.True(t, err != nil || held.Incomplete || len(held.Holds) == 2)
	stored := func() (n int) {
		held, err := s.HoldsOfUser(t.Context(), user, time.Now())
		if err != nil || held.Incomplete {
			return 0
		}
		return len(held.Holds)
	}
	until(t, func() bool { return stored() > 0 })
	require.NoError(t, c.raw.ForEachMaster(t.Context(), func(ctx context.Context, master *goredis.Client) error {
		keys, err := master.Keys(ctx, "{h:*").Result()
		for _, key := range keys { // the shard may have lost them
			err = errors.Join(err, master.Del(ctx, key).Err())
		}
		return err
	}))
	require.Zero(t, stored())
	_, err = persistencetest.AcquireLease(t.Context(), s, leaseOf(guard)) // it may have expired
	require.NoError(t, err)
	for i := range writes {
		writes[i].Op = persistence.HoldPutAgain
	}
	s.write(t, writes...)
	require.Equal(t, 2, stored())
}
