package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// dayOne is the first date of schedules in these tests.
const dayOne booking.Date = 20_000

func newSchedule() booking.Schedule {
	return booking.Schedule{
		ID: booking.NewScheduleID(), Name: "Night", Capacity: booking.MaxCapacity, OnSale: true, TimeZone: "Europe/Berlin",
		Calendar: booking.Calendar{Days: booking.EveryDay, From: dayOne, Until: dayOne + 1000},
		Stops: []booking.StopTime{
			{Station: "Berlin", Departs: booking.LocalTimeOf(22 * time.Hour)},
			{Station: "Praha"},
			{Station: "Wien", Arrives: booking.LocalTimeOf(30 * time.Hour)},
		},
		CreatedAt: now(), UpdatedAt: now(),
	}
}

func createSchedule(tb testing.TB, db *postgres.DB) persistence.StoredSchedule {
	tb.Helper()
	schedule := newSchedule()
	require.NoError(tb, db.CreateSchedule(tb.Context(), schedule))
	stored, err := db.FindSchedule(tb.Context(), schedule.ID)
	require.NoError(tb, err)
	return stored
}

func departureOf(schedule persistence.StoredSchedule, date booking.Date) persistence.Adoption {
	train := schedule.Train(date)
	train.Follows = schedule.Defined
	return persistence.Adoption{
		Guard:     persistence.Guard{Train: train.ID, Epoch: 1, Owner: uuid.New()},
		Departure: &persistence.Departure{Train: train, Revision: schedule.Revision, Restored: now()},
	}
}

// TestAdoptionDoesNotWaitForAChangeOfItsSchedule has a schedule and a deleted departure that somebody else
// has locked, and others of the same batch.
func TestAdoptionDoesNotWaitForAChangeOfItsSchedule(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	locked, other := createSchedule(t, db), createSchedule(t, db)
	deleted := departureOf(other, dayOne)
	results, err := db.Adopt(t.Context(), []persistence.Adoption{deleted})
	require.NoError(t, errors.Join(append(results, err)...))
	require.NoError(t, db.DeleteTrain(t.Context(), deleted.Guard, persistence.Deletion{At: now()}))
	deleted.Epoch++
	session := connect(t, url)
	session.do(`BEGIN`)
	session.do(`UPDATE schedules SET revision = revision + 1000 WHERE id = $1`, [16]byte(locked.ID))
	session.do(`SELECT 1 FROM trains WHERE id = $1 FOR SHARE`, [16]byte(deleted.Train))
	activations := []persistence.Adoption{departureOf(locked, dayOne), departureOf(other, dayOne+1), deleted, departureOf(locked, dayOne+1)}
	adopt := func(want ...error) {
		t.Helper()
		results, err := db.Adopt(t.Context(), activations)
		require.NoError(t, err)
		for i := range want {
			require.ErrorIs(t, results[i], want[i])
		}
	}
	adopt(persistence.ErrLocked, nil, persistence.ErrLocked, persistence.ErrLocked)
	session.do(`COMMIT`)
	adopt(persistence.ErrStale, persistence.ErrFenced, nil, persistence.ErrStale)
}

// TestDepartureIsCreatedOnce stops two adoptions at the row of the catalogue, when neither sees the other.
func TestDepartureIsCreatedOnce(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	schedule := createSchedule(t, db)
	session, watch := connect(t, url), connect(t, url)
	session.do(`BEGIN`)
	session.do(`SELECT 1 FROM catalogue FOR UPDATE`)
	adoptions := [2]persistence.Adoption{departureOf(schedule, dayOne), departureOf(schedule, dayOne)}
	var adopted [2]<-chan error
	for i, adoption := range adoptions {
		adopted[i] = inBackground(func() error {
			results, err := db.Adopt(t.Context(), []persistence.Adoption{adoption})
			return errors.Join(append(results, err)...)
		})
		watch.awaitBlocked(i + 1)
	}
	session.do(`COMMIT`)
	require.NoError(t, <-adopted[0])
	require.ErrorIs(t, <-adopted[1], persistence.ErrLocked)
	results, err := db.Adopt(t.Context(), adoptions[1:])
	require.NoError(t, err)
	require.ErrorIs(t, results[0], persistence.ErrFenced)
	require.NoError(t, bookOne(t.Context(), db, saleOf(adoptions[0].Guard, 1)))
}

// TestChangeOfAScheduleWaitsForAdoptionsInFlight stops an adoption when it has locked the schedule, at the
// row of the catalogue.
func TestChangeOfAScheduleWaitsForAdoptionsInFlight(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	schedule := createSchedule(t, db)
	session, watch := connect(t, url), connect(t, url)
	session.do(`BEGIN`)
	session.do(`SELECT 1 FROM catalogue FOR UPDATE`)
	adoption := departureOf(schedule, dayOne)
	adopted := inBackground(func() error {
		results, err := db.Adopt(t.Context(), []persistence.Adoption{adoption})
		return errors.Join(append(results, err)...)
	})
	watch.awaitBlocked(1)
	_, err := watch.conn.Exec(t.Context(), `SELECT 1 FROM schedules FOR NO KEY UPDATE NOWAIT`)
	require.ErrorContains(t, err, "55P03", "it is locked")
	changed := inBackground(func() error { return db.ChangeSchedule(t.Context(), schedule.Revision, schedule.Schedule) })
	watch.awaitBlocked(2)
	session.do(`COMMIT`)
	require.NoError(t, <-adopted)
	require.NoError(t, <-changed)
	stored, err := db.FindSchedule(t.Context(), schedule.ID)
	require.NoError(t, err)
	require.Equal(t, schedule.Revision+2, stored.Revision, "it was changed after the departure was created")
}

