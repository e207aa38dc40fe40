package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func TestIdleTrainCanBeReadWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	s := start(t, stores, rules)
	id := addTrain(t, s, 10)
	full := persistence.ErrFull
	stores.adopt.Store(&full)

	require.Equal(t, booking.Tally{Available: 10}, tally(t, s, id))
	found, err := s.Search(t.Context(), "A", "B", time.Time{})
	require.NoError(t, err)
	require.Len(t, found.Trains, 1)
	_, err = s.Hold(t.Context(), seat(id, uuid.New(), 5))
	requireOutcome(t, booking.OutcomeNotExecuted, err)
	require.Equal(t, booking.CodeStorageFull, booking.CodeOf(err))

	stores.adopt.Store(nil)
	_, err = s.Hold(t.Context(), seat(id, uuid.New(), 5))
	require.NoError(t, err)
}

func TestTrainWithHoldsIsReactivatedWithoutARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, openStores(t), rules)
		id := addTrain(t, s, 10)
		_, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err)
		actors.Halt(s, id)
		synctest.Wait()
		listed, err := s.ListTrains(t.Context(), booking.TrainQuery{})
		require.NoError(t, err)
		require.Equal(t, booking.Tally{Held: 1, Available: 9}, listed.Items[0].Tally)
	})
}
