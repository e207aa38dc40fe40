package actors_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
)

func TestWorkersKeepSomeGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped, stop := context.WithCancel(t.Context())
		w := actors.NewWorkers(stopped)
		var running sync.WaitGroup
		release := make(chan struct{})
		run := func(n int) {
			for range n {
				running.Add(1)
				w.Schedule(func() {
					defer running.Done()
					<-release
				})
			}
		}
		const many = 100
		run(many) // nothing waits for anything else
		require.Zero(t, w.Idle())
		close(release)
		running.Wait()
		synctest.Wait()
		require.Equal(t, actors.MaxIdleWorkers, w.Idle())

		release = make(chan struct{})
		run(actors.MaxIdleWorkers - 1)
		synctest.Wait()
		require.Equal(t, 1, w.Idle(), "they run on goroutines that were idle")
		close(release)
		running.Wait()
		stop()
		synctest.Wait()

		run(1) // after the end, as the last messages of an actor are
		running.Wait()
	}) // no goroutine is left, or synctest.Test would fail
}
