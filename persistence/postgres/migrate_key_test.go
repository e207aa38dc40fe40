package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

// The versions of the tables before and after the train came into the key of bookings.
const beforeKey, withKey = 3, 4

// migrateToBeforeKey also adds a train as the version before did, and adopts it.
func migrateToBeforeKey(t *testing.T, db *postgres.DB) persistence.Guard {
	t.Helper()
	require.NoError(t, db.MigrateTo(t.Context(), beforeKey))
	require.NoError(t, db.Exec(t.Context(), `
		WITH next AS (UPDATE catalogue SET revision = revision + 1 RETURNING revision)
		INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision)
		SELECT '10d37399-0a4b-4b26-9e0c-6d1f09de0000', 'Rajdhani', 20000, true, now(), now(), '[]', 'infinity', revision FROM next`))
	id, err := booking.ParseTrainID("10d37399-0a4b-4b26-9e0c-6d1f09de0000")
	require.NoError(t, err)
	return adoptStored(t, db, id)
}

// TestSalesContinueWhileTheKeyOfBookingsIsReplaced migrates while others read the bookings for
// longer than lock_timeout.
func TestSalesContinueWhileTheKeyOfBookingsIsReplaced(t *testing.T) {
	t.Parallel()
	url := servers.EmptyPostgres(t)
	db := openAt(t, url)
	guard := migrateToBeforeKey(t, db)
	first := saleOf(guard, 1)
	require.NoError(t, bookOne(t.Context(), db, first))
	old, dump, lock, watch := connect(t, url), connect(t, url), connect(t, url), connect(t, url)
	dump.do(`BEGIN ISOLATION LEVEL REPEATABLE READ`)
	require.Equal(t, 1, dump.count(`SELECT count(*) FROM bookings`))
	lock.do(`BEGIN`)
	lock.do(`LOCK TABLE bookings IN ACCESS SHARE MODE`)

	migrated := inBackground(func() error { return db.Migrate(t.Context()) })
	watch.awaitMigration("CREATE UNIQUE INDEX CONCURRENTLY", postgres.LockTimeout)
	require.NoError(t, bookOne(t.Context(), db, saleOf(guard, 2)))
	old.bookByID(guard)
	dump.do(`COMMIT`)
	watch.awaitMigration("DO ", postgres.LockTimeout)
	third := saleOf(guard, 3)
	require.Eventually(t, func() bool { return bookOne(t.Context(), db, third) == nil }, time.Second, time.Millisecond,
		"within the time in which a sale is repeated")
	old.bookByID(guard)
	lock.do(`COMMIT`)
	require.NoError(t, <-migrated)

	watch.requireKey()
	old.bookByID(guard)
	require.NoError(t, bookOne(t.Context(), db, first), "again")
	require.Equal(t, 6, watch.count(`SELECT count(*) FROM bookings`))
}

func TestInterruptedMigrationIsRepeated(t *testing.T) {
	t.Parallel()
	url := servers.EmptyPostgres(t)
	db := openAt(t, url)
	guard := migrateToBeforeKey(t, db)
	require.NoError(t, bookOne(t.Context(), db, saleOf(guard, 1)))
	dump, watch := connect(t, url), connect(t, url)
	dump.do(`BEGIN ISOLATION LEVEL REPEATABLE READ`)
	require.Equal(t, 1, dump.count(`SELECT count(*) FROM bookings`))
	ctx, interrupt := context.WithCancel(t.Context())
	migrated := inBackground(func() error { return db.Migrate(ctx) })
	watch.awaitMigration("CREATE UNIQUE INDEX CONCURRENTLY", 0)
	interrupt()
	require.ErrorIs(t, <-migrated, context.Canceled)
	require.Equal(t, 1, watch.count(invalidIndexes))
	dump.do(`COMMIT`)
	require.NoError(t, db.MigrateTo(t.Context(), withKey))
	watch.requireKey()
	watch.do(`DELETE FROM goose_db_version WHERE version_id = $1`, withKey)
	require.NoError(t, db.Migrate(t.Context()), "it was executed, but not recorded")
	watch.requireKey()
}

const invalidIndexes = `SELECT count(*) FROM pg_index WHERE indrelid = 'bookings'::regclass AND NOT indisvalid`

// requireKey checks the keys of bookings.
func (s *session) requireKey() {
	s.Helper()
	require.Equal(s, 1, s.count(`SELECT count(*) FROM pg_constraint
		WHERE conname = 'bookings_pkey' AND pg_get_constraintdef(oid) = 'PRIMARY KEY (train_id, id)'`))
	require.Equal(s, 2, s.count(`SELECT count(*) FROM pg_index WHERE indrelid = 'bookings'::regclass AND indisunique`))
	require.Zero(s, s.count(invalidIndexes))
}

// awaitMigration waits until a statement of a migration that begins with prefix has waited for
// longer than limit.
func (s *session) awaitMigration(prefix string, limit time.Duration) {
	s.Helper()
	require.Eventually(s, func() bool {
		return s.count(`SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE $1 || '%' AND state = 'active'
				AND wait_event_type IN ('Lock', 'Timeout') AND clock_timestamp() - query_start > $2::interval`, prefix, limit) == 1
	}, 20*time.Second, 5*time.Millisecond, prefix)
}

// bookByID books as the version before did.
func (s *session) bookByID(guard persistence.Guard) {
	s.Helper()
	s.do(`INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at)
		VALUES ($1, $2, $1, 1, '{}', 1, now()) ON CONFLICT (id) DO NOTHING`, [16]byte(uuid.New()), [16]byte(guard.Train))
}
