package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
)

// waiting is how many requests may wait for one train (DESIGN.md 4), besides the one that it
// executes.
const waiting = 1024 - 1

func TestTrainWithAFullBacklogRefusesAtOnceAndDelaysNoOtherTrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, openStores(t), rules)
		busy, other := addTrain(t, s, 2*waiting+1), addTrain(t, s, 10)
		// refused sends one request more than the backlog has room for, and returns its RetryAfter.
		refused := func() time.Duration {
			_, err := s.Hold(t.Context(), seat(busy, uuid.New(), 2*waiting+1))
			requireOutcome(t, booking.OutcomeNotExecuted, err)
			require.Equal(t, booking.CodeUnavailable, booking.CodeOf(err))
			return err.(*booking.Error).RetryAfter //nolint:errorlint // requireOutcome has checked its type
		}
		first := waiters(t, s, busy, 1)
		unknown := refused()
		_, err := s.Hold(t.Context(), seat(other, uuid.New(), 1))
		require.NoError(t, err)
		first()

		second := waiters(t, s, busy, 1+waiting)
		known := refused()
		second()
		require.Less(t, known, unknown, "the drain rate is known by now")
		require.GreaterOrEqual(t, known, time.Second)
		require.Equal(t, booking.Tally{Held: 2 * waiting, Available: 1}, tally(t, s, busy))
	})
}

// waiters blocks a train and fills its backlog with requests for one seat each, starting at a
// seat number. The function that it returns unblocks the train after a second, and checks that
// every request gets its seat.
func waiters(t *testing.T, s *actors.System, train booking.TrainID, from int) (release func()) {
	t.Helper()
	blocked, end := make(chan error, 1), make(chan struct{})
	go func() { blocked <- actors.Block(t.Context(), s, train, end) }()
	synctest.Wait()
	var results []<-chan holdResult
	for n := range waiting {
		results = append(results, startHold(t, s, seat(train, uuid.New(), from+n)))
	}
	synctest.Wait()
	return func() {
		<-time.After(time.Second)
		close(end)
		require.NoError(t, <-blocked)
		for _, r := range results {
			require.NoError(t, (<-r).err)
		}
	}
}
