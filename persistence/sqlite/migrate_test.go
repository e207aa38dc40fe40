package sqlite_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/sqlite"
)

func TestMigrateInstallsTheNewestVersion(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	current, newest, err := db.Version(t.Context())
	require.NoError(t, err)
	require.Zero(t, current)
	require.Positive(t, newest)
	require.NoError(t, db.Migrate(t.Context()))
	current, _, err = db.Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, newest, current)
}

func TestMigrateIsIdempotent(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	guard := adopt(t, db, booking.NewTrainID())
	require.NoError(t, db.Migrate(t.Context()))
	epoch, err := persistencetest.Epoch(t.Context(), db, guard.Train)
	require.NoError(t, err)
	require.Equal(t, guard.Epoch, epoch)
}

// TestHoldsOfTheVersionBeforeAreKept has holds that the version before wrote, before the migration and
// after it.
func TestHoldsOfTheVersionBeforeAreKept(t *testing.T) {
	t.Parallel()
	const before = 5
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.MigrateTo(t.Context(), before))
	id := booking.NewTrainID()
	require.NoError(t, db.Exec(t.Context(), `
		INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision)
		VALUES (?, 'Rajdhani', 20000, 1, 0, 0, '[{"station":"Delhi"},{"station":"Mumbai"}]', 0, 1)`, id[:]))
	guard := adoptStored(t, db, id)
	var writes []persistence.HoldWrite
	put := func(live, ended int) {
		t.Helper()
		hold := []persistence.HoldWrite{holdOf(guard, 1), holdOf(guard, 2), holdOf(guard, 3)}
		hold[1].Hold.Released = true
		hold[2].Hold.ExpiresAt = now().Add(-time.Minute)
		for _, w := range hold {
			require.NoError(t, db.Exec(t.Context(), `
				INSERT INTO holds (train_id, id, user_id, legs, seats, expires_at, released)
				VALUES (?, ?, ?, 3, json_array(?), ?, ?) ON CONFLICT (train_id, id) DO UPDATE SET released = excluded.released`,
				guard.Train[:], w.Hold.ID[:], w.Hold.User[:], w.Hold.Seats[0], w.Hold.ExpiresAt.UnixMicro(), w.Hold.Released))
		}
		writes = append(writes, hold...)
		require.NoError(t, db.Migrate(t.Context()))
		requireRows(t, db, "holds", live)
		requireRows(t, db, "ended_holds", ended)
		var want []booking.Hold
		for i, w := range writes {
			if i%3 == 0 {
				want = append(want, w.Hold)
			}
			holds, err := db.UserHolds(t.Context(), guard.Train, w.Hold.User, now())
			require.NoError(t, err)
			require.Equal(t, []booking.Hold{w.Hold}, holds)
		}
		held, err := persistencetest.LoadHolds(t.Context(), db, guard.Train, now())
		require.NoError(t, err)
		require.ElementsMatch(t, want, held)
	}
	put(1, 2)
	put(4, 2)
	for i := range writes {
		writes[i].Op = persistence.HoldDrop
	}
	results, err := db.WriteHolds(t.Context(), writes)
	require.NoError(t, err)
	require.Equal(t, make([]error, len(writes)), results)
	requireRows(t, db, "holds", 0)
	requireRows(t, db, "ended_holds", 0)
}

// TestBookingThatTheVersionBeforeCancelledHasOnlyItsOwnTrain has bookings as they were cancelled before
// cancelled bookings kept their trains: on a train that changes later, and on one that is deleted.
func TestBookingThatTheVersionBeforeCancelledHasOnlyItsOwnTrain(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	changed, deleted := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	at := now()
	for _, guard := range []persistence.Guard{changed, deleted} {
		require.NoError(t, db.Exec(t.Context(), `
			INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at, cancelled_at)
			VALUES (?, ?, ?, 1, '[1]', 1, 0, ?)`,
			guard.Train[:], guard.Train[:], guard.Owner[:], at.UnixMicro()))
	}
	require.NoError(t, db.Exec(t.Context(), `UPDATE trains SET deleted_at = ? WHERE id = ?`, at.UnixMicro(), deleted.Train[:]))
	trainOf := func(guard persistence.Guard) *booking.Train {
		t.Helper()
		page, err := db.TrainBookings(t.Context(), guard.Train, booking.PageRequest{Cancelled: true})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Empty(t, page.Items[0].CancelledBy)
		require.Equal(t, at, page.Items[0].CancelledAt)
		return page.Items[0].On
	}
	require.Equal(t, deleted.Train, trainOf(deleted).ID)
	to := *trainOf(changed)
	to.UpdatedAt = at.Add(time.Microsecond)
	require.NoError(t, db.ChangeTrain(t.Context(), changed, to))
	require.Nil(t, trainOf(changed), "its stations may be others")
}

