package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// TestAdoptionSucceedsWhileThePoolIsExhausted lets the only other connection wait for the lock
// of a seat.
func TestAdoptionSucceedsWhileThePoolIsExhausted(t *testing.T) {
	t.Parallel()
	url := servers.Postgres(t)
	options := quiet
	options.Conns = 1
	db, err := postgres.Open(t.Context(), url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	slow, other := adopt(t, db, booking.NewTrainID()), adopt(t, db, booking.NewTrainID())
	blocker := connect(t, url)
	blocker.blockSeat(slow, 1)
	booked := inBackground(func() error { return bookOne(t.Context(), db, saleOf(slow, 1)) })
	connect(t, url).awaitBlocked(1)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = bookOne(ctx, db, saleOf(other, 1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, persistence.ErrUnknown, "there was no connection to send it")
	epoch, err := db.Epoch(t.Context(), other.Train)
	require.NoError(t, err)
	_, err = db.Adopt(t.Context(), other.Train, epoch, uuid.New())
	require.NoError(t, err)
	blocker.do(`ROLLBACK`)
	require.NoError(t, <-booked)
}

func TestEverySessionHasItsSettings(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	for _, reserved := range []bool{true, false} {
		for name, want := range map[string]string{
			"transaction_isolation":               "read committed",
			"lock_timeout":                        "3s",
			"statement_timeout":                   "5s",
			"idle_in_transaction_session_timeout": "2s",
			"application_name":                    "trainbooking",
			"plan_cache_mode":                     "force_generic_plan",
		} {
			got, err := db.Setting(t.Context(), name, reserved)
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
		"postgres://%zz": "parse",
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
	_, err := db.ListTrains(t.Context())
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
