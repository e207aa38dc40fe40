package postgres_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
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

// planCases are the plans made for an empty table, which a session keeps, and those made later
// without and with statistics.
var planCases = map[string]struct{ early, analyze bool }{
	"PlannedForAnEmptyTable": {early: true}, "WithoutStatistics": {}, "WithStatistics": {analyze: true},
}

// TestLoadDoesNotReadWhatUsersCancelled counts the rows that are read.
func TestLoadDoesNotReadWhatUsersCancelled(t *testing.T) {
	t.Parallel()
	for name, c := range planCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			reader := openAt(t, url)
			awaitSettled(t, reader) // so that every load uses the same connection
			guard, user := adopt(t, reader, booking.NewTrainID()), uuid.New()
			requireBookings := func(live, latest int) {
				loaded, err := persistencetest.LoadTrain(t.Context(), reader, guard.Train, []uuid.UUID{uuid.New()})
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
			requireIndexes(t, reader.PlansOfAdoptions, "bookings_of_train", "bookings_by_id", "bookings_cancelled_of_user")
			rows.requireRead(reader, "bookings", 1+persistence.MaxHistory)
		})
	}
}

// TestTrainsAreLoadedByTheirIDs counts the rows that are read to find the epochs of a few of many
// trains, to adopt and to load them.
func TestTrainsAreLoadedByTheirIDs(t *testing.T) {
	t.Parallel()
	for name, c := range planCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			reader := openAt(t, url)
			awaitSettled(t, reader) // so that every call uses the same connection
			few := make([]persistence.Adoption, 3)
			for i := range few {
				few[i].Guard = adopt(t, reader, booking.NewTrainID())
			}
			load := func() {
				ids := make([]booking.TrainID, len(few))
				for i := range few {
					few[i].Epoch++
					ids[i] = few[i].Train
				}
				_, err := reader.Epochs(t.Context(), ids)
				require.NoError(t, err)
				results, err := reader.Adopt(t.Context(), few)
				require.NoError(t, err)
				require.Equal(t, make([]error, len(few)), results)
				loaded, err := reader.LoadTrains(t.Context(), ids, nil)
				require.NoError(t, err)
				require.NoError(t, loaded[0].Err)
			}
			rows := connect(t, url)
			rows.do(`ALTER TABLE trains SET (autovacuum_enabled = off)`) // it would analyze the table
			if c.early {
				load()
			}
			rows.do(`INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision)
				SELECT gen_random_uuid(), name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision * 10000 + i
				FROM trains, generate_series(1, 5000) i`)
			if c.analyze {
				rows.do(`ANALYZE trains`)
			}
			load()
			plans, err := reader.PlansOfAdoptions(t.Context())
			require.NoError(t, err)
			found := 0
			for text, plan := range plans {
				if strings.Contains(text, "trains") && strings.Contains(text, "ANY") {
					found++
					require.NotContains(t, plan, "Seq Scan", "%s\n%s", text, plan)
					require.NotContains(t, plan, "trains_by_retirement", "%s\n%s", text, plan)
					require.Regexp(t, `Index Cond: \(id = ANY`, plan, text)
				}
			}
			require.Equal(t, 3, found)
		})
	}
}

// TestBookingsReadOnlyTheirPage counts the rows that are read to find one of many bookings in one state
// among as many in the other, and pages of them in all directions.
func TestBookingsReadOnlyTheirPage(t *testing.T) {
	t.Parallel()
	const limit = 100
	for name, c := range planCases {
		for _, cancelled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/cancelled=%t", name, cancelled), func(t *testing.T) {
				t.Parallel()
				requirePageRead(t, c.early, c.analyze, booking.PageRequest{Limit: limit, Cancelled: cancelled})
			})
		}
	}
}

