package redis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
)

func BenchmarkWriteHolds(b *testing.B) {
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := openNew(b)
			guard := s.adopt(b, booking.NewTrainID())
			for b.Loop() {
				b.StopTimer()
				s.keep(b, guard)
				writes := puts(guard, size)
				b.StartTimer()
				s.write(b, writes...)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/hold")
		})
	}
}

func BenchmarkRenewLeases(b *testing.B) {
	for _, size := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := openNew(b)
			leases := make([]persistence.Lease, size)
			for i := range leases {
				leases[i] = newLease(booking.NewTrainID())
				_, err := persistencetest.AcquireLease(b.Context(), s, leases[i])
				require.NoError(b, err)
			}
			for b.Loop() {
				_, err := s.RenewLeases(b.Context(), leases)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/lease")
		})
	}
}

// BenchmarkLoadHolds loads as many trains as a page of a search has.
func BenchmarkLoadHolds(b *testing.B) {
	for _, holds := range []int{0, 4, 40} {
		b.Run(fmt.Sprintf("trains=1000/holds=%d", holds), func(b *testing.B) {
			s := openNew(b)
			trains := make([]booking.TrainID, 1000)
			for i := range trains {
				trains[i] = booking.NewTrainID()
				if holds > 0 {
					s.write(b, puts(s.adopt(b, trains[i]), holds)...)
				}
			}
			for b.Loop() {
				held, err := s.LoadHolds(b.Context(), trains, time.Now())
				require.NoError(b, err)
				require.Len(b, held[len(held)-1].Value.Holds, holds)
			}
		})
	}
}

// BenchmarkHoldsOfUser finds the hold of a user among those of others.
func BenchmarkHoldsOfUser(b *testing.B) {
	s := openNew(b)
	writes := puts(s.adopt(b, booking.NewTrainID()), 10_000)
	s.write(b, writes...)
	for b.Loop() {
		held, err := s.HoldsOfUser(b.Context(), writes[0].Hold.User, time.Now())
		require.NoError(b, err)
		require.Len(b, held.Holds, 1)
	}
}

// keep renews the lease of an activation.
func (s *store) keep(b *testing.B, guard persistence.Guard) {
	b.Helper()
	lease := persistence.Lease{Train: guard.Train, Address: here, Owner: guard.Owner}
	_, err := s.RenewLeases(b.Context(), []persistence.Lease{lease})
	require.NoError(b, err)
}
