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
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// TestKilledServerLosesNothingAcknowledged kills Postgres with SIGKILL amid batches,
// twice, and goes on over the same DB. What was refused is not there.
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
		ends := bookUntil(t, db, guards, func() { server.Kill(t) })
		server.Start(t)
		for _, guard := range guards {
			require.Eventually(t, func() bool {
				_, err := db.Adopt(t.Context(), guard.Train, guard.Epoch, uuid.New())
				return err == nil
			}, 15*time.Second, 10*time.Millisecond, "broken connections are replaced one by one")
		}
		require.Eventually(t, func() bool { return db.Ping(t.Context()) == nil }, 15*time.Second, 10*time.Millisecond)
		found := map[uuid.UUID]bool{}
		for _, guard := range guards {
			page, err := db.TrainBookings(t.Context(), guard.Train, booking.PageRequest{})
			require.NoError(t, err)
			for _, b := range page.Items {
				found[b.ID] = true
			}
		}
		requireEnds(t, ends, found, round)
		requireSeatsMatchBookings(t, db, guards)
	}
}

// end is what was told of a sale.
type end struct {
	id  uuid.UUID
	err error
}

// bookUntil sells the seats of each train in batches, until kill has been called, which
// is amid them, and a batch failed. It returns what was told of every sale.
func bookUntil(t *testing.T, db *postgres.DB, guards []persistence.Guard, kill func()) (ends []end) {
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
					ends = append(ends, end{sale.Booking.ID, errors.Join(err, at(results, i))})
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
	return ends
}

func at(results []error, i int) error {
	if i < len(results) {
		return results[i]
	}
	return nil
}

// requireEnds compares what was told with what is there.
func requireEnds(t *testing.T, ends []end, found map[uuid.UUID]bool, round int) {
	t.Helper()
	told := map[string]int{}
	for _, e := range ends {
		switch {
		case e.err == nil:
			told["done"]++
			require.True(t, found[e.id], "round %d: acknowledged and lost", round)
		case errors.Is(e.err, persistence.ErrUnknown):
			told["unknown"]++
		default:
			told["not done"]++
			require.False(t, found[e.id], "round %d: refused and there: %v", round, e.err)
		}
	}
	t.Log(told)
	require.Less(t, told["done"], len(ends), "the kill came amid the sales")
}

// requireSeatsMatchBookings fails unless exactly the seats of live bookings are sold.
func requireSeatsMatchBookings(t *testing.T, db *postgres.DB, guards []persistence.Guard) {
	t.Helper()
	for _, guard := range guards {
		page, err := db.TrainBookings(t.Context(), guard.Train, booking.PageRequest{})
		require.NoError(t, err)
		seats, err := db.BookedSeats(t.Context(), []booking.TrainID{guard.Train}, []booking.Legs{booking.Segment(0, 2)})
		require.NoError(t, err)
		require.Equal(t, len(page.Items), seats[0])
	}
}
