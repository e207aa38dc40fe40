package actors_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
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
	for name, system := range map[string]func(*testing.B) *actors.System{
		"embedded": func(b *testing.B) *actors.System {
			b.Helper()
			return start(b, openStores(b), rules)
		},
		"clustered": durableClusterOfOne,
	} {
		for _, trains := range []int{1, 20} {
			b.Run(fmt.Sprintf("%s/trains=%d", name, trains), func(b *testing.B) { benchmarkSale(b, system(b), trains) })
		}
	}
}

func benchmarkSale(b *testing.B, s *actors.System, trains int) {
	b.Helper()
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
}

// durableClusterOfOne starts a cluster of one on stores that sync their files.
func durableClusterOfOne(b *testing.B) *actors.System {
	b.Helper()
	db, err := postgres.Open(b.Context(), servers.StartPostgres(b).Address, postgres.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	require.NoError(b, db.Migrate(b.Context()))
	shared, err := redis.Open(b.Context(), "redis://"+servers.StartRedis(b).Address, redis.Options{Address: clusterAddress})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, shared.Close()) })
	return startWith(b, newClusterOfOne(db, shared, shared, rules))
}

// BenchmarkSearch finds 20 trains of 1,000 seats while no seat changes, so that no seat list
// is encoded.
func BenchmarkSearch(b *testing.B) {
	s := start(b, openStores(b), rules)
	for range 20 {
		benchTrain(b, s, 1000)
	}
	_, err := s.Search(b.Context(), "A", "B", time.Time{})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		found, err := s.Search(b.Context(), "A", "B", time.Time{})
		require.NoError(b, err)
		require.Len(b, found.Trains, 20)
	}
}
