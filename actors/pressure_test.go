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

// waiting is how many commands may wait for one train (DESIGN.md 4), beside the one that it
// is busy with.
const waiting = 1024 - 1

func TestTrainThatTooManyWaitForRefusesAtOnceAndHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, openStores(t), rules)
		busy, other := addTrain(t, s, 2*waiting+1), addTrain(t, s, 10)
		// refused asks once more than there is room for, and returns how long to stay away.
		refused := func() time.Duration {
			_, err := s.Hold(t.Context(), seat(busy, uuid.New(), 2*waiting+1))
			requireOutcome(t, booking.OutcomeNotExecuted, err)
			require.Equal(t, booking.CodeUnavailable, booking.CodeOf(err))
			return err.(*booking.Error).RetryAfter //nolint:errorlint // requireOutcome says so
		}
		first := waiters(t, s, busy, 1)
		unknown := refused()
		_, err := s.Hold(t.Context(), seat(other, uuid.New(), 1))
		require.NoError(t, err)
		first()

		second := waiters(t, s, busy, 1+waiting)
		known := refused()
		second()
		require.Less(t, known, unknown, "it is known by now how fast it goes")
		require.GreaterOrEqual(t, known, time.Second)
		require.Equal(t, booking.Tally{Held: 2 * waiting, Available: 1}, tally(t, s, busy))
	})
}

// waiters stops a train and lets as many wait for it as may, each for a seat of its own
// from a first one on. What it returns lets the train go on, after a second, and sees that
// everybody gets a seat.
func waiters(t *testing.T, s *actors.System, train booking.TrainID, from int) (release func()) {
	t.Helper()
	blocked, end := make(chan error, 1), make(chan struct{})
	go func() { blocked <- actors.Block(t.Context(), s, train, end) }()
	synctest.Wait()
	var answers []<-chan answer
	for n := range waiting {
		answers = append(answers, hold(t, s, seat(train, uuid.New(), from+n)))
	}
	synctest.Wait()
	return func() {
		<-time.After(time.Second)
		close(end)
		require.NoError(t, <-blocked)
		for _, a := range answers {
			require.NoError(t, (<-a).err)
		}
	}
}
