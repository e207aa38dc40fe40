package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

func TestConfirmBeforeTheDeadlineSucceedsDespiteASlowWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id := addTrain(t, s, 10)
		h, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err)
		stores.book.set(func(_ []persistence.Sale, write func() ([]error, error)) ([]error, error) {
			<-time.After(2 * time.Second)
			return write()
		})

		<-time.After(time.Until(h.ExpiresAt) - time.Second)
		_, err = s.Confirm(t.Context(), refTo(h))
		require.NoError(t, err)
		require.True(t, time.Now().After(h.ExpiresAt))
		require.Equal(t, booking.Tally{Booked: 1, Available: 9}, tally(t, s, id))
	})
}

func TestHoldExpiresWhenItsConfirmFailsAfterTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id := addTrain(t, s, 10)
		h, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err)
		stores.book.set(func([]persistence.Sale, func() ([]error, error)) ([]error, error) {
			<-time.After(2 * time.Second)
			return nil, errors.New("no route to store")
		})

		<-time.After(time.Until(h.ExpiresAt) - time.Second)
		_, err = s.Confirm(t.Context(), refTo(h))
		requireOutcome(t, booking.OutcomeNotExecuted, err)
		synctest.Wait()
		require.Equal(t, booking.Tally{Available: 10}, tally(t, s, id))
	})
}

func TestIdenticalRequestWaitsForTheOneInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id, user := addTrain(t, s, 10), uuid.New()
		release := make(chan struct{})
		stores.holds.set(func(_ []persistence.HoldWrite, write func() ([]error, error)) ([]error, error) {
			<-release
			return write()
		})

		first := startHold(t, s, seat(id, user, 5))
		synctest.Wait()
		second, other := startHold(t, s, seat(id, user, 5)), startHold(t, s, seat(id, uuid.New(), 5))
		require.Equal(t, booking.CodeSeatLocked, booking.CodeOf((<-other).err), "another user does not wait")
		close(release)
		a, b := <-first, <-second
		require.NoError(t, a.err)
		require.Equal(t, a, b)
	})
}

func TestWriteWithUnknownOutcomeIsSettledByTheNextActivation(t *testing.T) {
	t.Parallel()
	lost := errors.Join(persistence.ErrUnknown, errors.New("connection reset"))
	for name, done := range map[string]bool{"done": true, "not done": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stores := openStores(t)
			s := start(t, stores, rules)
			id := addTrain(t, s, 10)
			stores.holds.set(once(&stores.holds, done, lost))
			h, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
			require.NoError(t, err)
			require.Equal(t, booking.Tally{Held: 1, Available: 9}, tally(t, s, id))

			stores.book.set(once(&stores.book, done, lost))
			b, err := s.Confirm(t.Context(), refTo(h))
			require.NoError(t, err)
			require.Equal(t, booking.BookingIDOf(h.User, h.ID), b.ID)
			require.Equal(t, booking.Tally{Booked: 1, Available: 9}, tally(t, s, id))
			again, err := s.Confirm(t.Context(), refTo(h))
			require.NoError(t, err)
			require.Equal(t, b.ID, again.ID)
		})
	}
}

func TestLostWriteIsUnknownWhileTheStoreIsUnreachable(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	s := start(t, stores, rules)
	id := addTrain(t, s, 10)
	h, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
	require.NoError(t, err)
	stores.book.set(func([]persistence.Sale, func() ([]error, error)) ([]error, error) {
		stores.load.Store(&errUnreachable)
		return nil, persistence.ErrUnknown
	})

	_, err = s.Confirm(t.Context(), refTo(h))
	requireOutcome(t, booking.OutcomeUnknown, err)
	_, err = s.Confirm(t.Context(), refTo(h))
	requireOutcome(t, booking.OutcomeNotExecuted, err)

	stores.load.Store(nil)
	stores.book.Store(nil)
	_, err = s.Confirm(t.Context(), refTo(h))
	require.NoError(t, err, "the hold still exists")
}

