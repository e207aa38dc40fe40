package postgres_test

import (
	"context"
	"net/url"
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

// requestTimeout is how long a request may take (API.md).
const requestTimeout = 5 * time.Second

// requireSale takes the steps of a request that activates a train, and of one that sells a seat.
func requireSale(t *testing.T, db *postgres.DB, train booking.TrainID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	epoch, err := persistencetest.Epoch(ctx, db, train)
	require.NoError(t, err)
	guard := persistence.Guard{Train: train, Owner: uuid.New()}
	guard.Epoch, err = persistencetest.Adopt(ctx, db, train, epoch, guard.Owner)
	require.NoError(t, err)
	_, err = persistencetest.LoadTrain(ctx, db, train, nil)
	require.NoError(t, err)

	ctx, cancel = context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	require.NoError(t, bookOne(ctx, db, saleOf(guard, 1)))
}

func TestActivationSucceedsWithinARequestAfterTheFirstHostBecameSilent(t *testing.T) {
	t.Parallel()
	direct := servers.Postgres(t)
	first, second := newProxy(t, direct), newProxy(t, direct)
	both, err := url.Parse(first.url)
	require.NoError(t, err)
	other, err := url.Parse(second.url)
	require.NoError(t, err)
	both.Host += "," + other.Host
	db := openAt(t, both.String())
	awaitSettled(t, db)
	train := adopt(t, db, booking.NewTrainID()).Train
	db.SetLastUse(t.Context(), time.Time{})
	first.silence()
	requireSale(t, db, train)
}

func TestSilentServerIsNoticedSoonAndAgainUsedWhenItAnswers(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, servers.Postgres(t))
	db := proxy.open(t)
	guard := adopt(t, db, booking.NewTrainID())
	db.SetLastUse(t.Context(), time.Time{})
	proxy.silence()

	ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	for name, call := range map[string]func(context.Context) error{
		"Epoch": func(ctx context.Context) error { _, err := persistencetest.Epoch(ctx, db, guard.Train); return err },
		"Book":  func(ctx context.Context) error { return bookOne(ctx, db, saleOf(guard, 1)) },
	} {
		err := call(ctx)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, persistence.ErrUnknown, "%s was not sent", name)
	}
	require.NoError(t, ctx.Err(), "both within one request")

	proxy.recover()
	requireSale(t, db, guard.Train)
}

// The connections are as good as used a moment ago.
func TestStepOfAnActivationThatGetsNoAnswerLeavesTimeForAnother(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, servers.Postgres(t))
	db := proxy.open(t)
	guard := adopt(t, db, booking.NewTrainID())
	neverPing(t, db)
	proxy.silence()
	ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	_, err := persistencetest.Epoch(ctx, db, guard.Train)
	require.Error(t, err)
	require.NoError(t, ctx.Err())
	proxy.recover()
	requireSale(t, db, guard.Train)
}
