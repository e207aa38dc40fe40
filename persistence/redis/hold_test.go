package redis_test

import (
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func TestHoldIsStoredUnderItsKeys(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	write := puts(guard, 1)[0]
	h := &write.Hold
	h.Seats, h.Released = []int{4, 20_000}, true
	s.write(t, write)

	tag := "{t:" + guard.Train.String() + "}"
	key := tag + ":hold:" + h.ID.String()
	value, err := s.raw.Get(t.Context(), key).Result()
	require.NoError(t, err)
	require.JSONEq(t, fmt.Sprintf(`{"v":1,"u":%q,"s":[4,20000],"l":3,"d":%d,"r":true}`, h.User, h.ExpiresAt.UnixMilli()), value)
	score, err := s.raw.ZScore(t.Context(), tag+":holds", h.ID.String()).Result()
	require.NoError(t, err)
	require.EqualValues(t, h.ExpiresAt.UnixMilli(), score)
	retention := time.Until(h.ExpiresAt) + booking.HoldRetention
	for _, key := range []string{key, tag + ":holds"} {
		ttl := s.raw.PTTL(t.Context(), key).Val()
		require.Greater(t, ttl, retention, "a little longer than needed")
		require.Less(t, ttl, retention+2*time.Minute)
	}
	owner, err := s.raw.Get(t.Context(), tag+":lease").Result()
	require.NoError(t, err)
	require.Equal(t, here+"|"+guard.Owner.String(), owner)
}

func TestIDsOfExpiredHoldsAreRemoved(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	key := "{t:" + guard.Train.String() + "}:holds"
	expired := time.Now().Add(-booking.HoldRetention - 2*time.Minute)
	require.NoError(t, s.raw.ZAdd(t.Context(), key, goredis.Z{Score: float64(expired.UnixMilli()), Member: "old"}).Err())
	s.write(t, puts(guard, 1)...)
	require.EqualValues(t, 1, s.raw.ZCard(t.Context(), key).Val())
}

func TestIDWithoutAValueIsIgnored(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	writes := puts(guard, 2)
	s.write(t, writes...)
	for i, want := range []int{1, 0} {
		require.NoError(t, s.raw.Del(t.Context(), "{t:"+guard.Train.String()+"}:hold:"+writes[i].Hold.ID.String()).Err())
		require.Len(t, s.held(t, guard.Train), want)
	}
	trains, err := s.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
	require.Empty(t, trains)
}

func TestErrorOfAMalformedValueHasItsKey(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for _, value := range []string{`{"v":2}`, `{}`, ``, `null`, `{"v":1,"u":7}`} {
		guard := s.adopt(t, booking.NewTrainID())
		writes := puts(guard, 1)
		s.write(t, writes...)
		key := "{t:" + guard.Train.String() + "}:hold:" + writes[0].Hold.ID.String()
		require.NoError(t, s.raw.Set(t.Context(), key, value, time.Minute).Err())
		_, err := s.LoadHolds(t.Context(), guard.Train, time.Now())
		require.ErrorContains(t, err, key)
	}
}

func TestManyHoldsOfATrainAreLoaded(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	const batches, size = 10, 500 // more than one pipeline of reads
	for range batches {
		s.write(t, puts(guard, size)...)
	}
	require.Len(t, s.held(t, guard.Train), batches*size)
}

func TestTrainsWithHoldsAreFoundAmongManyKeys(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	others := s.raw.Pipeline()
	for i := range 5000 {
		others.Set(t.Context(), fmt.Sprintf("{t:%d}:holds", i), "not ours", 0)
	}
	_, err := others.Exec(t.Context())
	require.NoError(t, err)
	var want []booking.TrainID
	for range 50 {
		guard := s.adopt(t, booking.NewTrainID())
		s.write(t, puts(guard, 1)...)
		want = append(want, guard.Train)
	}
	got, err := s.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
	require.ElementsMatch(t, want, got)
}

func TestLeaseOfAnotherAddressFences(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	lease := newLease(booking.NewTrainID())
	lease.Address = "10.0.0.2:8090"
	_, err := s.AcquireLease(t.Context(), lease)
	require.NoError(t, err)
	results, err := s.WriteHolds(t.Context(), puts(guardOf(lease), 1))
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrFenced)
}

func TestUnknownOperationDoesNothing(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	writes := puts(guard, 2)
	writes[1].Op = 7
	_, err := s.WriteHolds(t.Context(), writes)
	require.Error(t, err)
	require.NotErrorIs(t, err, persistence.ErrUnknown)
	require.Empty(t, s.held(t, guard.Train))
}
