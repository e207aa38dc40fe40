package postgres_test

import (
	"regexp"
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

// TestLoadDoesNotReadWhatUsersCancelled counts the rows that are read. The plans are those made for
// an empty table, which a session keeps, and those made later without and with statistics.
func TestLoadDoesNotReadWhatUsersCancelled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ early, analyze bool }{
		"PlannedForAnEmptyTable": {early: true}, "WithoutStatistics": {}, "WithStatistics": {analyze: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			reader := openAt(t, url)
			awaitSettled(t, reader) // so that every load uses the same connection
			guard, user := adopt(t, reader, booking.NewTrainID()), uuid.New()
			requireBookings := func(live, latest int) {
				loaded, err := reader.LoadTrain(t.Context(), guard.Train, []uuid.UUID{uuid.New()})
				require.NoError(t, err)
				require.Len(t, loaded.Bookings, live)
				cancelled, err := reader.CancelledBookings(t.Context(), guard.Train, user)
				require.NoError(t, err)
				require.Len(t, cancelled, latest)
			}
			rows := connect(t, url)
			rows.do(`ALTER TABLE bookings SET (autovacuum_enabled = off)`) // it would analyze the table
			if c.early {
				requireBookings(0, 0)
			}
			rows.addBookings(guard, user, 20_000, true)
			rows.addBookings(guard, user, 1, false)
			if c.analyze {
				rows.do(`ANALYZE bookings`)
			}
			requireBookings(1, persistence.MaxHistory)
			requireIndexes(t, reader)
			require.NoError(t, reader.Close()) // its session then reports what it has read

			want := 1 + persistence.MaxHistory
			require.Eventually(t, func() bool { return rows.rowsRead() >= want }, 10*time.Second, 5*time.Millisecond)
			require.Equal(t, want, rows.rowsRead())
		})
	}
}

// requireIndexes checks the indexes by which the connection that was used last finds bookings.
func requireIndexes(t *testing.T, db *postgres.DB) {
	t.Helper()
	plans, err := db.Plans(t.Context())
	require.NoError(t, err)
	var found []string
	for text, plan := range plans {
		if strings.Contains(text, "FROM bookings") {
			require.NotContains(t, plan, "Sort", "%s\n%s", text, plan)
			found = append(found, regexp.MustCompile(`bookings_\w+`).FindString(plan))
		}
	}
	require.ElementsMatch(t, []string{"bookings_of_train", "bookings_pkey", "bookings_cancelled_of_user"}, found)
}

// addBookings adds bookings, of which the last are cancelled first.
func (s *session) addBookings(guard persistence.Guard, user uuid.UUID, n int, cancelled bool) {
	s.Helper()
	s.do(`INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at, cancelled_at)
		SELECT gen_random_uuid(), $1, $2, 1, '{1}', 1, now(), CASE WHEN $4 THEN now() - i * interval '1 ms' END
		FROM generate_series(1, $3) i`,
		[16]byte(guard.Train), [16]byte(user), n, cancelled)
}

// rowsRead returns the number of bookings that were read by sessions that have reported it.
func (s *session) rowsRead() int {
	s.Helper()
	return s.count(`
		SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::int FROM pg_stat_user_tables WHERE relname = 'bookings'`)
}