func TestFencedActivationIsReplacedByANewOne(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	s := start(t, stores, rules)
	id := addTrain(t, s, 10)
	h, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
	require.NoError(t, err)
	epoch, err := persistencetest.Epoch(t.Context(), stores, id)
	require.NoError(t, err)
	_, err = persistencetest.Adopt(t.Context(), stores, id, epoch, uuid.New())
	require.NoError(t, err)

	_, err = s.Confirm(t.Context(), refTo(h))
	require.NoError(t, err)
	now, err := persistencetest.Epoch(t.Context(), stores, id)
	require.NoError(t, err)
	require.Equal(t, epoch+2, now)
}

func TestFailedWriteChangesNothing(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	s := start(t, stores, rules)
	id, user := addTrain(t, s, 10), uuid.New()
	for err, code := range map[error]booking.Code{
		errors.New("no route to store"): booking.CodeUnavailable, persistence.ErrFull: booking.CodeStorageFull,
	} {
		stores.holds.set(once(&stores.holds, false, err))
		_, failed := s.Hold(t.Context(), seat(id, user, 5))
		requireOutcome(t, booking.OutcomeNotExecuted, failed)
		require.Equal(t, code, booking.CodeOf(failed))
		require.Equal(t, booking.Tally{Available: 10}, tally(t, s, id))

		h, failed := s.Hold(t.Context(), seat(id, user, 5))
		require.NoError(t, failed)
		stores.book.set(once(&stores.book, false, err))
		_, failed = s.Confirm(t.Context(), refTo(h))
		requireOutcome(t, booking.OutcomeNotExecuted, failed)
		stores.holds.set(once(&stores.holds, false, err))
		requireOutcome(t, booking.OutcomeNotExecuted, s.Release(t.Context(), refTo(h)))
		require.Equal(t, booking.Tally{Held: 1, Available: 9}, tally(t, s, id))
		require.NoError(t, s.Release(t.Context(), refTo(h)))
	}
}

func TestHoldsAndBookingsSurviveARestart(t *testing.T) {
	t.Parallel()
	stores := openStores(t)
	before := start(t, stores, rules)
	id, user := addTrain(t, before, 10), uuid.New()
	held, err := before.Hold(t.Context(), seat(id, user, 5))
	require.NoError(t, err)
	released, err := before.Hold(t.Context(), seat(id, user, 6))
	require.NoError(t, err)
	require.NoError(t, before.Release(t.Context(), refTo(released)))
	sold, err := before.Hold(t.Context(), seat(id, user, 7))
	require.NoError(t, err)
	booked, err := before.Confirm(t.Context(), refTo(sold))
	require.NoError(t, err)
	require.NoError(t, before.Stop(t.Context()))

	after := start(t, stores, rules)
	require.Equal(t, booking.Tally{Booked: 1, Held: 1, Available: 8}, tally(t, after, id))
	again, err := after.Hold(t.Context(), seat(id, user, 5))
	require.NoError(t, err)
	require.Equal(t, held, again)
	confirmed, err := after.Confirm(t.Context(), refTo(sold))
	require.NoError(t, err)
	require.Equal(t, booked.ID, confirmed.ID)
}

func TestHoldShortenedByALowerTTLStaysShortened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		long := booking.HoldRules{TTL: time.Hour, MaxSeats: 1}
		first := start(t, stores, long)
		id := addTrain(t, first, 10)
		old, err := first.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err)
		require.NoError(t, first.Stop(t.Context()))

		second := start(t, stores, booking.HoldRules{TTL: time.Minute, MaxSeats: 1})
		_, err = second.Hold(t.Context(), seat(id, uuid.New(), 6)) // activates the train
		require.NoError(t, err)
		<-time.After(time.Minute)
		synctest.Wait()
		taken, err := second.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err, "the old hold has expired")
		require.NoError(t, second.Stop(t.Context()))

		third := start(t, stores, long)
		_, err = third.Confirm(t.Context(), refTo(old))
		require.Equal(t, booking.CodeHoldExpired, booking.CodeOf(err))
		_, err = third.Confirm(t.Context(), refTo(taken))
		require.NoError(t, err)
	})
}

