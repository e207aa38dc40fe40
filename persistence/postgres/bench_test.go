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
