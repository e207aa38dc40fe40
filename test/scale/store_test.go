//go:build scale

package scale_test

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/sqlite/sqlitetest"
)

// The columns that are written. The others have defaults.
const (
	trainColumns   = "id, name, capacity, on_sale, created_at, updated_at, stops, retires_at, revision"
	seatColumns    = "train_id, seat_number, legs"
	bookingColumns = "id, train_id, user_id, legs, seats, epoch, booked_at"
)

// micro is the format of times in Postgres.
const micro = "2006-01-02 15:04:05.000000Z07:00"

// table has the rows of one table in the formats of both stores.
type table struct {
	name, columns string
	postgres      iter.Seq[string]
	sqlite        iter.Seq[[]any]
}

// rows returns a table whose rows are converted from items.
func rows[T any](name, columns string, items iter.Seq[T], postgres func(T) string, sqlite func(T) []any) table {
	return table{
		name: name, columns: columns,
		postgres: converted(items, postgres), sqlite: converted(items, sqlite),
	}
}

func converted[T, U any](items iter.Seq[T], to func(T) U) iter.Seq[U] {
	return func(yield func(U) bool) {
		for item := range items {
			if !yield(to(item)) {
				return
			}
		}
	}
}

// takenSeat is a row of seats.
type takenSeat struct {
	train booking.TrainID
	seat  int
	legs  int64
}

func (r *railway) seats() iter.Seq[takenSeat] {
	return func(yield func(takenSeat) bool) {
		for b := range r.sold() {
			for _, seat := range b.Seats {
				if !yield(takenSeat{b.Train, seat, persistence.EncodeLegs(b.Legs)}) {
					return
				}
			}
		}
	}
}

func (r *railway) trainRows() iter.Seq[booking.Train] {
	return func(yield func(booking.Train) bool) {
		for _, train := range r.trains {
			if !yield(train) {
				return
			}
		}
	}
}

func (r *railway) tables(t *testing.T) []table {
	t.Helper()
	stops := func(train booking.Train) string {
		text, err := persistence.EncodeList(train.Stops)
		require.NoError(t, err)
		return text
	}
	var postgresRevision, sqliteRevision int // negative, because the next revision of an empty store is 1
	return []table{
		rows("trains", trainColumns, r.trainRows(), func(t booking.Train) string {
			postgresRevision--
			return fmt.Sprintf("%s\t%s\t%d\t%t\t%s\t%s\t%s\t%s\t%d", t.ID, t.Name, t.Capacity, t.OnSale,
				t.CreatedAt.Format(micro), t.UpdatedAt.Format(micro), stops(t),
				persistence.EncodeRetirement(&t).Format(micro), postgresRevision)
		}, func(t booking.Train) []any {
			sqliteRevision--
			return []any{
				t.ID[:], t.Name, t.Capacity, t.OnSale, t.CreatedAt.UnixMicro(), t.UpdatedAt.UnixMicro(), stops(t),
				persistence.EncodeRetirement(&t).UnixMicro(), sqliteRevision,
			}
		}),
		rows("seats", seatColumns, r.seats(), func(s takenSeat) string {
			return fmt.Sprintf("%s\t%d\t%d", s.train, s.seat, s.legs)
		}, func(s takenSeat) []any { return []any{s.train[:], s.seat, s.legs} }),
		rows("bookings", bookingColumns, r.sold(), func(b booking.Booking) string {
			return fmt.Sprintf("%s\t%s\t%s\t%d\t{%s}\t1\t%s", b.ID, b.Train, b.User, persistence.EncodeLegs(b.Legs),
				join(b.Seats), b.BookedAt.Format(micro))
		}, func(b booking.Booking) []any {
			return []any{b.ID[:], b.Train[:], b.User[:], persistence.EncodeLegs(b.Legs), "[" + join(b.Seats) + "]", 1, b.BookedAt.UnixMicro()}
		}),
	}
}

func join(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}

// fillPostgres writes rows into a migrated database.
func fillPostgres(t *testing.T, database string, tables ...table) {
	t.Helper()
	for _, table := range tables {
		servers.Copy(t, database, table.name, table.columns, table.postgres)
	}
	servers.Query(t, database, "VACUUM ANALYZE")
}

// fillSQLite writes rows into a migrated database.
func fillSQLite(t *testing.T, dir string, tables ...table) {
	t.Helper()
	for _, table := range tables {
		sqlitetest.Insert(t, dir, table.name, table.columns, table.sqlite)
	}
}
