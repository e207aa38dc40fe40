package persistence_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/sqlite"
)

// source is a SQLite store with data.
type source struct {
	*sqlite.DB
	t       *testing.T
	user    booking.User
	train   persistence.Guard // with a booking on seats 1 and 2 and a cancelled one
	deleted booking.TrainID   // deleted, with its bookings
	booked  booking.Booking
	reply   booking.Reply
}

// openSource returns a store with a user.
func openSource(t *testing.T) *source {
	t.Helper()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	s := &source{DB: db, t: t}
	s.user = s.addUser("Asha")
	return s
}

func newSource(t *testing.T) *source {
	t.Helper()
	s := openSource(t)
	s.change(s.addSchedule())
	s.train = s.addTrain()
	s.booked = s.book(s.train, 1, 2)
	require.NoError(t, s.CancelBooking(t.Context(), s.train, s.book(s.train, 7).ID, micro(), booking.ByPassenger))
	deleted := s.addTrain()
	s.book(deleted, 1)
	require.NoError(t, s.DeleteTrain(t.Context(), deleted, persistence.Deletion{At: micro(), Force: true}))
	s.deleted = deleted.Train
	s.reply = booking.Reply{Status: 201, Body: []byte("{}")}
	replied := s.reserve("key\xff")
	require.NoError(t, s.ReleaseKey(t.Context(), s.user.ID, "key\xff", replied, &s.reply))
	s.reserve("in flight")
	return s
}

// reserve reserves a key for a request with the hash 0.
func (s *source) reserve(key string) (attempt uuid.UUID) {
	s.t.Helper()
	wanted := booking.Reservation{ID: uuid.New(), Until: micro().Add(time.Minute), ExpiresAt: micro().Add(time.Hour)}
	reserved, err := s.ReserveKey(s.t.Context(), s.user.ID, key, wanted, micro())
	require.NoError(s.t, err)
	require.Equal(s.t, wanted, reserved)
	return wanted.ID
}

func micro() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (s *source) addUser(name string) booking.User {
	s.t.Helper()
	user := booking.User{
		ID: uuid.New(), Username: name, Email: name + "@example.org", PasswordHash: "h", IsAdmin: true, CreatedAt: micro(),
	}
	require.NoError(s.t, s.CreateUser(s.t.Context(), user))
	return user
}

// addTrain adds a train and adopts it twice.
func (s *source) addTrain() persistence.Guard {
	s.t.Helper()
	train := booking.Train{
		ID: booking.NewTrainID(), Name: "Rājdhānī", Capacity: 10, OnSale: true, CreatedAt: micro(), UpdatedAt: micro(),
		SalesOpenAt: micro(), Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Jaipur"}, {Station: "Mumbai"}},
	}
	require.NoError(s.t, s.CreateTrain(s.t.Context(), train))
	guard := persistence.Guard{Train: train.ID, Owner: uuid.New()}
	for range 2 {
		var err error
		guard.Epoch, err = persistencetest.Adopt(s.t.Context(), s, train.ID, guard.Epoch, guard.Owner)
		require.NoError(s.t, err)
	}
	return guard
}

func (s *source) book(guard persistence.Guard, seats ...int) booking.Booking {
	s.t.Helper()
	b := booking.Booking{
		ID: uuid.New(), Train: guard.Train, User: s.user.ID, Legs: booking.Segment(0, 1), Seats: seats, BookedAt: micro(),
	}
	results, err := s.Book(s.t.Context(), []persistence.Sale{{Guard: guard, Booking: b}})
	require.NoError(s.t, errors.Join(append(results, err)...))
	return b
}

func newTarget(t *testing.T) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), servers.Postgres(t), postgres.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// copyTo copies everything and compares the numbers of rows.
func (s *source) copyTo(to *postgres.DB) persistence.Counts {
	s.t.Helper()
	now := time.Now()
	read, err := s.Export(s.t.Context(), now, func(rows persistence.Rows) error { return to.Import(s.t.Context(), rows) })
	require.NoError(s.t, err)
	written, err := to.Count(s.t.Context(), now)
	require.NoError(s.t, err)
	require.Equal(s.t, read, written)
	return written
}

