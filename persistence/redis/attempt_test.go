package redis_test

import (
	"context"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

const attemptsKey = "{a:login}" // of the attempts at "login"

// begin begins an attempt at "login" and returns the function that ends it.
func (s *store) begin(t *testing.T, limit booking.AttemptLimit) (end func(counts bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	ended, err := s.BeginAttempt(ctx, "login", limit)
	require.NoError(t, err)
	return func(counts bool) { t.Helper(); require.NoError(t, ended(counts)) }
}

func (s *store) requireLimited(t *testing.T, limit booking.AttemptLimit) {
	t.Helper()
	_, err := s.BeginAttempt(t.Context(), "login", limit)
	require.Equal(t, booking.CodeRateLimited, booking.CodeOf(err), "%v", err)
}

func TestKeysOfAttemptsExpire(t *testing.T) {
	t.Parallel()
	s, limit := openNew(t), booking.AttemptLimit{Max: 2, Window: time.Minute}
	requireTTL := func(most time.Duration) {
		t.Helper()
		ttl := s.raw.PTTL(t.Context(), attemptsKey).Val()
		require.Positive(t, ttl)
		require.LessOrEqual(t, ttl, most)
	}
	end := s.begin(t, limit)
	requireTTL(limit.Window)
	end(false)
	require.Zero(t, s.raw.DBSize(t.Context()).Val())
	s.begin(t, limit)(true)
	requireTTL(limit.Window)
	require.EqualValues(t, 1, s.raw.DBSize(t.Context()).Val(), "nothing else is stored")

	require.NoError(t, s.raw.Del(t.Context(), attemptsKey).Err())
	s.begin(t, booking.AttemptLimit{Max: 2, Window: time.Second})
	requireTTL(booking.AttemptTime)
	require.Greater(t, s.raw.PTTL(t.Context(), attemptsKey).Val(), time.Second, "as long as the attempt is under way")
}

// An attempt whose process has died is under way for booking.AttemptTime.
func TestAttemptOfADeadProcessIsGivenUp(t *testing.T) {
	t.Parallel()
	s, limit := openNew(t), booking.AttemptLimit{Max: 1, Window: time.Minute}
	before := time.Now()
	s.begin(t, limit)
	attempt := s.raw.ZRangeWithScores(t.Context(), attemptsKey, 0, -1).Val()[0]
	givenUp := time.UnixMilli(-int64(attempt.Score))
	require.WithinRange(t, givenUp, before.Add(booking.AttemptTime-time.Second), time.Now().Add(booking.AttemptTime))
	past := goredis.Z{Member: attempt.Member, Score: -float64(before.UnixMilli())}
	require.NoError(t, s.raw.ZAdd(t.Context(), attemptsKey, past).Err())
	s.begin(t, limit)(true)
	s.requireLimited(t, limit)
}

func TestAttemptsAreForgottenAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	s, limit := openNew(t), booking.AttemptLimit{Max: 1, Window: time.Minute}
	s.begin(t, limit)(true)
	s.requireLimited(t, limit)
	require.NoError(t, s.raw.PExpire(t.Context(), attemptsKey, time.Hour).Err()) // as if an hour ago were now
	s.begin(t, limit)(true)
	s.requireLimited(t, limit)
}

func TestAttemptsAreCountedWhenRedisIsFull(t *testing.T) {
	t.Parallel()
	s, limit := openNew(t), booking.AttemptLimit{Max: 2, Window: time.Minute}
	require.NoError(t, s.raw.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for range limit.Max {
		s.begin(t, limit)(true)
	}
	s.requireLimited(t, limit)
}
