package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// startPair starts a primary that waits for its standby, and opens the database through a URL with
// both. The setting is not copied to the standby: once promoted, it would wait for another one.
func startPair(t *testing.T) (first, second *servers.Server, db *postgres.DB) {
	t.Helper()
	first = servers.StartPostgres(t)
	second = servers.StartStandby(t, first)
	first.Set(t, synchronous)
	db = openAt(t, servers.AnyOf(t, first, second))
	require.NoError(t, db.Migrate(t.Context()))
	awaitSettled(t, db)
	return first, second, db
}

// synchronous makes a primary wait for a standby.
const synchronous = "synchronous_standby_names=*"

// TestPromotedStandbyHasEverythingAcknowledged kills the primary during batches, promotes its
// standby and continues with the same DB. Then the first server comes back as a standby, and they
// change places again.
func TestPromotedStandbyHasEverythingAcknowledged(t *testing.T) {
	t.Parallel()
	first, second, db := startPair(t)
	guards := []persistence.Guard{adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())}
	var outcomes []outcome
	failOver := func(from, to *servers.Server) {
		outcomes = append(outcomes, bookUntil(t, db, guards, func() {
			from.Kill(t)
			to.Promote(t)
		})...)
		for i := range guards {
			require.Eventually(t, func() bool { return readopt(t, db, &guards[i]) == nil }, 15*time.Second, 10*time.Millisecond)
		}
		requireStored(t, db, guards, outcomes)
	}
	failOver(first, second)

	first.Follow(t, second)
	second.Set(t, synchronous)
	require.NoError(t, openAt(t, servers.AnyOf(t, first, second)).Ping(t.Context()), "the first host of the URL is a standby")
	guards = []persistence.Guard{adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())}
	outcomes = nil
	failOver(second, first)
	awaitSettled(t, db)
}

// readopt adopts a train again.
func readopt(t *testing.T, db *postgres.DB, guard *persistence.Guard) error {
	t.Helper()
	old, err := persistencetest.Epoch(t.Context(), db, guard.Train)
	if err == nil {
		guard.Epoch, err = persistencetest.Adopt(t.Context(), db, guard.Train, old, guard.Owner)
	}
	return err
}

// requireStored checks that bookings of the trains are stored as their outcomes say.
func requireStored(t *testing.T, db *postgres.DB, guards []persistence.Guard, outcomes []outcome) {
	t.Helper()
	found := map[uuid.UUID]bool{}
	for _, guard := range guards {
		sale := saleOf(guard, booking.MaxCapacity)
		require.Eventually(t, func() bool { return bookOne(t.Context(), db, sale) == nil }, 15*time.Second, 10*time.Millisecond)
		var page booking.Page[booking.BookedTrain]
		require.Eventually(t, func() (read bool) {
			var err error
			page, err = db.TrainBookings(t.Context(), guard.Train, booking.PageRequest{})
			return err == nil
		}, 15*time.Second, 10*time.Millisecond)
		for _, b := range page.Items {
			found[b.ID] = true
		}
	}
	requireOutcomes(t, outcomes, found, 0)
	persistencetest.RequireSeatsMatchBookings(t, db)
}

// TestPrimaryThatBecameReadOnlyIsLeft makes the first primary read-only and keeps its sessions, as
// some managed services do.
func TestPrimaryThatBecameReadOnlyIsLeft(t *testing.T) {
	t.Parallel()
	first, second, db := startPair(t)
	guard := adopt(t, db, booking.NewTrainID())
	require.NoError(t, bookOne(t.Context(), db, saleOf(guard, 1)))
	first.Set(t, "default_transaction_read_only=on")
	second.Promote(t)

	sale := saleOf(guard, 2)
	require.Eventually(t, func() bool {
		err := bookOne(t.Context(), db, sale)
		require.NotErrorIs(t, err, persistence.ErrUnknown)
		return err == nil
	}, 15*time.Second, 10*time.Millisecond)
	page, err := db.TrainBookings(t.Context(), guard.Train, booking.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 2, "readers have left it too")
	loaded, err := persistencetest.LoadTrain(t.Context(), db, guard.Train, nil)
	require.NoError(t, err)
	require.Len(t, loaded.Bookings, 2)
}