func TestCopyHasEverything(t *testing.T) {
	t.Parallel()
	from, to, ctx := newSource(t), newTarget(t), t.Context()
	require.Equal(t, persistence.Counts{
		persistence.TableUsers: 1, persistence.TableSchedules: 1, persistence.TableFormerSchedules: 1,
		persistence.TableTrains: 2, persistence.TableFormerTrains: 2, persistence.TableSeats: 3,
		persistence.TableBookings: 3, persistence.TableReplies: 2,
	}, from.copyTo(to))

	user, err := to.FindUserByName(ctx, "asha")
	require.NoError(t, err)
	require.Equal(t, from.user, user)
	train, err := persistencetest.LoadTrain(ctx, from, from.train.Train, nil)
	require.NoError(t, err)
	require.Len(t, train.Bookings, 1)
	copied, err := persistencetest.LoadTrain(ctx, to, from.train.Train, nil)
	require.NoError(t, err)
	require.Equal(t, train, copied)
	cancelled, err := from.CancelledBookings(ctx, from.train.Train, from.user.ID)
	require.NoError(t, err)
	require.Len(t, cancelled, 1)
	copiedBookings, err := to.CancelledBookings(ctx, from.train.Train, from.user.ID)
	require.NoError(t, err)
	require.Equal(t, cancelled, copiedBookings)
	requireSameBookings(t, from, to)
	replied, err := to.ReserveKey(ctx, from.user.ID, "key\xff", booking.Reservation{ID: uuid.New()}, micro())
	require.NoError(t, err)
	require.Equal(t, &from.reply, replied.Reply)
	wanted := booking.Reservation{ID: uuid.New(), Until: micro()}
	repeated, err := to.ReserveKey(ctx, from.user.ID, "in flight", wanted, micro())
	require.NoError(t, err)
	require.Equal(t, wanted.ID, repeated.ID, "the service that executed it has stopped")
	require.False(t, repeated.ExpiresAt.IsZero())
	_, err = persistencetest.Epoch(ctx, to, from.deleted)
	require.ErrorIs(t, err, persistence.ErrNotFound, "a deleted train stays deleted")
}

// requireSameBookings compares the cancelled bookings, with who cancelled them and their trains.
func requireSameBookings(t *testing.T, from *source, to *postgres.DB) {
	t.Helper()
	request := booking.PageRequest{Cancelled: true}
	bookings, err := from.UserBookings(t.Context(), from.user.ID, request)
	require.NoError(t, err)
	copied, err := to.UserBookings(t.Context(), from.user.ID, request)
	require.NoError(t, err)
	require.Equal(t, bookings, copied)
}

// The only train has the first revision in both stores, but a booking was cancelled before it was renamed
// in the source, and another one is cancelled in the target.
func TestCopiedCancelledBookingKeepsItsTrain(t *testing.T) {
	t.Parallel()
	from, to, ctx := openSource(t), newTarget(t), t.Context()
	guard := from.addTrain()
	first, second := from.book(guard, 1), from.book(guard, 2)
	require.NoError(t, from.CancelBooking(ctx, guard, first.ID, micro(), booking.ByPassenger))
	former, err := from.FindBookedTrain(ctx, first.ID)
	require.NoError(t, err)
	renamed := *former.On
	renamed.Name = "Renamed"
	require.NoError(t, from.ChangeTrain(ctx, guard, renamed))
	from.copyTo(to)
	from.copyTo(to)
	guard.Epoch, err = persistencetest.Adopt(ctx, to, guard.Train, guard.Epoch, guard.Owner)
	require.NoError(t, err)
	require.NoError(t, to.CancelBooking(ctx, guard, second.ID, micro(), booking.ByAdmin))
	copied, err := to.FindBookedTrain(ctx, first.ID)
	require.NoError(t, err)
	require.Equal(t, former, copied)
	later, err := to.FindBookedTrain(ctx, second.ID)
	require.NoError(t, err)
	require.Equal(t, "Renamed", later.On.Name)
}

func TestCopiedTrainKeepsItsEpochAndSeats(t *testing.T) {
	t.Parallel()
	from, to, ctx := newSource(t), newTarget(t), t.Context()
	from.copyTo(to)
	served, err := to.Served(ctx)
	require.NoError(t, err)
	require.False(t, served)
	epoch, err := persistencetest.Epoch(ctx, to, from.train.Train)
	require.NoError(t, err)
	require.Equal(t, from.train.Epoch, epoch)
	guard := persistence.Guard{Train: from.train.Train, Owner: uuid.New()}
	guard.Epoch, err = persistencetest.Adopt(ctx, to, from.train.Train, epoch, guard.Owner)
	require.NoError(t, err)
	again := from.booked
	again.ID = uuid.New()
	results, err := to.Book(ctx, []persistence.Sale{
		{Guard: from.train, Booking: again}, {Guard: guard, Booking: again}, {Guard: guard, Booking: from.booked},
	})
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrFenced, "the previous owner")
	require.ErrorIs(t, results[1], persistence.ErrConflict, "the seats are sold")
	require.NoError(t, results[2], "the same booking again")
	served, err = to.Served(ctx)
	require.NoError(t, err)
	require.True(t, served)
}

func TestInterruptedCopyIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	from, to := newSource(t), newTarget(t)
	for batches := range len(persistence.Tables) {
		ctx, cancel := context.WithCancel(t.Context())
		remaining := batches
		_, err := from.Export(ctx, time.Now(), func(rows persistence.Rows) error {
			if remaining--; remaining < 0 {
				cancel()
			}
			return to.Import(ctx, rows)
		})
		cancel()
		require.ErrorIs(t, err, context.Canceled)
	}
	first := from.copyTo(to)
	require.Equal(t, first, from.copyTo(to), "a second time")
}

func TestSecondCopyUpdatesTheTarget(t *testing.T) {
	t.Parallel()
	from, to, ctx := newSource(t), newTarget(t), t.Context()
	from.copyTo(to)
	require.NoError(t, from.SetPassword(ctx, from.user.ID, "h", "new"))
	require.NoError(t, from.CancelBooking(ctx, from.train, from.booked.ID, micro(), booking.ByPassenger))
	var err error
	from.train.Epoch, err = persistencetest.Adopt(ctx, from, from.train.Train, from.train.Epoch, from.train.Owner)
	require.NoError(t, err)
	require.NoError(t, from.DeleteTrain(ctx, from.train, persistence.Deletion{At: micro(), Force: true}))
	counts := from.copyTo(to)
	require.Zero(t, counts[persistence.TableSeats])
	user, err := to.FindUser(ctx, from.user.ID)
	require.NoError(t, err)
	require.Equal(t, "new", user.PasswordHash)
	b, err := to.FindBooking(ctx, from.booked.ID)
	require.NoError(t, err)
	require.False(t, b.CancelledAt.IsZero())
	requireSameBookings(t, from, to)
}

func TestDisabledAndDeletedUsersAreCopied(t *testing.T) {
	t.Parallel()
	from, to, ctx := newSource(t), newTarget(t), t.Context()
	disabled, deleted, other := from.addUser("Ravi"), from.addUser("Meera"), from.addUser("Tara")
	from.copyTo(to)
	disabled, err := from.SetDisabled(ctx, disabled.ID, true)
	require.NoError(t, err)
	require.NoError(t, from.DeleteUser(ctx, deleted.ID, micro()))
	require.NoError(t, from.DeleteUser(ctx, other.ID, micro()))
	again := deleted
	again.ID = uuid.UUID{} // the row with the name comes before the one that had it
	require.NoError(t, from.CreateUser(ctx, again))
	from.copyTo(to)
	deleted, err = from.FindUser(ctx, deleted.ID)
	require.NoError(t, err)
	for _, want := range []booking.User{disabled, deleted, again} {
		got, err := to.FindUser(ctx, want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestLargeTableIsCopiedInBatches(t *testing.T) {
	t.Parallel()
	from, to := newSource(t), newTarget(t)
	const n = 2500
	sales := make([]persistence.Sale, n)
	guard := from.addTrain()
	for i := range sales {
		sales[i] = persistence.Sale{Guard: guard, Booking: booking.Booking{
			ID: uuid.New(), Train: guard.Train, User: from.user.ID, Legs: booking.Segment(0, 1), Seats: []int{i + 1}, BookedAt: micro(),
		}}
	}
	results, err := from.Book(t.Context(), sales)
	require.NoError(t, errors.Join(append(results, err)...))
	counts := from.copyTo(to)
	require.EqualValues(t, n+3, counts[persistence.TableBookings])
	require.EqualValues(t, n+3, counts[persistence.TableSeats])
}

func TestRowsThatTheSourceDoesNotHaveAreFound(t *testing.T) {
	t.Parallel()
	from, to, ctx := newSource(t), newTarget(t), t.Context()
	from.copyTo(to)
	ours := func(table persistence.Table) bool {
		all := true
		require.NoError(t, to.EachID(ctx, table, func(ids []uuid.UUID) error {
			has, err := from.HasAll(ctx, table, ids)
			all = all && has
			return err
		}))
		return all
	}
	for _, table := range []persistence.Table{
		persistence.TableUsers, persistence.TableSchedules, persistence.TableTrains, persistence.TableBookings,
	} {
		require.True(t, ours(table))
	}
	require.NoError(t, to.CreateSchedule(ctx, booking.Schedule{ID: booking.NewScheduleID()}))
	require.False(t, ours(persistence.TableSchedules))
	require.NoError(t, to.CreateUser(ctx, booking.User{ID: uuid.New(), Username: "ravi", Email: "r@example.org"}))
	require.False(t, ours(persistence.TableUsers))
	require.NoError(t, to.CreateTrain(ctx, booking.Train{ID: booking.NewTrainID()}))
	require.False(t, ours(persistence.TableTrains))
}