func requirePageRead(t *testing.T, early, analyze bool, first booking.PageRequest) {
	t.Helper()
	url := servers.Postgres(t)
	reader := openReader(t, url)
	guard, user := adopt(t, reader, booking.NewTrainID()), uuid.New()
	ofTrain := func(page booking.PageRequest) (booking.Page[booking.BookedTrain], error) {
		return reader.TrainBookings(t.Context(), guard.Train, page)
	}
	ofUser := func(page booking.PageRequest) (booking.Page[booking.BookedTrain], error) {
		return reader.UserBookings(t.Context(), user, page)
	}
	newestOfUser := func(page booking.PageRequest) (booking.Page[booking.BookedTrain], error) {
		page.NewestFirst = true
		return ofUser(page)
	}
	read := func() {
		none, err := reader.FindBookings(t.Context(), []uuid.UUID{uuid.New(), uuid.New()})
		require.NoError(t, err)
		require.Empty(t, none)
		for _, list := range []func(booking.PageRequest) (booking.Page[booking.BookedTrain], error){ofTrain, ofUser, newestOfUser} {
			request := first
			for range 2 {
				page, err := list(request)
				require.NoError(t, err)
				request.After = page.Next
				for _, b := range page.Items[:min(1, len(page.Items))] {
					found, err := reader.FindBookedTrain(t.Context(), b.ID)
					require.NoError(t, err)
					require.Equal(t, b, found)
					some, err := reader.FindBookings(t.Context(), []uuid.UUID{uuid.New(), b.ID})
					require.NoError(t, err)
					require.Equal(t, []booking.Booking{b.Booking}, some)
				}
			}
		}
	}
	rows := connect(t, url)
	rows.do(`ALTER TABLE bookings SET (autovacuum_enabled = off)`) // it would analyze the table
	if early {
		read()
	}
	rows.addBookings(guard, user, 20_000, false)
	rows.addBookings(guard, user, 20_000, true)
	rows.do(`UPDATE bookings SET booked_at = booked_at + random() * interval '1 hour'`)
	rows.do(`SELECT pg_stat_force_next_flush()`)
	before := rows.rowsRead("bookings")
	if analyze {
		rows.do(`ANALYZE bookings`)
	}
	read()
	ofUserIndex, ofTrainIndex := "bookings_of_user", "bookings_of_train"
	if first.Cancelled {
		ofUserIndex, ofTrainIndex = ofUserIndex+"_cancelled", ofTrainIndex+"_cancelled"
	}
	requireIndexes(t, reader.PlansOfReads, ofUserIndex, ofUserIndex, ofTrainIndex, "bookings_by_id", "bookings_by_id")
	const pages, oneBooking = 6, 2
	rows.requireRead(reader, "bookings", before+pages*(first.Limit+1+oneBooking))
}

// TestCatalogueReadsOnlyCurrentTrains counts the rows that are read at a start and at refreshes.
func TestCatalogueReadsOnlyCurrentTrains(t *testing.T) {
	t.Parallel()
	const retired, current, refreshes = 5000, 30, 20
	for name, c := range planCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			reader := openReader(t, url)
			read := func() (trains int) {
				const limit = 10
				after := booking.Cursor{At: now()}
				for after != persistence.LastPosition {
					end, err := reader.PageEnd(t.Context(), after, limit)
					require.NoError(t, err)
					page, err := reader.ListTrains(t.Context(), after, end)
					require.NoError(t, err)
					trains, after = trains+len(page), end
				}
				last, err := reader.Revision(t.Context())
				require.NoError(t, err)
				for range refreshes {
					changed, err := reader.ChangedTrains(t.Context(), last, limit)
					require.NoError(t, err)
					require.Empty(t, changed)
				}
				return trains
			}
			rows := connect(t, url)
			rows.do(`ALTER TABLE trains SET (autovacuum_enabled = off)`) // it would analyze the table
			if c.early {
				require.Zero(t, read())
			}
			rows.do(`
				INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, revision, retires_at)
				SELECT gen_random_uuid(), '', 1, true, now(), now(), '[]', i,
					CASE WHEN i <= $2 THEN '11000-01-01' ELSE now() - i * interval '1 s' END
				FROM generate_series(1, $1) i`, retired+current, current)
			rows.do(`UPDATE catalogue SET revision = $1`, retired+current)
			if c.analyze {
				rows.do(`ANALYZE trains`)
			}
			rows.do(`SELECT pg_stat_force_next_flush()`)
			before := rows.rowsRead("trains")
			require.Equal(t, current, read())
			const reads = 2 // for the pages, and the trains on them
			rows.requireRead(reader, "trains", before+reads*current)
		})
	}
}

