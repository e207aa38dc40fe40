package actors_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
)

func benchTrain(b *testing.B, s *actors.System, capacity int) booking.TrainID {
	b.Helper()
	train, err := s.CreateTrain(b.Context(), booking.Train{
		Name: "Bench Express", Capacity: capacity, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "B"}},
	})
	require.NoError(b, err)
	return train.ID
}

// BenchmarkSale holds and confirms seats of one or more trains with 64 clients. The number of
// sales for each fsync grows with the load.
func BenchmarkSale(b *testing.B) {
	for _, trains := range []int{1, 20} {
		b.Run(fmt.Sprintf("trains=%d", trains), func(b *testing.B) {
			s := start(b, openStores(b), rules)
			ids := make([]booking.TrainID, trains)
			for i := range ids {
				ids[i] = benchTrain(b, s, booking.MaxCapacity)
			}
			var next atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := int(next.Add(1))
					request := seat(ids[n%trains], uuid.New(), 1+n/trains%booking.MaxCapacity)
					h, err := s.Hold(b.Context(), request)
					if err == nil {
						_, err = s.Confirm(b.Context(), refTo(h))
					}
					require.NoError(b, err)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sales/s")
		})
	}
}

// BenchmarkSearch finds 20 trains of 1,000 seats while no seat changes, so that no seat list
// is encoded.
func BenchmarkSearch(b *testing.B) {
	s := start(b, openStores(b), rules)
	for range 20 {
		benchTrain(b, s, 1000)
	}
	_, err := s.Search(b.Context(), "A", "B")
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		found, err := s.Search(b.Context(), "A", "B")
		require.NoError(b, err)
		require.Len(b, found, 20)
	}
}
