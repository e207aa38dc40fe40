package actors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
)

func TestBatcherCollectsWhileAFlushIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var batches [][]int
		release := make(chan struct{})
		b := actors.NewBatcher(func(_ context.Context, items []int) ([]error, error) {
			batches = append(batches, items)
			<-release
			return make([]error, len(items)), nil
		})
		written := 0
		for i := range 300 {
			b.Add(i, func(err error) {
				require.NoError(t, err)
				written++
			})
			synctest.Wait()
		}
		close(release)
		b.Wait()
		require.Equal(t, 300, written)
		require.Len(t, batches, 3, "the first item at once, then the collected items in bounded batches")
		require.Equal(t, []int{0}, batches[0])
		require.Len(t, batches[1], 256)
		require.Equal(t, 1, batches[1][0])
		require.Len(t, batches[2], 43)
		require.Equal(t, 299, batches[2][42])
	})
}

func TestBatcherRefusesItemsThatWaitedTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := actors.NewBatcher(func(_ context.Context, items []int) ([]error, error) {
			<-time.After(2 * time.Second)
			return make([]error, len(items)), nil
		})
		var errs []error
		collect := func(err error) { errs = append(errs, err) }
		b.Add(1, collect)
		synctest.Wait()
		b.Add(2, collect)
		<-time.After(1500 * time.Millisecond)
		b.Add(3, collect)
		b.Wait()
		require.Equal(t, []error{nil, actors.ErrQueueAge, nil}, errs, "2 was never sent")
	})
}
