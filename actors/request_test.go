package actors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func TestConfirmThatArrivesInTimeSucceedsDespiteWaitingInTheMailbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, openStores(t), rules)
		id, user := addTrain(t, s, 10), uuid.New()
		earlier, err := s.Hold(t.Context(), seat(id, user, 1))
		require.NoError(t, err)
		<-time.After(time.Second)
		later, err := s.Hold(t.Context(), seat(id, user, 2))
		require.NoError(t, err)

		<-time.After(time.Until(earlier.ExpiresAt) - time.Millisecond)
		release, blocked := make(chan struct{}), make(chan error, 1)
		go func() { blocked <- actors.Block(t.Context(), s, id, release) }()
		synctest.Wait()
		<-time.After(time.Until(later.ExpiresAt) - time.Millisecond)
		confirmed := make(chan error, 1)
		go func() {
			_, err := s.Confirm(t.Context(), refTo(later))
			confirmed <- err
		}()
		synctest.Wait()
		<-time.After(time.Second)
		close(release) // the mailbox has the timer of the earlier hold, then the confirm
		require.NoError(t, <-blocked)
		require.NoError(t, <-confirmed)
		synctest.Wait()
		require.Equal(t, booking.Tally{Booked: 1, Available: 9}, tally(t, s, id), "the earlier hold has expired")
	})
}

func TestRequestThatWaitsForTheStoreIsDroppedWhenItsClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id, user := addTrain(t, s, 10), uuid.New()
		release := make(chan struct{})
		stores.holds.set(func([]persistence.HoldWrite, func() ([]error, error)) ([]error, error) {
			<-release
			stores.holds.Store(nil)
			return nil, errUnreachable
		})
		first := startHold(t, s, seat(id, user, 5))
		synctest.Wait()
		leaving, leave := context.WithCancel(t.Context())
		same := make(chan error, 1)
		go func() {
			_, err := s.Hold(leaving, seat(id, user, 5))
			same <- err
		}()
		synctest.Wait()
		leave()
		require.Equal(t, booking.CodeTimeout, booking.CodeOf(<-same))
		close(release)
		requireOutcome(t, booking.OutcomeNotExecuted, (<-first).err)
		synctest.Wait()
		require.Equal(t, booking.Tally{Available: 10}, tally(t, s, id))
	})
}
