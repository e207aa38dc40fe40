package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// TestAdoptionSucceedsWhileThePoolIsExhausted lets every connection for sales wait for the lock of a
// seat.
func TestAdoptionSucceedsWhileThePoolIsExhausted(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openWaiting(t, url)
	slow, other := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	blocker := connect(t, url)
	blocker.do(`BEGIN`)
	var booked [postgres.SalesConns]<-chan error
	for i := range booked {
		blocker.sellSeat(slow, i+1)
		booked[i] = inBackground(func() error { return bookOne(t.Context(), db, saleOf(slow, i+1)) })
	}
	connect(t, url).awaitBlocked(len(booked))

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := bookOne(ctx, db, saleOf(other, 1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, persistence.ErrUnknown, "there was no connection to send it")
	epoch, err := persistencetest.Epoch(t.Context(), db, other.Train)
	require.NoError(t, err)
	_, err = persistencetest.Adopt(t.Context(), db, other.Train, epoch, uuid.New())
	require.NoError(t, err)
	_, err = persistencetest.LoadTrain(t.Context(), db, other.Train, nil)
	require.NoError(t, err)
	blocker.do(`ROLLBACK`)
	for _, done := range booked {
		require.NoError(t, <-done)
	}
}

// TestReadersDelayNeitherSalesNorAdoptions lets as many readers as there are connections for them
// wait for the lock of a table, for 3 s each (lock_timeout), again and again.
func TestReadersDelayNeitherSalesNorAdoptions(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	db := openAt(t, url)
	guard, next := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	sale := saleOf(guard, 1)
	reserved := booking.Reservation{ID: uuid.New(), Until: now().Add(time.Minute), ExpiresAt: now().Add(time.Hour)}
	lock := connect(t, url)
	lock.do(`BEGIN`)
	lock.do(`LOCK TABLE users`)
	reading, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range postgres.DefaultConns {
		readers.Go(func() {
			for reading.Err() == nil {
				_, _ = db.FindUser(reading, uuid.New())
			}
		})
	}
	defer readers.Wait()
	defer stop()
	connect(t, url).awaitBlocked(postgres.DefaultConns)

	within := func(limit time.Duration, call func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		return call(ctx)
	}
	page, trains := booking.PageRequest{Limit: 1}, []booking.TrainID{guard.Train}
	for name, read := range map[string]func(context.Context) error{
		"ListTrains": func(ctx context.Context) error {
			_, err := db.ListTrains(ctx, booking.Cursor{}, persistence.LastPosition)
			return err
		},
		"SeatLegs":      func(ctx context.Context) error { _, err := db.SeatLegs(ctx, trains); return err },
		"TrainBookings": func(ctx context.Context) error { _, err := db.TrainBookings(ctx, guard.Train, page); return err },
		"UserBookings":  func(ctx context.Context) error { _, err := db.UserBookings(ctx, uuid.New(), page); return err },
	} {
		require.ErrorIs(t, within(20*time.Millisecond, read), context.DeadlineExceeded, "%s has no other connection", name)
	}
	for _, step := range []struct {
		name string
		call func(context.Context) error
	}{
		{"Book", func(ctx context.Context) error { return bookOne(ctx, db, sale) }},
		{"FindBooking", func(ctx context.Context) error { _, err := db.FindBooking(ctx, sale.Booking.ID); return err }},
		{"CancelBooking", func(ctx context.Context) error {
			return db.CancelBooking(ctx, guard, sale.Booking.ID, now(), booking.ByPassenger)
		}},
		{"CancelledBookings", func(ctx context.Context) error {
			_, err := db.CancelledBookings(ctx, guard.Train, sale.Booking.User)
			return err
		}},
		{"Epochs", func(ctx context.Context) error { _, err := persistencetest.Epoch(ctx, db, guard.Train); return err }},
		{"Adopt", func(ctx context.Context) error {
			_, err := persistencetest.Adopt(ctx, db, next.Train, next.Epoch, uuid.New())
			return err
		}},
		{"LoadTrains", func(ctx context.Context) error {
			_, err := persistencetest.LoadTrain(ctx, db, guard.Train, nil)
			return err
		}},
		{"ChangeTrain", func(ctx context.Context) error {
			return db.ChangeTrain(ctx, guard, booking.Train{ID: guard.Train, Name: "Changed"})
		}},
		{"DeleteTrain", func(ctx context.Context) error {
			return db.DeleteTrain(ctx, guard, persistence.Deletion{At: now(), Force: true})
		}},
		{"ReserveKey", func(ctx context.Context) error {
			_, err := db.ReserveKey(ctx, reserved.ID, "k", reserved, now())
			return err
		}},
		{"ReleaseKey", func(ctx context.Context) error {
			return db.ReleaseKey(ctx, reserved.ID, "k", reserved.ID, &booking.Reply{Status: 201})
		}},
		{"Ping", db.Ping},
	} {
		require.NoError(t, within(2*time.Second, step.call), step.name)
	}
}

func TestEverySessionHasItsSettings(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	for pool, timeouts := range map[string][2]string{
		"sales": {"100ms", "2s"}, "changes": {"100ms", "5s"}, "adoptions": {"2500ms", "5s"}, "": {"3s", "5s"},
	} {
		for name, want := range map[string]string{
			"transaction_isolation":               "read committed",
			"lock_timeout":                        timeouts[0],
			"statement_timeout":                   timeouts[1],
			"idle_in_transaction_session_timeout": "2s",
			"application_name":                    "trainbooking",
			"plan_cache_mode":                     "force_generic_plan",
		} {
			got, err := db.Setting(t.Context(), name, pool)
			require.NoError(t, err)
			require.Equal(t, want, got, name)
		}
	}
}

func TestUnsuitableServerIsRefused(t *testing.T) {
	t.Parallel()
	require.NoError(t, postgres.CheckServer(140_000, "3s"))
	require.EqualError(t, postgres.CheckServer(130_014, "3s"), "the server is PostgreSQL 13, but version 14 or newer is needed")
	require.ErrorContains(t, postgres.CheckServer(170_002, "0"), "ALTER ROLE")
}

// TestSettingsThatCanLoseDataAreWarnedAbout connects to the server as a standby.
func TestSettingsThatCanLoseDataAreWarnedAbout(t *testing.T) {
	t.Parallel()
	server := servers.StartPostgres(t)
	warnings := func() string {
		var out bytes.Buffer
		db, err := postgres.Open(t.Context(), server.Address, postgres.Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
		require.NoError(t, err)
		require.NoError(t, db.Close())
		return out.String()
	}
	require.Empty(t, warnings())
	config, err := pgx.ParseConfig(server.Address)
	require.NoError(t, err)
	config.RuntimeParams["replication"] = "true"
	standby, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, standby.Close(context.WithoutCancel(t.Context()))) })
	require.Contains(t, warnings(), "synchronous_standby_names is empty")
	require.Len(t, postgres.Warnings("off", "off"), 2)
	require.Empty(t, postgres.Warnings("remote_apply", "on"))
}

