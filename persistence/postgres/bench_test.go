package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
)

// BenchmarkBook sells single seats in batches; an operation is one batch, that is one
// statement and one fsync.
func BenchmarkBook(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			server := servers.StartPostgres(b)
			db := openAt(b, server.Address)
			require.NoError(b, db.Migrate(b.Context()))
			guard := adopt(b, db, booking.NewTrainID())
			seat := 0
			for b.Loop() {
				sales := make([]persistence.Sale, size)
				for i := range sales {
					if seat++; seat > booking.MaxCapacity {
						guard, seat = adopt(b, db, booking.NewTrainID()), 1
					}
					sales[i] = saleOf(guard, seat)
				}
				results, err := db.Book(b.Context(), sales)
				require.NoError(b, err)
				require.NoError(b, results[size-1])
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/sale")
		})
	}
}

// BenchmarkSeatLegs finds the seats of as many trains as a page of a search has.
func BenchmarkSeatLegs(b *testing.B) {
	for _, seats := range []int{0, 20, 200} {
		b.Run(fmt.Sprintf("trains=1000/seats=%d", seats), func(b *testing.B) {
			db, trains := openAt(b, servers.Postgres(b)), make([]booking.TrainID, 1000)
			for i := range trains {
				trains[i] = booking.NewTrainID()
				guard := adopt(b, db, trains[i])
				sale := saleOf(guard)
				for seat := range seats {
					sale.Booking.Seats = append(sale.Booking.Seats, seat+1)
				}
				if seats > 0 {
					require.NoError(b, bookOne(b.Context(), db, sale))
				}
			}
			for b.Loop() {
				found, err := db.SeatLegs(b.Context(), trains)
				require.NoError(b, err)
				require.Len(b, found[len(found)-1], seats)
			}
		})
	}
}
