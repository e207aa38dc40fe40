package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
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

// BenchmarkUserBookings reads some of the 100,000 bookings of a user.
func BenchmarkUserBookings(b *testing.B) {
	const bookings, perTrain = 100_000, 1000
	url := servers.Postgres(b)
	db := openAt(b, url)
	user := uuid.New()
	var id uuid.UUID
	for range bookings / perTrain {
		guard := adopt(b, db, booking.NewTrainID())
		sales := make([]persistence.Sale, perTrain)
		for i := range sales {
			sales[i] = saleOf(guard, i+1)
			sales[i].Booking.User = user
			sales[i].Booking.BookedAt = sales[i].Booking.BookedAt.Add(time.Duration(rand.N(1_000_000_000)) * time.Microsecond)
			id = sales[i].Booking.ID
		}
		_, err := db.Book(b.Context(), sales)
		require.NoError(b, err)
	}
	for name, read := range map[string]func(context.Context) error{
		"newest": func(ctx context.Context) error {
			_, err := db.UserBookings(ctx, user, booking.PageRequest{Limit: booking.DefaultPageLimit, NewestFirst: true})
			return err
		},
		"oldest": func(ctx context.Context) error {
			_, err := db.UserBookings(ctx, user, booking.PageRequest{Limit: booking.DefaultPageLimit})
			return err
		},
		"one": func(ctx context.Context) error {
			_, err := db.FindBookedTrain(ctx, id)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, read(b.Context()))
			}
		})
	}
}
