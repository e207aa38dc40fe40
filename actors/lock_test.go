package actors_test

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
)

// TestForeignLockRefusesOnlySalesOfItsTrain locks a train, or a seat of it, in a session of psql. Until
// other trains of every partition have sold, sales of it are refused.
func TestForeignLockRefusesOnlySalesOfItsTrain(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]string{
		"Train":      "SELECT 1 FROM trains WHERE id = '%s' FOR UPDATE",
		"Seat":       "SELECT 1 FROM seats WHERE train_id = '%s' FOR UPDATE",
		"SeatOnSale": "INSERT INTO seats VALUES ('%s', 2, 0)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			s := clusterOn(t, url)
			locked := addTrain(t, s, 100)
			// The second holds a seat of which the first has sold another leg, so that its row exists.
			booked := requireSold(t, s, booking.HoldRequest{Train: locked, User: uuid.New(), Seats: []int{1}, From: "A", To: "B"})
			h, err := s.Hold(t.Context(), booking.HoldRequest{Train: locked, User: uuid.New(), Seats: []int{1, 2}, From: "B", To: "C"})
			require.NoError(t, err)
			rollback := servers.Begin(t, url, fmt.Sprintf(lock, locked))
			var attempts atomic.Int64
			enough, refused := make(chan struct{}), make(chan error, 1)
			go func() {
				for {
					_, err := s.Confirm(t.Context(), refTo(h))
					attempts.Add(1)
					select {
					case <-enough:
						refused <- err
						return
					default:
						assert.Equal(t, booking.CodeUnavailable, booking.CodeOf(err), "%v", err)
					}
				}
			}()
			others := make([]booking.TrainID, 4*postgres.SaleWriters)
			for i := range others {
				others[i] = addTrain(t, s, 1000)
			}
			for sold := 0; sold < len(others) || attempts.Load() < 3; sold++ {
				requireSold(t, s, seat(others[sold%len(others)], uuid.New(), 1+sold/len(others)))
			}
			close(enough)
			requireNotExecuted(t, <-refused)
			if name == "Train" {
				requireNotExecuted(t, s.CancelBooking(t.Context(), booked.User, booked.ID))
			}
			rollback()
			_, err = s.Confirm(t.Context(), refTo(h))
			require.NoError(t, err, "the lock is gone")
			require.NoError(t, s.CancelBooking(t.Context(), booked.User, booked.ID))
		})
	}
}

func requireNotExecuted(t *testing.T, err error) {
	t.Helper()
	failed, ok := errors.AsType[*booking.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, booking.CodeUnavailable, failed.Code, "%v", err)
	require.Equal(t, booking.OutcomeNotExecuted, failed.Outcome, "%v", err)
}

// requireSold holds and confirms seats.
func requireSold(t *testing.T, s *actors.System, request booking.HoldRequest) booking.Booking {
	t.Helper()
	h, err := s.Hold(t.Context(), request)
	require.NoError(t, err)
	b, err := s.Confirm(t.Context(), refTo(h))
	require.NoError(t, err)
	return b
}

// clusterOn starts a cluster of one on the database at a URL.
func clusterOn(t *testing.T, url string) *actors.System {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	shared, err := redis.Open(t.Context(), "redis://"+servers.Redis(t), redis.Options{Address: clusterAddress, Timeout: testTimeout / 6})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shared.Close()) })
	return startWith(t, newClusterOfOne(db, shared, shared, rules))
}
