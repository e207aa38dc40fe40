package redis_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/redis"
)

// FuzzParseLease parses any text: it is an error, or encoding the result again preserves it.
func FuzzParseLease(f *testing.F) {
	train := booking.NewTrainID()
	lease := persistence.Lease{Train: train, Address: "10.0.0.7:8090", Owner: uuid.New()}
	f.Add(redis.LeaseValue(lease))
	for _, seed := range []string{
		"", "|", "10.0.0.7:8090", "10.0.0.7:8090|", "|" + uuid.NewString(), "a|b|" + uuid.NewString(), "a|{" + uuid.NewString() + "}",
		"a|urn:uuid:" + uuid.NewString(), "[fe80::1%eth0]:1|" + uuid.NewString(), "\x00|\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		lease, err := redis.ParseLease(train, value)
		if err != nil {
			require.ErrorContains(t, err, "is not a lease")
			return
		}
		require.Equal(t, train, lease.Train)
		again, err := redis.ParseLease(train, redis.LeaseValue(lease))
		require.NoError(t, err)
		require.Equal(t, lease, again)
	})
}
