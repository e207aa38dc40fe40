package postgres_test

import (
	"errors"
	"sync"
	"sync/atomic"
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

// TestKilledServerLosesNothingAcknowledged kills Postgres with SIGKILL during batches, twice,
// and continues with the same DB. A sale that was refused must not be stored.
func TestKilledServerLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	server := servers.StartPostgres(t)
	db := openAt(t, server.Address)
	require.NoError(t, db.Migrate(t.Context()))
	for round := range 2 {
		var guards []persistence.Guard
		for range 3 {
			guards = append(guards, adopt(t, db, booking.NewTrainID()))
		}
		outcomes := bookUntil(t, db, guards, func() { server.Kill(t) })
		server.Start(t)
		for _, guard := range guards {
			require.Eventually(t, func() bool {
				_, err := persistencetest.Adopt(t.Context(), db, guard.Train, guard.Epoch, uuid.New())
				return err == nil
			}, 15*time.Second, 10*time.Millisecond, "broken connections are replaced one by one")
		}
		require.Eventually(t, func() bool { return db.Ping(t.Context()) == nil }, 15*time.Second, 10*time.Millisecond)
		found := map[uuid.UUID]bool{}
		for _, guard := range guards {
			var page booking.Page[booking.BookedTrain]
			require.Eventually(t, func() bool {
				var err error
				page, err = db.TrainBookings(t.Context(), guard.Train, booking.PageRequest{})
				return err == nil
			}, 15*time.Second, 10*time.Millisecond, "readers have connections of their own")
			for _, b := range page.Items {
				found[b.ID] = true
			}
		}
		requireOutcomes(t, outcomes, found, round)
		persistencetest.RequireSeatsMatchBookings(t, db)
	}
}

// outcome is the result of a sale.
type outcome struct {
	id  uuid.UUID
	err error
}

// bookUntil sells the seats of each train in batches, calls kill in between, and stops when a
// batch fails. It returns the outcome of every sale.
func bookUntil(t *testing.T, db *postgres.DB, guards []persistence.Guard, kill func()) (outcomes []outcome) {
	t.Helper()
	const batch, enough = 20, 1000
	var (
		mu           sync.Mutex
		acknowledged atomic.Int64
		sellers      sync.WaitGroup
	)
	ready := make(chan struct{})
	for _, guard := range guards {
		sellers.Go(func() {
			for seat := 1; seat+batch < booking.MaxCapacity; seat += batch {
				var sales []persistence.Sale
				for i := range batch {
					sales = append(sales, saleOf(guard, seat+i))
				}
				results, err := db.Book(t.Context(), sales)
				mu.Lock()
				for i, sale := range sales {
					outcomes = append(outcomes, outcome{sale.Booking.ID, errors.Join(err, at(results, i))})
				}
				mu.Unlock()
				if err != nil {
					return
				}
				if n := acknowledged.Add(batch); n >= enough && n < enough+batch {
					close(ready)
				}
			}
		})
	}
	<-ready
	kill()
	sellers.Wait()
	return outcomes
}

func at(results []error, i int) error {
	if i < len(results) {
		return results[i]
	}
	return nil
}

// requireOutcomes compares the outcomes with the stored bookings.
func requireOutcomes(t *testing.T, outcomes []outcome, found map[uuid.UUID]bool, round int) {
	t.Helper()
	counts := map[string]int{}
	for _, e := range outcomes {
		switch {
		case e.err == nil:
			counts["done"]++
			require.True(t, found[e.id], "round %d: acknowledged but lost", round)
		case errors.Is(e.err, persistence.ErrUnknown):
			counts["unknown"]++
		default:
			counts["not done"]++
			require.False(t, found[e.id], "round %d: refused but stored: %v", round, e.err)
		}
	}
	t.Log(counts)
	require.Less(t, counts["done"], len(outcomes), "no sale failed")
}
