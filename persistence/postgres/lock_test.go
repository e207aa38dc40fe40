package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
)

func TestSalesOfOtherTrainsDoNotWaitForALockedTrain(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	locked, other := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	session := connect(t, url)
	session.do(`BEGIN`)
	session.do(`SELECT 1 FROM trains WHERE id = $1 FOR UPDATE`, [16]byte(locked.Train))
	missing := persistence.Guard{Train: booking.NewTrainID()}
	sales := []persistence.Sale{saleOf(locked, 1), saleOf(other, 1), saleOf(missing, 1), saleOf(locked, 2), saleOf(other, 2)}

	results, err := db.Book(t.Context(), sales)
	require.NoError(t, err, "the session ends only after it")
	for i, want := range []error{persistence.ErrLocked, nil, persistence.ErrNotFound, persistence.ErrLocked, nil} {
		require.ErrorIs(t, results[i], want)
	}
	session.do(`COMMIT`)
	results, err = db.Book(t.Context(), sales)
	require.NoError(t, err)
	for i, want := range []error{nil, nil, persistence.ErrNotFound, nil, nil} {
		require.ErrorIs(t, results[i], want)
	}
}

// Postgres cannot skip the row of a seat in an upsert.
func TestBatchWithALockedSeatIsGivenUp(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	locked, other := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	sales := []persistence.Sale{saleOf(locked, 1), saleOf(other, 1)}
	session := connect(t, url)
	session.blockSeat(locked, 1)
	_, err := db.Book(t.Context(), sales)
	require.ErrorIs(t, err, persistence.ErrLocked)
	require.NotErrorIs(t, err, persistence.ErrUnknown)
	require.NoError(t, bookOne(t.Context(), db, sales[1]), "the other train by itself")
	require.ErrorIs(t, bookOne(t.Context(), db, sales[0]), persistence.ErrLocked)
	session.do(`ROLLBACK`)
	require.NoError(t, bookOne(t.Context(), db, sales[0]))
}

// TestChangesOfOtherTrainsDoNotWaitForALockedTrain repeats more cancellations of a locked train at a
// time than there are connections for them.
func TestChangesOfOtherTrainsDoNotWaitForALockedTrain(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	locked, other := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	sold := [2]persistence.Sale{saleOf(locked, 1), saleOf(other, 1)}
	for _, sale := range sold {
		require.NoError(t, bookOne(t.Context(), db, sale))
	}
	session := connect(t, url)
	session.do(`BEGIN`)
	session.do(`SELECT 1 FROM trains WHERE id = $1 FOR UPDATE`, [16]byte(locked.Train))
	stop, stopped := make(chan struct{}), make(chan error)
	const cancellations = 10
	for range cancellations {
		go func() {
			for {
				select {
				case <-stop:
					stopped <- nil
					return
				default:
				}
				if err := db.CancelBooking(t.Context(), locked, sold[0].Booking.ID, now(), booking.ByPassenger); !errors.Is(err, persistence.ErrLocked) {
					stopped <- err
					return
				}
			}
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // less than lock_timeout for all else
	defer cancel()
	require.NoError(t, db.CancelBooking(ctx, other, sold[1].Booking.ID, now(), booking.ByPassenger))
	require.NoError(t, db.ChangeTrain(ctx, other, booking.Train{ID: other.Train, Name: "Changed"}))
	require.NoError(t, db.DeleteTrain(ctx, other, persistence.Deletion{At: now(), Force: true}))
	close(stop)
	for range cancellations {
		require.NoError(t, <-stopped)
	}
	session.do(`COMMIT`)
	require.NoError(t, db.CancelBooking(t.Context(), locked, sold[0].Booking.ID, now(), booking.ByPassenger))
}
