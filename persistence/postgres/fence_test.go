package postgres_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// TestAdoptionWaitsForTheSaleInFlight adopts another train in the same batch, which does not wait.
func TestAdoptionWaitsForTheSaleInFlight(t *testing.T) {
	t.Parallel()
	for name, others := range map[string][]int{"Alone": nil, "InABatch": {5}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireAdoptionWaits(t, others)
		})
	}
}

// requireAdoptionWaits sells two seats, and others in the same batch.
func requireAdoptionWaits(t *testing.T, others []int) {
	t.Helper()
	url := servers.Postgres(t)
	old, next := openWaiting(t, url), openAt(t, url)
	guard := adopt(t, old, booking.NewTrainID())
	other := connect(t, url)
	other.blockSeat(guard, 1)

	sales := []persistence.Sale{saleOf(guard, 1, 2)}
	for _, seat := range others {
		sales = append(sales, saleOf(guard, seat))
	}
	booked := inBackground(func() error {
		results, err := old.Book(t.Context(), sales)
		return errors.Join(append(results, err)...)
	})
	watch := connect(t, url)
	watch.awaitBlocked(1)
	idle := adopt(t, next, booking.NewTrainID())
	results, err := next.Adopt(t.Context(), []persistence.Adoption{
		{Guard: persistence.Guard{Train: guard.Train, Epoch: guard.Epoch + 1, Owner: uuid.New()}},
		{Guard: persistence.Guard{Train: idle.Train, Epoch: idle.Epoch + 1, Owner: uuid.New()}},
	})
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrLocked)
	require.NoError(t, results[1])
	other.do(`COMMIT`)
	_, err = persistencetest.Adopt(t.Context(), next, guard.Train, guard.Epoch, uuid.New())
	require.NoError(t, err)
	found, err := persistencetest.LoadTrain(t.Context(), next, guard.Train, nil)
	require.NoError(t, err)
	require.NoError(t, <-booked)
	require.Len(t, found.Bookings, len(sales), "the next owner loads them")
	require.ErrorIs(t, bookOne(t.Context(), old, saleOf(guard, 3)), persistence.ErrFenced)
}