// TestTrainsOfTheVersionBeforeFollowNoSchedule has trains as they were before there were schedules: one
// with a booking that was cancelled before it changed, and one with the id of a departure.
func TestTrainsOfTheVersionBeforeFollowNoSchedule(t *testing.T) {
	t.Parallel()
	const before = 12
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.MigrateTo(t.Context(), before))
	schedule := booking.Schedule{
		ID: booking.NewScheduleID(), Name: "Night", Calendar: booking.Calendar{From: 2000, Until: 2001}, CreatedAt: now(), UpdatedAt: now(),
	}
	ids := []booking.TrainID{booking.NewTrainID(), schedule.ID.Departure(2000)}
	for i, id := range ids {
		require.NoError(t, db.Exec(t.Context(), `
			INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision)
			VALUES (?, 'Rajdhani', 10, 1, 0, 0, '[{"station":"Delhi"},{"station":"Mumbai"}]', 0, ?)`, id[:], i+1))
	}
	require.NoError(t, db.Exec(t.Context(), `
		INSERT INTO former_trains (train_id, revision, name, capacity, on_sale, created_at, updated_at, stops)
		SELECT id, revision, 'Former', capacity, on_sale, created_at, updated_at, stops FROM trains WHERE revision = 1`))
	require.NoError(t, db.Exec(t.Context(), `
		INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at, cancelled_at, cancelled_by, train_revision)
		VALUES (?1, ?1, ?1, 1, '[1]', 1, 0, 1, 'passenger', 1)`, ids[0][:]))
	require.NoError(t, db.Exec(t.Context(), `UPDATE catalogue SET revision = 2`))
	require.NoError(t, db.Migrate(t.Context()))

	booked, err := db.FindBookedTrain(t.Context(), uuid.UUID(ids[0]))
	require.NoError(t, err)
	require.Equal(t, "Former", booked.On.Name)
	require.Zero(t, booked.On.Follows)
	guard := adoptStored(t, db, ids[1])
	loaded, err := persistencetest.LoadTrain(t.Context(), db, ids[1], nil)
	require.NoError(t, err)
	require.Zero(t, loaded.Train.Follows)
	require.ErrorIs(t, db.CreateSchedule(t.Context(), schedule), persistence.ErrConflict)
	require.NoError(t, db.DeleteTrain(t.Context(), guard, persistence.Deletion{At: now()}))
	require.NoError(t, db.CreateSchedule(t.Context(), schedule))
	stored, err := db.FindSchedule(t.Context(), schedule.ID)
	require.NoError(t, err)
	require.Equal(t, persistence.StoredSchedule{Schedule: schedule, Revision: 4, Defined: 4}, stored)
}

// TestOpenMigrateAndCloseAreSafeConcurrently includes the moments in which SQLite does not wait:
// the first connection creates the WAL, and the last one removes it.
func TestOpenMigrateAndCloseAreSafeConcurrently(t *testing.T) {
	t.Parallel()
	for range 5 {
		const n = 6
		dir, failed := t.TempDir(), make(chan error)
		for range n {
			go func() {
				db, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
				if err == nil {
					err = errors.Join(db.Migrate(t.Context()), db.Ping(t.Context()), db.Close())
				}
				failed <- err
			}()
		}
		for range n {
			require.NoError(t, <-failed)
		}
	}
}
