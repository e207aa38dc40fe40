package redis_test

import (
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

func TestHoldIsStoredUnderItsKeys(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	write := puts(guard, 1)[0]
	h := &write.Hold
	h.Seats, h.Incarnation = []int{4, 20_000}, 1_763_910_608_000_001
	tag := "{t:" + guard.Train.String() + "}"
	key, holds, user := tag+":hold:"+h.ID.String(), tag+":holds", tag+":user:"+h.User.String()
	for _, c := range []struct {
		released bool
		value    string
		sets     []string // those that have the id
	}{
		{false, `{"v":1,"u":%q,"s":[4,20000],"l":3,"d":%d,"i":1763910608000001}`, []string{holds, user}},
		{true, `{"v":1,"u":%q,"s":[4,20000],"l":3,"d":%d,"r":true,"i":1763910608000001}`, []string{user}},
	} {
		h.Released = c.released
		s.write(t, write)
		value, err := s.raw.Get(t.Context(), key).Result()
		require.NoError(t, err)
		require.JSONEq(t, fmt.Sprintf(c.value, h.User, h.ExpiresAt.UnixMilli()), value)
		for _, set := range c.sets {
			score, err := s.raw.ZScore(t.Context(), set, h.ID.String()).Result()
			require.NoError(t, err)
			require.EqualValues(t, h.ExpiresAt.UnixMilli(), score)
		}
		s.requireKeys(t, tag, append(c.sets, tag+":lease", key)...)
		retention := time.Until(h.ExpiresAt) + booking.HoldRetention
		for _, key := range append(c.sets, key) {
			ttl := s.raw.PTTL(t.Context(), key).Val()
			require.Greater(t, ttl, retention, "a little longer than needed")
			require.Less(t, ttl, retention+2*time.Minute)
		}
	}
	owner, err := s.raw.Get(t.Context(), tag+":lease").Result()
	require.NoError(t, err)
	require.Equal(t, here+"|"+guard.Owner.String(), owner)
	write.Op = persistence.HoldDrop
	s.write(t, write)
	s.requireKeys(t, tag, tag+":lease")
}

// requireKeys checks the keys of a train.
func (s *store) requireKeys(t *testing.T, tag string, want ...string) {
	t.Helper()
	keys, err := s.raw.Keys(t.Context(), tag+"*").Result()
	require.NoError(t, err)
	require.ElementsMatch(t, want, keys)
}

func TestUserSetIsKeptAsLongAsItsLastHold(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	writes := puts(guard, 3)
	for i, ttl := range []time.Duration{2 * time.Hour, time.Hour, 3 * time.Hour} {
		writes[i].Hold.User, writes[i].Hold.ExpiresAt = writes[0].Hold.User, time.Now().Add(ttl)
	}
	key := "{t:" + guard.Train.String() + "}:user:" + writes[0].Hold.User.String()
	for i, want := range []time.Duration{2 * time.Hour, 2 * time.Hour, 3 * time.Hour} {
		s.write(t, writes[i])
		require.InDelta(t, want+booking.HoldRetention, s.raw.PTTL(t.Context(), key).Val(), float64(2*time.Minute))
	}
}

func TestLoadReadsNoEndedHolds(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	live, ended := puts(guard, 3), puts(guard, 100)
	s.write(t, ended...)
	for i := range ended {
		if i%2 == 0 {
			ended[i].Hold.Released = true
		} else {
			ended[i].Hold.ExpiresAt = time.Now().Add(-time.Second)
		}
	}
	s.write(t, append(live, ended...)...)
	require.NoError(t, s.raw.ConfigResetStat(t.Context()).Err())
	require.Len(t, s.held(t, guard.Train), len(live))
	stats, err := s.raw.InfoMap(t.Context(), "stats").Result()
	require.NoError(t, err)
	require.Equal(t, "5", stats["Stats"]["keyspace_hits"], "the lease, the set of the train and the live holds")
	require.Equal(t, "0", stats["Stats"]["keyspace_misses"])
}

// TestLoadReadsNothingMoreOfATrainWithoutHolds counts the commands of a load of 1,000 trains, of
// which every hundredth has holds.
func TestLoadReadsNothingMoreOfATrainWithoutHolds(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	trains := make([]booking.TrainID, 1000)
	for i := range trains {
		trains[i] = booking.NewTrainID()
		if i%100 == 0 {
			s.write(t, puts(s.adopt(t, trains[i]), 3)...)
		}
	}
	require.NoError(t, s.raw.ConfigResetStat(t.Context()).Err())
	held, err := s.LoadHolds(t.Context(), trains, time.Now())
	require.NoError(t, err)
	for i := range trains {
		require.NoError(t, held[i].Err)
		if i%100 == 0 {
			require.Len(t, held[i].Value.Holds, 3)
			require.Equal(t, here, held[i].Value.Owner)
		} else {
			require.Equal(t, persistence.HeldTrain{}, held[i].Value)
		}
	}
	stats, err := s.raw.InfoMap(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	for command, calls := range map[string]string{"cmdstat_zrangebyscore": "calls=1000,", "cmdstat_mget": "calls=1010,"} {
		require.Contains(t, stats["Commandstats"][command], calls, command)
	}
}

func TestHoldsAreLoadedWithTheOwnerOfTheLease(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	id := booking.NewTrainID()
	requireOwner := func(want string) {
		t.Helper()
		held, err := s.LoadHolds(t.Context(), []booking.TrainID{id}, time.Now())
		require.NoError(t, err)
		require.Equal(t, []persistence.Result[persistence.HeldTrain]{{Value: persistence.HeldTrain{Owner: want}}}, held)
	}
	requireOwner("")
	lease := newLease(id)
	lease.Address = "10.0.0.2:8090" // another process
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
	require.NoError(t, err)
	requireOwner(lease.Address)
	require.NoError(t, persistencetest.ReleaseLease(t.Context(), s, lease))
	requireOwner("")
	key := "{t:" + id.String() + "}:lease"
	require.NoError(t, s.raw.Set(t.Context(), key, "malformed", time.Minute).Err())
	held, err := s.LoadHolds(t.Context(), []booking.TrainID{id}, time.Now())
	require.NoError(t, err)
	require.ErrorContains(t, held[0].Err, key)
}

// TestMalformedValueHidesOnlyItsTrain has a malformed hold on one train, a malformed lease on
// another, and a hold of a newer version on a third.
func TestMalformedValueHidesOnlyItsTrain(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	trains := make([]booking.TrainID, 4)
	for i := range trains {
		guard := s.adopt(t, booking.NewTrainID())
		writes := puts(guard, 2)
		s.write(t, writes...)
		trains[i] = guard.Train
		if i < 2 {
			key := "{t:" + guard.Train.String() + "}:hold:" + writes[0].Hold.ID.String()
			require.NoError(t, s.raw.Set(t.Context(), key, []string{"{", `{"v":2}`}[i], time.Minute).Err())
		}
	}
	require.NoError(t, s.raw.Set(t.Context(), "{t:"+trains[2].String()+"}:lease", "malformed", time.Minute).Err())
	held, err := s.LoadHolds(t.Context(), trains, time.Now())
	require.NoError(t, err)
	for i := range 3 {
		require.ErrorContains(t, held[i].Err, trains[i].String())
		require.Empty(t, held[i].Value)
	}
	require.NoError(t, held[3].Err)
	require.Equal(t, here, held[3].Value.Owner)
	require.Len(t, held[3].Value.Holds, 2)
	found, err := s.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
	require.ElementsMatch(t, trains, found, "what cannot be decoded may be live")
}

// TestHoldsOfTheVersionBeforeAreRead has ids only in the set of the train, even of a released hold.
func TestHoldsOfTheVersionBeforeAreRead(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	tag := "{t:" + guard.Train.String() + "}"
	writes := puts(guard, 2)
	live, released := writes[0].Hold, writes[1].Hold
	for hold, suffix := range map[*booking.Hold]string{&live: `}`, &released: `,"r":true}`} {
		value := fmt.Sprintf(`{"v":1,"u":%q,"s":%s,"l":3,"d":%d`, hold.User, fmt.Sprint(hold.Seats), hold.ExpiresAt.UnixMilli())
		require.NoError(t, s.raw.Set(t.Context(), tag+":hold:"+hold.ID.String(), value+suffix, time.Hour).Err())
		member := goredis.Z{Score: float64(hold.ExpiresAt.UnixMilli()), Member: hold.ID.String()}
		require.NoError(t, s.raw.ZAdd(t.Context(), tag+":holds", member).Err())
	}
	require.Equal(t, map[booking.HoldID]bool{live.ID: true}, s.held(t, guard.Train))
	trains, err := s.TrainsWithHolds(t.Context(), time.Now())
	require.NoError(t, err)
	require.Equal(t, []booking.TrainID{guard.Train}, trains)
	held, err := s.LoadHolds(t.Context(), trains, time.Now())
	require.NoError(t, err)
	require.Equal(t, persistence.HeldTrain{Holds: []booking.Hold{live}, Owner: here}, held[0].Value)

	writes[0].Hold.Released = true
	writes[1].Op = persistence.HoldDrop
	s.write(t, writes...)
	require.Empty(t, s.held(t, guard.Train))
	holds, err := s.UserHolds(t.Context(), guard.Train, live.User, time.Now())
	require.NoError(t, err)
	require.Equal(t, []booking.Hold{writes[0].Hold}, holds, "from its release on")
	s.requireKeys(t, tag, tag+":lease", tag+":hold:"+live.ID.String(), tag+":user:"+live.User.String())
}

func TestIDsOfExpiredHoldsAreRemoved(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	guard := s.adopt(t, booking.NewTrainID())
	writes := puts(guard, 2)
	writes[1].Hold.User = writes[0].Hold.User
	s.write(t, writes[0])
	expired := time.Now().Add(-booking.HoldRetention - 2*time.Minute)
	for _, set := range []string{"holds", "user:" + writes[0].Hold.User.String()} {
		key := "{t:" + guard.Train.String() + "}:" + set
		require.NoError(t, s.raw.ZAdd(t.Context(), key, goredis.Z{Score: float64(expired.UnixMilli()), Member: "old"}).Err())
		s.write(t, writes[1])
		require.ElementsMatch(t, []string{writes[0].Hold.ID.String(), writes[1].Hold.ID.String()}, s.raw.ZRange(t.Context(), key, 0, -1).Val())
	}
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
		holds, err := s.UserHolds(t.Context(), guard.Train, writes[i].Hold.User, time.Now())
		require.NoError(t, err)
		require.Empty(t, holds)
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
		_, err := persistencetest.LoadHolds(t.Context(), s, guard.Train, time.Now())
		require.ErrorContains(t, err, key)
		_, err = s.UserHolds(t.Context(), guard.Train, writes[0].Hold.User, time.Now())
		require.ErrorContains(t, err, key)
		writes[0].Op = persistence.HoldDrop
		s.write(t, writes...)
		require.Empty(t, s.held(t, guard.Train), "it can be dropped")
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
	_, err := persistencetest.AcquireLease(t.Context(), s, lease)
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
