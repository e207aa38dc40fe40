package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// BenchmarkBook sells single seats in batches; an operation is one batch, that is one
// transaction and one fsync.
func BenchmarkBook(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			db := openNew(b)
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

// BenchmarkWriteHolds puts holds of many trains in batches.
func BenchmarkWriteHolds(b *testing.B) {
	for _, size := range []int{1, 32} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			db := openNew(b)
			guards := make([]persistence.Guard, 400)
			for i := range guards {
				guards[i] = adopt(b, db, booking.NewTrainID())
			}
			holds := 0
			for b.Loop() {
				writes := make([]persistence.HoldWrite, size)
				for i := range writes {
					writes[i] = holdOf(guards[holds%len(guards)], i+1)
					holds++
				}
				_, err := db.WriteHolds(b.Context(), writes)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(holds), "µs/hold")
		})
	}
}

// BenchmarkViews views as many trains as a page of a search has, with the same number of booked
// seats and of holds each.
func BenchmarkViews(b *testing.B) {
	for _, seats := range []int{0, 20} {
		db, trains := openNew(b), make([]booking.TrainID, 1000)
		for i := range trains {
			trains[i] = booking.NewTrainID()
			guard := adopt(b, db, trains[i])
			if seats == 0 {
				continue
			}
			var sales []persistence.Sale
			var writes []persistence.HoldWrite
			for seat := range seats {
				sales, writes = append(sales, saleOf(guard, seat+1)), append(writes, holdOf(guard, seat+1))
			}
			_, err := db.Book(b.Context(), sales)
			require.NoError(b, err)
			_, err = db.WriteHolds(b.Context(), writes)
			require.NoError(b, err)
		}
		b.Run(fmt.Sprintf("SeatLegs/trains=1000/seats=%d", seats), func(b *testing.B) {
			for b.Loop() {
				found, err := db.SeatLegs(b.Context(), trains)
				require.NoError(b, err)
				require.Len(b, found[len(found)-1], seats)
			}
		})
		b.Run(fmt.Sprintf("LoadHolds/trains=1000/holds=%d", seats), func(b *testing.B) {
			for b.Loop() {
				held, err := db.LoadHolds(b.Context(), trains, now())
				require.NoError(b, err)
				require.Len(b, held[len(held)-1].Value.Holds, seats)
			}
		})
	}
}

// BenchmarkHoldsOfUser finds the hold of a user among those of others.
func BenchmarkHoldsOfUser(b *testing.B) {
	for _, holds := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("holds=%d", holds), func(b *testing.B) {
			db := openNew(b)
			guard := adopt(b, db, booking.NewTrainID())
			writes := make([]persistence.HoldWrite, holds)
			for i := range writes {
				writes[i] = holdOf(guard, i%booking.MaxCapacity+1)
				writes[i].Hold.ExpiresAt = now().Add(booking.MaxHoldTTL)
			}
			_, err := db.WriteHolds(b.Context(), writes)
			require.NoError(b, err)
			for b.Loop() {
				held, err := db.HoldsOfUser(b.Context(), writes[holds/2].Hold.User, now())
				require.NoError(b, err)
				require.Len(b, held.Holds, 1)
			}
		})
	}
}
