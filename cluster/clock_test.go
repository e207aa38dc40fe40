package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/cluster"
)

// The store may read its clock at any moment of the call.
func TestTimeOfTheStoreIsWithinItsBounds(t *testing.T) {
	t.Parallel()
	const ahead = time.Hour + 999*time.Microsecond // of the store's clock
	for _, c := range []struct{ there, back time.Duration }{
		{0, 30 * time.Millisecond}, {200 * time.Millisecond, 0}, {200 * time.Millisecond, 30 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			earliest, latest := cluster.ClockBounds(func() time.Time {
				<-time.After(c.there)
				read := time.Now().Add(ahead)
				<-time.After(c.back)
				return read
			})
			now := time.Now().Add(ahead)
			require.False(t, earliest.After(now))
			require.False(t, latest.Before(now))
			require.LessOrEqual(t, latest.Sub(earliest), c.there+c.back+time.Millisecond)
		})
	}
}