func TestReadOnlyServerIsRefused(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	session := connect(t, url)
	var database string
	require.NoError(t, session.conn.QueryRow(t.Context(), `SELECT current_database()`).Scan(&database))
	session.do(`ALTER DATABASE ` + database + ` SET default_transaction_read_only = on`)
	_, err := postgres.Open(t.Context(), url, quiet)
	require.ErrorContains(t, err, "read only")
}

func TestConnectionToAServerThatBecameAStandbyIsDropped(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	guard := adopt(t, db, booking.NewTrainID())
	awaitSettled(t, db)
	require.NoError(t, db.Exec(t.Context(), `SET default_transaction_read_only = on`))
	sale := saleOf(guard, 1)
	err := bookOne(t.Context(), db, sale)
	require.ErrorContains(t, err, "25006")
	require.NotErrorIs(t, err, persistence.ErrUnknown)
	require.NoError(t, bookOne(t.Context(), db, sale))
}

func TestUnusableURLIsAnErrorOfOpen(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://%zz": "percent-encoded",
		"postgres://127.0.0.1:1/x?sslmode=disable": "refused",
	} {
		_, err := postgres.Open(t.Context(), url, quiet)
		require.ErrorContains(t, err, want)
	}
}

func TestClosedDatabaseReturnsErrors(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	require.NoError(t, db.Close())
	require.NoError(t, db.Close(), "a second time")
	_, err := db.ListTrains(t.Context(), booking.Cursor{}, persistence.LastPosition)
	require.ErrorContains(t, err, "closed")
	err = db.Ping(t.Context())
	require.ErrorContains(t, err, "closed")
	require.NotErrorIs(t, err, persistence.ErrUnknown)
}

func TestOpenDistinguishesWrongSettingsFromAServerThatIsDown(t *testing.T) {
	t.Parallel()
	right := servers.Postgres(t)
	wrongUser, err := url.Parse(right)
	require.NoError(t, err)
	wrongUser.User = url.UserPassword("nobody", "hunter2")
	wrongDatabase, err := url.Parse(right)
	require.NoError(t, err)
	wrongDatabase.Path = "/nothing"
	for address, wrong := range map[string]bool{
		"postgres://u:hunter2@host:port/x":         true,
		wrongUser.String():                         true,
		wrongDatabase.String():                     true,
		"postgres://127.0.0.1:1/x?sslmode=disable": false,
	} {
		_, err := postgres.Open(t.Context(), address, quiet)
		require.Error(t, err)
		require.Equal(t, wrong, errors.Is(err, postgres.ErrSettings), "%v", err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
