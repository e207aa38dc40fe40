package postgres_test

import (
	"context"
	"errors"
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

func TestWriteIsUnknownWhenItsReplyIsLost(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]rune{
		"Whole": bindComplete, "FromTheResult": commandDone, "OnlyTheEnd": readyForQuery,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := servers.Postgres(t)
			proxy := newProxy(t, direct)
			db, next := proxy.open(t), openAt(t, direct)
			guard := adopt(t, db, booking.NewTrainID())
			require.NoError(t, bookOne(t.Context(), db, saleOf(guard, 1)), "prepares the statement")
			neverPing(t, db)

			proxy.cutBefore(message, 0)
			sale := saleOf(guard, 2)
			require.ErrorIs(t, bookOne(t.Context(), db, sale), persistence.ErrUnknown)
			_, err := persistencetest.Adopt(t.Context(), next, guard.Train, guard.Epoch, uuid.New())
			require.NoError(t, err)
			found, err := next.FindBooking(t.Context(), sale.Booking.ID)
			require.NoError(t, err, "an adoption makes the outcome final")
			require.Equal(t, sale.Booking, found)

			awaitSettled(t, db)
			neverPing(t, db)
			proxy.cutBefore(message, 0)
			train := booking.Train{ID: booking.NewTrainID()}
			require.ErrorIs(t, db.CreateTrain(t.Context(), train), persistence.ErrUnknown, "a statement without a result")
			require.Eventually(t, func() bool {
				return errors.Is(next.CreateTrain(t.Context(), train), persistence.ErrExists)
			}, 10*time.Second, time.Millisecond)
		})
	}
}

func TestReadIsNeverUnknown(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, servers.Postgres(t))
	db := proxy.open(t)
	guard := adopt(t, db, booking.NewTrainID())
	for range 2 { // not prepared yet, prepared
		awaitSettled(t, db)
		neverPing(t, db)
		proxy.cutBefore(readyForQuery, 0)
		_, err := persistencetest.LoadTrain(t.Context(), db, guard.Train, nil)
		require.Error(t, err)
		require.NotErrorIs(t, err, persistence.ErrUnknown)
		_, err = persistencetest.LoadTrain(t.Context(), db, guard.Train, nil)
		require.NoError(t, err, "on another connection")
	}
}

func TestWriteWithoutAConnectionIsNotUnknown(t *testing.T) {
	t.Parallel()
	direct := servers.Postgres(t)
	proxy := newProxy(t, direct)
	guard := adopt(t, openAt(t, direct), booking.NewTrainID())
	db := proxy.open(t)
	neverPing(t, db)
	proxy.close()
	for range postgres.SalesConns {
		proxy.cutBefore(readyForQuery, 0)
		require.ErrorIs(t, bookOne(t.Context(), db, saleOf(guard, 1)), persistence.ErrUnknown, "on the next connection")
	}
	err := bookOne(t.Context(), db, saleOf(guard, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, persistence.ErrUnknown)
}

// TestTransactionIsUnknownOnlyWhenItsCommitIs cuts the connection before each of the four replies:
// to BEGIN, to both statements, and to COMMIT.
func TestTransactionIsUnknownOnlyWhenItsCommitIs(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, servers.Postgres(t))
	db := proxy.open(t)
	user, _ := createUser(t, db)
	for after := range 4 {
		require.NoError(t, db.SetPassword(t.Context(), user.ID, user.PasswordHash, user.PasswordHash), "prepares the statements")
		proxy.cutBefore(readyForQuery, after)
		err := db.SetPassword(t.Context(), user.ID, user.PasswordHash, "new")
		require.Error(t, err)
		require.Equal(t, after == 3, errors.Is(err, persistence.ErrUnknown), "%d: %v", after, err)
		if after < 3 {
			got, err := db.FindUser(t.Context(), user.ID)
			require.NoError(t, err)
			require.Equal(t, user, got)
		}
	}
	require.Eventually(t, func() bool {
		got, err := db.FindUser(t.Context(), user.ID)
		return err == nil && got.PasswordHash == "new"
	}, 10*time.Second, time.Millisecond, "the server had received COMMIT")
}

func TestCancelledWriteIsUnknown(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openWaiting(t, url)
	guard := adopt(t, db, booking.NewTrainID())
	other := connect(t, url)
	other.blockSeat(guard, 1)
	ctx, cancel := context.WithCancel(t.Context())
	sale := saleOf(guard, 1)
	booked := inBackground(func() error { return bookOne(ctx, db, sale) })
	watch := connect(t, url)
	watch.awaitBlocked(1)
	cancel()
	err := <-booked
	require.ErrorIs(t, err, persistence.ErrUnknown)
	require.ErrorIs(t, err, context.Canceled)
	watch.awaitBlocked(0) // the driver asked the server to cancel it
	other.do(`COMMIT`)
	_, err = db.FindBooking(t.Context(), sale.Booking.ID)
	require.ErrorIs(t, err, persistence.ErrNotFound)
}