func TestWriteDuringAnAdoptionIsLockedAndThenFenced(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(db *postgres.DB, guard persistence.Guard, sold uuid.UUID) error{
		"Book": func(db *postgres.DB, guard persistence.Guard, _ uuid.UUID) error {
			return bookOne(t.Context(), db, saleOf(guard, 2))
		},
		"CancelBooking": func(db *postgres.DB, guard persistence.Guard, sold uuid.UUID) error {
			return db.CancelBooking(t.Context(), guard, sold, now(), booking.ByPassenger)
		},
		"ExchangeBooking": func(db *postgres.DB, guard persistence.Guard, sold uuid.UUID) error {
			return db.ExchangeBooking(t.Context(), exchangeOf(booking.Booking{ID: sold, Train: guard.Train}, guard, 2))
		},
		"ChangeTrain": func(db *postgres.DB, guard persistence.Guard, _ uuid.UUID) error {
			return db.ChangeTrain(t.Context(), guard, booking.Train{ID: guard.Train, Name: "Changed"})
		},
		"DeleteTrain": func(db *postgres.DB, guard persistence.Guard, _ uuid.UUID) error {
			return db.DeleteTrain(t.Context(), guard, persistence.Deletion{At: now(), Force: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			db := openAt(t, url)
			guard := adopt(t, db, booking.NewTrainID())
			sale := saleOf(guard, 1)
			require.NoError(t, bookOne(t.Context(), db, sale))
			before, err := persistencetest.LoadTrain(t.Context(), db, guard.Train, nil)
			require.NoError(t, err)

			adopter := connect(t, url)
			adopter.do(`BEGIN`)
			adopter.do(`UPDATE trains SET epoch = epoch + 1, owner = $2 WHERE id = $1`, [16]byte(guard.Train), [16]byte(uuid.New()))
			require.ErrorIs(t, write(db, guard, sale.Booking.ID), persistence.ErrLocked)
			adopter.do(`COMMIT`)
			require.ErrorIs(t, write(db, guard, sale.Booking.ID), persistence.ErrFenced)
			after, err := persistencetest.LoadTrain(t.Context(), db, guard.Train, nil)
			require.NoError(t, err)
			require.Equal(t, before, after)
			require.Equal(t, []booking.Booking{sale.Booking}, after.Bookings)
			require.Equal(t, 1, adopter.count(`SELECT count(*) FROM seats WHERE legs <> 0`))
		})
	}
}

func TestSaleThatWaitedForAConflictingOneIsRefused(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openWaiting(t, url)
	guard := adopt(t, db, booking.NewTrainID())
	other := connect(t, url)
	other.blockSeat(guard, 2)
	conflicting := saleOf(guard, 1, 2)
	conflicting.Booking.Legs = booking.Segment(4, 6)
	valid := saleOf(guard, 3)
	var results []error
	booked := inBackground(func() (err error) {
		results, err = db.Book(t.Context(), []persistence.Sale{conflicting, valid})
		return err
	})
	connect(t, url).awaitBlocked(1)
	other.do(`COMMIT`)
	require.NoError(t, <-booked)
	require.ErrorIs(t, results[0], persistence.ErrConflict)
	require.NoError(t, results[1])
	require.Zero(t, other.count(`SELECT count(*) FROM seats WHERE seat_number = 1`), "nothing of the first is stored")
}

// TestDeadlockIsALockOfSomebodyElse causes a deadlock with a session that locks seat 2 before seat
// 1, unlike this package. Postgres fails the statement that detects the deadlock, which by these
// settings is the sale.
func TestDeadlockIsALockOfSomebodyElse(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openWaiting(t, url)
	guard := adopt(t, db, booking.NewTrainID())
	require.NoError(t, db.Exec(t.Context(), `SET deadlock_timeout = '2s'`))
	other := connect(t, url)
	other.do(`SET deadlock_timeout = '1min'`)
	other.blockSeat(guard, 2)
	sale := saleOf(guard, 1, 2)
	booked := inBackground(func() error { return bookOne(t.Context(), db, sale) })
	connect(t, url).awaitBlocked(1)
	other.sellSeat(guard, 1)
	other.do(`COMMIT`)
	err := <-booked
	require.ErrorIs(t, err, persistence.ErrLocked)
	require.ErrorContains(t, err, "40P01")
	require.NoError(t, bookOne(t.Context(), db, sale))
}

// TestPasswordChangeRevokesTheTokenOfAConcurrentRotation starts both concurrently.
func TestPasswordChangeRevokesTheTokenOfAConcurrentRotation(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	user, token := createUser(t, db)
	other := connect(t, url)
	other.do(`BEGIN`)
	other.do(`SELECT 1 FROM refresh_tokens WHERE id = $1 FOR UPDATE`, [16]byte(token.ID))
	next := token
	next.ID, next.IssuedAt = uuid.New(), now()
	rotated := inBackground(func() error { _, err := db.RotateRefreshToken(t.Context(), token.ID, next); return err })
	watch := connect(t, url)
	watch.awaitBlocked(1)
	changed := inBackground(func() error { return db.SetPassword(t.Context(), user.ID, user.PasswordHash, "new") })
	watch.awaitBlocked(2)
	other.do(`COMMIT`)
	require.NoError(t, <-rotated)
	require.NoError(t, <-changed)
	require.Zero(t, watch.count(`SELECT count(*) FROM refresh_tokens`))
}

// TestConcurrentRotationsOfTwoProcessesYieldOneSuccessor starts both concurrently.
func TestConcurrentRotationsOfTwoProcessesYieldOneSuccessor(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	processes := []*postgres.DB{openAt(t, url), openAt(t, url)}
	_, token := createUser(t, processes[0])
	other, watch := connect(t, url), connect(t, url)
	other.do(`BEGIN`)
	other.do(`SELECT 1 FROM refresh_tokens WHERE id = $1 FOR UPDATE`, [16]byte(token.ID))
	got := make([]booking.RefreshToken, len(processes))
	rotated := make([]<-chan error, len(processes))
	for i, db := range processes {
		next := token
		next.ID, next.IssuedAt = uuid.New(), now()
		rotated[i] = inBackground(func() (err error) {
			got[i], err = db.RotateRefreshToken(t.Context(), token.ID, next)
			return err
		})
		watch.awaitBlocked(i + 1)
	}
	other.do(`COMMIT`)
	for _, err := range rotated {
		require.NoError(t, <-err)
	}
	require.Equal(t, got[0].ID, got[1].ID)
	require.Equal(t, 2, watch.count(`SELECT count(*) FROM refresh_tokens`))
}
