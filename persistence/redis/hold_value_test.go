package redis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/redis"
)

// FuzzDecodeHold decodes any text: it is an error, or encoding the result again preserves it.
func FuzzDecodeHold(f *testing.F) {
	f.Add(`{"v":1,"u":"6f9a1c1e-6a0e-4d0c-9a53-0d3c6f0a7e11","s":[4,20000],"l":9223372036854775807,"d":1763910608000,"r":true,"i":1763910608000001}`)
	f.Add(`{"v":2}`)
	f.Add(`null`)
	id := booking.NewHoldID(booking.NewTrainID())
	f.Fuzz(func(t *testing.T, text string) {
		hold, err := redis.DecodeHold("key", id, text)
		if err != nil {
			require.ErrorContains(t, err, "key")
			return
		}
		again, err := redis.DecodeHold("key", id, redis.EncodeHold(&hold))
		require.NoError(t, err)
		require.Equal(t, hold, again)
	})
}