func TestIdleTrainPassivatesUnlessItHasHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, booking.HoldRules{TTL: 15 * time.Minute, MaxSeats: 1})
		id := addTrain(t, s, 10)
		epoch := func() int64 {
			e, err := persistencetest.Epoch(t.Context(), stores, id)
			require.NoError(t, err)
			return e
		}
		_, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err)
		<-time.After(14 * time.Minute)
		_, err = s.Hold(t.Context(), seat(id, uuid.New(), 6))
		require.NoError(t, err)
		require.EqualValues(t, 1, epoch(), "a train with a hold stays active")

		<-time.After(26 * time.Minute)
		_, err = s.Hold(t.Context(), seat(id, uuid.New(), 5))
		require.NoError(t, err)
		require.EqualValues(t, 2, epoch(), "the idle train was activated again")
	})
}

func TestChangeWaitsForWritesInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id := addTrain(t, s, 10)
		release := make(chan struct{})
		stores.holds.set(func(_ []persistence.HoldWrite, write func() ([]error, error)) ([]error, error) {
			<-release
			return write()
		})
		held := startHold(t, s, seat(id, uuid.New(), 10))
		synctest.Wait()
		changed := make(chan error, 1)
		go func() {
			_, _, err := s.PutTrain(t.Context(), booking.Train{
				ID: id, Name: "Shorter", Capacity: 9, OnSale: true,
				Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
			})
			changed <- err
		}()
		synctest.Wait()
		late := startHold(t, s, seat(id, uuid.New(), 1))
		synctest.Wait()
		close(release)

		require.NoError(t, (<-held).err)
		err := <-changed
		require.Equal(t, booking.CodeCapacityInUse, booking.CodeOf(err))
		refused, _ := errors.AsType[*booking.Error](err)
		require.Equal(t, []int{10}, refused.Seats)
		require.NoError(t, (<-late).err, "a request that waited for the change is executed")
	})
}

func TestPanickingActorIsClosedAndTheTrainActivatedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, openStores(t), rules)
	id := addTrain(t, s, 10)
	h, err := s.Hold(t.Context(), seat(id, uuid.New(), 5))
	require.NoError(t, err)
	require.NoError(t, actors.PanicOnce(t.Context(), s, id))
	_, err = s.Confirm(t.Context(), refTo(h))
	require.NoError(t, err)
}

func TestStopCompletesRequestsInFlightAndRefusesNewOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stores := openStores(t)
		s := start(t, stores, rules)
		id := addTrain(t, s, 10)
		release := make(chan struct{})
		stores.holds.set(func(_ []persistence.HoldWrite, write func() ([]error, error)) ([]error, error) {
			<-release
			return write()
		})
		held := startHold(t, s, seat(id, uuid.New(), 5))
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- s.Stop(t.Context()) }()
		synctest.Wait()
		require.Empty(t, stopped)
		close(release)
		require.NoError(t, (<-held).err)
		require.NoError(t, <-stopped)
		_, err := s.Hold(t.Context(), seat(id, uuid.New(), 6))
		requireOutcome(t, booking.OutcomeNotExecuted, err)
	})
}

type holdResult struct {
	hold booking.Hold
	err  error
}

// startHold calls Hold without waiting for the result.
func startHold(t *testing.T, s booking.Service, request booking.HoldRequest) <-chan holdResult {
	t.Helper()
	c := make(chan holdResult, 1)
	go func() {
		h, err := s.Hold(t.Context(), request)
		c <- holdResult{h, err}
	}()
	return c
}

// once makes the next write fail with err, executed or not. Later writes succeed.
func once[T any](
	h *hook[T], done bool, err error,
) func(items []T, write func() ([]error, error)) ([]error, error) {
	return func(_ []T, write func() ([]error, error)) ([]error, error) {
		h.Store(nil)
		if done {
			if _, failed := write(); failed != nil {
				return nil, failed
			}
		}
		return nil, err
	}
}

func requireOutcome(t *testing.T, want booking.Outcome, err error) {
	t.Helper()
	e, ok := errors.AsType[*booking.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, e.Outcome, "%v", err)
	require.Positive(t, e.RetryAfter)
}
