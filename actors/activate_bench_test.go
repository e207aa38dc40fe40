package actors_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
)

// BenchmarkActivate activates 20,000 idle trains, as a process does after another has crashed: each
// gets one hold, from one of many clients.
func BenchmarkActivate(b *testing.B) {
	const trains, clients = 20_000, 2000
	for _, bookings := range []int{0, 10, 100} {
		b.Run(fmt.Sprintf("bookings=%d", bookings), func(b *testing.B) {
			took := time.Duration(0)
			for b.Loop() {
				b.StopTimer()
				system, ids := clusterOfIdleTrains(b, trains, bookings)
				b.StartTimer()
				began := time.Now()
				holdEach(b, system, ids, clients)
				took += time.Since(began)
			}
			b.ReportMetric(float64(trains*b.N)/took.Seconds(), "trains/s")
		})
	}
}

// holdEach holds a seat of each train.
func holdEach(b *testing.B, system *actors.System, ids []booking.TrainID, clients int) {
	b.Helper()
	queue, failed := make(chan booking.TrainID), make(chan error, clients)
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for id := range queue {
				request := seat(id, uuid.New(), 1000)
				_, err := system.Hold(b.Context(), request)
				for booking.CodeOf(err) == booking.CodeTimeout {
					_, err = system.Hold(b.Context(), request)
				}
				if err != nil {
					failed <- err
					break
				}
			}
		})
	}
	for _, id := range ids {
		queue <- id
	}
	close(queue)
	running.Wait()
	close(failed)
	require.NoError(b, <-failed)
}

// clusterOfIdleTrains starts a cluster of one on servers of its own, which are durable, with trains
// of 1,000 seats of which some are booked.
func clusterOfIdleTrains(b *testing.B, trains, bookings int) (*actors.System, []booking.TrainID) {
	b.Helper()
	url := servers.StartPostgres(b).Address
	db, shared := openClusterStoresAt(b, url, clusterAddress, servers.StartRedis(b).Address)
	require.NoError(b, db.Migrate(b.Context()))
	require.NoError(b, db.CreateTrain(b.Context(), booking.Train{
		ID: booking.DerivedTrainID("0"), Name: "Bench Express", Capacity: 1000, OnSale: true,
		Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
	}))
	servers.Query(b, url, fmt.Sprintf(`
		INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, revision, retires_at)
		SELECT (left(md5(n::text), 28) || '0000')::uuid, name, capacity, on_sale, created_at, updated_at, stops, n, retires_at
		FROM trains, generate_series(2, %d) n`, trains))
	servers.Query(b, url, fmt.Sprintf(`
		INSERT INTO bookings (id, train_id, user_id, legs, seats, epoch, booked_at)
		SELECT gen_random_uuid(), id, gen_random_uuid(), 3, ARRAY[n], 0, now() FROM trains, generate_series(1, %d) n`, bookings))
	servers.Query(b, url, `INSERT INTO seats SELECT train_id, seats[1], legs FROM bookings`)
	servers.Query(b, url, `VACUUM ANALYZE`)
	all, err := db.ListTrains(b.Context(), booking.Cursor{}, persistence.LastPosition)
	require.NoError(b, err)
	require.Len(b, all, trains)
	ids := make([]booking.TrainID, trains)
	for i := range all {
		ids[i] = all[i].ID
	}
	return startWith(b, newClusterOfOne(db, shared, shared, rules)), ids
}