// TestScheduleIsLockedBeforeTheCatalogue stops writes of departures at the row of their schedule, when they
// must not have that of the catalogue: a change of the schedule needs both.
func TestScheduleIsLockedBeforeTheCatalogue(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*postgres.DB, persistence.Guard, booking.Train) error{
		"DeleteTrain": func(db *postgres.DB, guard persistence.Guard, _ booking.Train) error {
			return db.DeleteTrain(t.Context(), guard, persistence.Deletion{At: now(), Cancels: true})
		},
		"CreateTrain": func(db *postgres.DB, _ persistence.Guard, train booking.Train) error {
			return db.CreateTrain(t.Context(), train)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			db := openAt(t, url)
			schedule := createSchedule(t, db)
			adoption := departureOf(schedule, dayOne)
			results, err := db.Adopt(t.Context(), []persistence.Adoption{adoption})
			require.NoError(t, errors.Join(append(results, err)...))
			session, watch := connect(t, url), connect(t, url)
			session.do(`BEGIN`)
			session.do(`SELECT 1 FROM schedules FOR UPDATE`)
			written := inBackground(func() (err error) {
				for err = persistence.ErrLocked; errors.Is(err, persistence.ErrLocked); {
					err = write(db, adoption.Guard, departureOf(schedule, dayOne+1).Departure.Train)
				}
				return err
			})
			watch.awaitBlocked(1)
			session.do(`SELECT 1 FROM catalogue FOR UPDATE NOWAIT`)
			session.do(`COMMIT`)
			require.NoError(t, <-written)
		})
	}
}

// TestTrainAndScheduleAreNotCreatedWithOneID stops both at the row of the catalogue, when neither sees the
// other.
func TestTrainAndScheduleAreNotCreatedWithOneID(t *testing.T) {
	t.Parallel()
	for _, trainFirst := range []bool{true, false} {
		url := servers.Postgres(t)
		db := openAt(t, url)
		session, watch := connect(t, url), connect(t, url)
		schedule := newSchedule()
		train := schedule.Train(dayOne)
		session.do(`BEGIN`)
		session.do(`SELECT 1 FROM catalogue FOR UPDATE`)
		creations := []func() error{
			func() error { return db.CreateSchedule(t.Context(), schedule) },
			func() error { return db.CreateTrain(t.Context(), train) },
		}
		want := persistence.ErrStale
		if trainFirst {
			creations[0], creations[1] = creations[1], creations[0]
			want = persistence.ErrConflict
		}
		first := inBackground(creations[0])
		watch.awaitBlocked(1)
		second := inBackground(creations[1])
		watch.awaitBlocked(2)
		session.do(`COMMIT`)
		require.NoError(t, <-first)
		require.ErrorIs(t, <-second, want)
		require.Equal(t, 1, watch.count(`SELECT revision FROM catalogue`))
	}
}

// TestSalesContinueWhileTrainsGetAColumn migrates from the version before schedules, while others read the
// trains for longer than lock_timeout. That version runs beside this one for a while.
func TestSalesContinueWhileTrainsGetAColumn(t *testing.T) {
	t.Parallel()
	const before = 10
	url := servers.EmptyPostgres(t)
	db := openAt(t, url)
	require.NoError(t, db.MigrateTo(t.Context(), before))
	old, lock, watch := connect(t, url), connect(t, url), connect(t, url)
	schedule := newSchedule()
	create := func(id booking.TrainID) {
		old.do(`WITH next AS (UPDATE catalogue SET revision = revision + 1 RETURNING revision)
			INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision)
			SELECT $1, 'Rajdhani', 10, true, now(), now(), '[{"station":"Delhi"},{"station":"Mumbai"}]', 'infinity', revision
			FROM next`, [16]byte(id))
	}
	ids := []booking.TrainID{booking.NewTrainID(), schedule.ID.Departure(dayOne)}
	create(ids[0])
	guard := adoptStored(t, db, ids[0])
	sale := saleOf(guard, 1)
	require.NoError(t, bookOne(t.Context(), db, sale))
	old.do(`INSERT INTO former_trains (train_id, revision, name, capacity, on_sale, created_at, updated_at, stops)
		SELECT id, revision, 'Former', capacity, on_sale, created_at, updated_at, stops FROM trains`)
	old.do(`UPDATE bookings SET cancelled_at = now(), cancelled_by = 'admin', train_revision = 1`)
	lock.do(`BEGIN`)
	lock.do(`LOCK TABLE trains IN ACCESS SHARE MODE`)
	migrated := inBackground(func() error { return db.Migrate(t.Context()) })
	watch.awaitMigration("DO ", postgres.LockTimeout)
	again := saleOf(guard, 2)
	require.Eventually(t, func() bool { return bookOne(t.Context(), db, again) == nil }, time.Second, time.Millisecond,
		"within the time in which a sale is repeated")
	lock.do(`COMMIT`)
	require.NoError(t, <-migrated)

	booked, err := db.FindBookedTrain(t.Context(), sale.Booking.ID)
	require.NoError(t, err)
	require.Equal(t, "Former", booked.On.Name)
	require.Zero(t, booked.On.Follows)
	create(ids[1])
	found, err := db.FindTrains(t.Context(), ids)
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0}, []int64{found[0].Follows, found[1].Follows})
	require.ErrorIs(t, db.CreateSchedule(t.Context(), schedule), persistence.ErrConflict)
	require.NoError(t, db.DeleteTrain(t.Context(), adoptStored(t, db, ids[1]), persistence.Deletion{At: now()}))
	require.NoError(t, db.CreateSchedule(t.Context(), schedule))
}

