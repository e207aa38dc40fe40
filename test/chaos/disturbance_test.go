//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

const (
	readers        = 12   // of a flood
	departedTrains = 3000 // on the route of the trains
	// One of four heartbeats, which are sent every 750 ms, is lost.
	heartbeatsLost = 800 * time.Millisecond
	heartbeatsSent = 2200 * time.Millisecond
)

// disturbance is what goes on until its end.
type disturbance struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// disturb begins a disturbance, which does something until ctx ends.
func (r *run) disturb(times int, do func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	r.disturbance = &disturbance{cancel: cancel}
	for range times {
		r.disturbance.running.Go(func() { do(ctx) })
	}
}

func (d *disturbance) end() {
	d.cancel()
	d.running.Wait()
}

// floodReads reads the longest lists, the search of the route of the users, and a seat map, as fast
// as they are answered.
func (r *run) floodReads() {
	train := r.Trains()[0]
	paths := []string{
		"/v1/trains?limit=1000",
		fmt.Sprintf("/train/get-trains/?source=%s&destination=%s", train.Stops[0].Station, train.Stops[len(train.Stops)-1].Station),
		"/v1/trains/" + train.ID.String() + "/seats",
	}
	r.disturb(readers, func(ctx context.Context) {
		for ctx.Err() == nil {
			for _, path := range paths {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.balancer.URL+path, nil)
				if err != nil {
					return
				}
				if response, err := http.DefaultClient.Do(request); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}
		}
	})
}

// addDepartedTrains adds trains that have departed to the route of the users.
func (r *run) addDepartedTrains() {
	r.t.Helper()
	stations := r.Trains()[0].Stops
	stops := make([]string, len(stations))
	left := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	for i, s := range stations {
		stops[i] = fmt.Sprintf(`{"station":%q,"departs_at":%q}`, s.Station, left)
	}
	servers.Query(r.t, r.postgres.Address, fmt.Sprintf(`
		WITH next AS (UPDATE catalogue SET revision = revision + %[1]d RETURNING revision)
		INSERT INTO trains (id, name, capacity, on_sale, created_at, updated_at, stops, revision, retires_at)
		SELECT overlay(gen_random_uuid()::text placing '0000' from 33)::uuid, 'Departed', 100, true, now(), now(), '[%[2]s]',
			revision - %[1]d + i, now() + interval '23 h'
		FROM next, generate_series(1, %[1]d) AS i`, departedTrains, strings.Join(stops, ",")))
}

// loseHeartbeats loses one of four heartbeats of all processes but one.
func (r *run) loseHeartbeats(dead *node) {
	survivors := slices.DeleteFunc(slices.Clone(r.nodes), func(n *node) bool { return n == dead })
	r.disturb(1, func(ctx context.Context) {
		for ctx.Err() == nil {
			for _, n := range survivors {
				n.redis.Refuse()
			}
			<-time.After(heartbeatsLost)
			for _, n := range survivors {
				n.redis.Restore()
			}
			select {
			case <-time.After(heartbeatsSent):
			case <-ctx.Done():
			}
		}
	})
}

// lockRow locks the row of a train, as someone with SQL might.
func (r *run) lockRow() {
	r.t.Helper()
	train := r.Trains()[0]
	connection, err := pgx.Connect(context.Background(), r.postgres.Address)
	require.NoError(r.t, err)
	lock, err := connection.Begin(context.Background())
	require.NoError(r.t, err)
	_, err = lock.Exec(context.Background(), "SELECT 1 FROM trains WHERE id = $1 FOR UPDATE", uuid.UUID(train.ID))
	require.NoError(r.t, err)
	r.disturb(1, func(ctx context.Context) {
		<-ctx.Done()
		_ = connection.Close(context.Background())
	})
}

// killWithReplica kills Redis when a new replica has its data.
func (r *run) killWithReplica() {
	r.t.Helper()
	r.replica = startRedis(r.t)
	if clocksMove {
		r.replica.SetClock(r.t, r.clock)
	}
	host, port, _ := strings.Cut(r.redis.Address, ":")
	_, err := processtest.RedisCommand(r.replica.Address, "REPLICAOF "+host+" "+port)
	require.NoError(r.t, err)
	replicas, err := processtest.RedisCommand(r.redis.Address, "WAIT 1 10000")
	require.NoError(r.t, err)
	require.Equal(r.t, ":1", replicas)
	r.lost = r.Now()
	r.redis.Kill(r.t)
}

// promoteReplica makes the replica the Redis of the processes. It may lack the last writes.
func (r *run) promoteReplica() {
	r.t.Helper()
	_, err := processtest.RedisCommand(r.replica.Address, "REPLICAOF NO ONE")
	require.NoError(r.t, err)
	r.redis, r.replica = r.replica, nil
	for _, n := range r.nodes {
		n.redis.Retarget(r.redis.Address)
	}
	r.Lose(r.lost)
}