// TestSalesFindTheirBookingByItsKey checks the plans of what is written for one booking.
func TestSalesFindTheirBookingByItsKey(t *testing.T) {
	t.Parallel()
	for name, c := range planCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := servers.Postgres(t)
			db := openAt(t, url)
			awaitSettled(t, db) // so that every write uses the same connection
			guard := adopt(t, db, booking.NewTrainID())
			write := func(seat int) {
				sale := saleOf(guard, seat)
				require.NoError(t, bookOne(t.Context(), db, sale))
				exchange := exchangeOf(sale.Booking, guard, seat)
				require.NoError(t, db.ExchangeBooking(t.Context(), exchange))
				require.NoError(t, db.CancelBooking(t.Context(), guard, exchange.Booking.ID, now(), booking.ByPassenger))
				results, err := db.Book(t.Context(), []persistence.Sale{saleOf(guard, seat+10), saleOf(guard, seat+20)})
				require.NoError(t, err)
				require.Equal(t, []error{nil, nil}, results)
			}
			rows := connect(t, url)
			rows.do(`ALTER TABLE bookings SET (autovacuum_enabled = off)`) // it would analyze the table
			if c.early {
				write(1)
			}
			rows.addBookings(guard, uuid.New(), 20_000, false)
			if c.analyze {
				rows.do(`ANALYZE bookings`)
			}
			write(2)
			plans, err := db.PlansOfSales(t.Context())
			require.NoError(t, err)
			require.Len(t, plans, 4) // of one sale, of a batch, of an exchange and of a cancellation
			lookups := 0
			for text, plan := range plans {
				for _, index := range regexp.MustCompile(`using ((bookings|trains)\w+)`).FindAllStringSubmatch(plan, -1) {
					require.Contains(t, []string{"bookings_pkey", "trains_pkey"}, index[1], "%s\n%s", text, plan)
					lookups++
				}
			}
			require.GreaterOrEqual(t, lookups, 8, "of a train by each, and of a booking by all but the sale of one")
		})
	}
}

// openReader opens a DB with one connection, whose session keeps its plans.
func openReader(t *testing.T, url string) *postgres.DB {
	t.Helper()
	options := quiet
	options.Conns = 1
	reader, err := postgres.Open(t.Context(), url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	return reader
}

// requireRead closes a DB, whose session then reports what it has read, and checks the number of
// rows of a table that all sessions have read.
func (s *session) requireRead(reader *postgres.DB, table string, want int) {
	s.Helper()
	require.NoError(s, reader.Close())
	require.Eventually(s, func() bool { return s.rowsRead(table) >= want }, 10*time.Second, 5*time.Millisecond)
	require.Equal(s, want, s.rowsRead(table))
}

// requireIndexes checks the indexes by which a connection finds bookings.
func requireIndexes(t *testing.T, plansOf func(context.Context) (map[string]string, error), want ...string) {
	t.Helper()
	plans, err := plansOf(t.Context())
	require.NoError(t, err)
	var found []string
	for text, plan := range plans {
		if strings.Contains(text, "FROM bookings") {
			require.NotContains(t, plan, "Sort", "%s\n%s", text, plan)
			found = append(found, regexp.MustCompile(`bookings_\w+`).FindString(plan))
		}
	}
	require.ElementsMatch(t, want, found)
}

// addBookings adds bookings, of which the last are cancelled first.
func (s *session) addBookings(guard persistence.Guard, user uuid.UUID, n int, cancelled bool) {
	s.Helper()
	s.do(`INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at, cancelled_at)
		SELECT gen_random_uuid(), $1, $2, 1, '{1}', 1, now(), CASE WHEN $4 THEN now() - i * interval '1 ms' END
		FROM generate_series(1, $3) i`,
		[16]byte(guard.Train), [16]byte(user), n, cancelled)
}

// rowsRead returns the number of rows of a table that were read by sessions that have reported it.
func (s *session) rowsRead(table string) int {
	s.Helper()
	return s.count(`
		SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::int FROM pg_stat_user_tables WHERE relname = $1`, table)
}