// TestSchedulesReadOnlyTheirDepartures checks the plans with many other trains and bookings.
func TestSchedulesReadOnlyTheirDepartures(t *testing.T) {
	t.Parallel()
	for name, c := range planCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			db := openReader(t, url)
			awaitSettled(t, db)
			schedule, date := createSchedule(t, db), dayOne
			use := func() {
				date += 3
				activations := []persistence.Adoption{departureOf(schedule, date), departureOf(schedule, date+1)}
				results, err := db.Adopt(t.Context(), activations)
				require.NoError(t, errors.Join(append(results, err)...))
				guard := activations[0].Guard
				require.NoError(t, bookOne(t.Context(), db, saleOf(guard, 1)))
				booked, err := db.BookedDepartures(t.Context(), []booking.ScheduleID{schedule.ID, booking.NewScheduleID()}, now())
				require.NoError(t, err)
				require.Equal(t, []int{int(date-dayOne) / 3, 0}, booked)
				refuse := persistence.ScheduleDeletion{At: now()}
				require.ErrorIs(t, db.DeleteSchedule(t.Context(), schedule.Revision, schedule.ID, refuse), persistence.ErrConflict)
				require.NoError(t, db.CreateSchedule(t.Context(), newSchedule()))
				listed, err := db.ListSchedules(t.Context(), now(), booking.ScheduleID{}, 10)
				require.NoError(t, err)
				require.NotEmpty(t, listed)
				changed, err := db.ChangedSchedules(t.Context(), schedule.Revision, 10)
				require.NoError(t, err)
				require.NotEmpty(t, changed)
				_, err = db.FormerSchedule(t.Context(), schedule.ID, schedule.Defined)
				require.NoError(t, err)
			}
			rows := connect(t, url)
			rows.do(`ALTER TABLE trains SET (autovacuum_enabled = off)`) // it would analyze the table
			rows.do(`ALTER TABLE bookings SET (autovacuum_enabled = off)`)
			if c.early {
				use()
			}
			rows.do(`INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision)
				SELECT gen_random_uuid(), '', 1, true, now(), now(), '[]', now() + i * interval '1 h', -i FROM generate_series(1, 5000) i`)
			rows.do(`INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at)
				SELECT gen_random_uuid(), id, id, 1, '{1}', 1, now() FROM trains WHERE revision < 0`)
			if c.analyze {
				rows.do(`ANALYZE trains, bookings`)
			}
			use()
			created, err := db.PlansOfAdoptions(t.Context())
			require.NoError(t, err)
			others, err := db.PlansOfReads(t.Context())
			require.NoError(t, err)
			requireDeparturePlans(t, created, `Index Cond: \(id = ANY`, 1)
			requireDeparturePlans(t, others, `trains_pkey.*\s+Index Cond: \(\(id > .*\) AND \(id <= `, 3)
			for text, plan := range others {
				require.NotContains(t, plan, "Seq Scan on schedules", text)
				require.NotContains(t, plan, "Seq Scan on former_schedules", text)
			}
		})
	}
}

// requireDeparturePlans checks the plans of the statements that find trains and schedules.
func requireDeparturePlans(t *testing.T, plans map[string]string, want string, statements int) {
	t.Helper()
	for text, plan := range plans {
		if strings.Contains(text, "FROM trains") && !strings.Contains(text, "FOR SHARE NOWAIT") {
			statements--
			require.Regexp(t, want, plan, text)
			require.NotRegexp(t, "Seq Scan on (trains|bookings|schedules)", plan, text)
			require.NotContains(t, plan, "trains_by_retirement", text)
			if strings.Contains(text, "FROM bookings") {
				require.Regexp(t, `bookings_of_train on bookings.*\s+Index Cond: \(train_id = t.id\)`, plan, text)
			}
		}
	}
	require.Zero(t, statements)
}
