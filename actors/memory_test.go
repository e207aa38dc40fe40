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

func TestHoldingAndReleasingInALoopLeavesFewRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		again, others, user := addTrain(t, s, 200), addTrain(t, s, 200), uuid.New()
		line, err := s.CreateTrain(t.Context(), booking.Train{
			Name: "Shuttle", Capacity: 200, OnSale: true, Stops: []booking.Stop{{Station: "A"}, {Station: "B"}},
		})
		require.NoError(t, err)
		release := func(id booking.TrainID, n int) {
			h, err := s.Hold(t.Context(), seat(id, user, n))
			require.NoError(t, err)
			require.NoError(t, s.Release(t.Context(), refTo(h)))
		}
		for n := 1; n <= 100; n++ {
			release(again, 1)
			release(others, n)
			release(line.ID, n)
		}
		<-time.After(actors.RequestTimeout) // until then a lost attempt may be asked about
		synctest.Wait()
		for id, want := range map[booking.TrainID]int{
			again:   1,  // of one segment one record is enough
			others:  64, // the bound for a user
			line.ID: 0,  // one leg: nothing to confuse
		} {
			holds, err := stores.LoadHolds(t.Context(), id, time.Now())
			require.NoError(t, err)
			require.Len(t, holds, want)
		}
	})
}

func TestIdleTrainIsShownThoughTheDiskIsFull(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	s := start(t, stores, rules)
	id := addTrain(t, s, 10)
	full := persistence.ErrFull
	stores.adopt.Store(&full)

	require.Equal(t, booking.Tally{Available: 10}, tally(t, s, id))
	found, err := s.Search(t.Context(), "A", "B")
	require.NoError(t, err)
	require.Len(t, found, 1)
	_, err = s.Hold(t.Context(), seat(id, uuid.New(), 5))
	requireOutcome(t, booking.OutcomeNotExecuted, err)
	require.Equal(t, booking.CodeStorageFull, booking.CodeOf(err))

	stores.adopt.Store(nil)
	_, err = s.Hold(t.Context(), seat(id, uuid.New(), 5))
	require.NoError(t, err)
}

func TestTrainWithHoldsIsActivatedAgainByItself(t *testing.T) {
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
