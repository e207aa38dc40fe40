package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/report"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
)

// setupClients create trains and read bookings, outside of what is measured.
const setupClients = 8

// fixture is the trains of a workload on a server, and how many of its requests were sent so far.
type fixture struct {
	set  trainSet
	ids  []booking.TrainID
	used int
	// How many requests for seats that the service chose each train got, and how many of all were not answered.
	chosen     map[int]int
	unanswered int
	trains     string // a file with an id on each line
	paths      string // a file with the path of a search on each line
}

// seat returns the train, the first seat and the user of a request, as lua/seats.lua does, but the
// train and the user from 0.
func (f *fixture) seat(number, count int) (train, seat, user int) {
	group, share := f.set.group, f.set.share
	if share == 0 {
		group, share = f.set.trains, f.set.requests(count)
	}
	inside := number % share
	train, nth := number/share*group+inside%group, inside/group
	return train, nth*count + 1, (nth + train*7) % users
}

// trainIDs returns ids that are the same on each server.
func trainIDs(of string, n int) []booking.TrainID {
	ids := make([]booking.TrainID, n)
	for i := range ids {
		ids[i] = booking.DerivedTrainID(fmt.Sprintf("bench %s %d", of, i))
	}
	return ids
}

// searchPath returns the path that finds the trains of a route.
func searchPath(of string, route int) string {
	from, to := stations(of, route)
	return "/train/get-trains/?" + url.Values{"source": {from}, "destination": {to}}.Encode()
}

func stations(of string, route int) (from, to string) {
	return fmt.Sprintf("%s %d North", of, route), fmt.Sprintf("%s %d South", of, route)
}

// stops returns those of the trains of a route, with as many legs, at least one.
func stops(of string, route, legs int) []map[string]string {
	from, to := stations(of, route)
	all := []map[string]string{{"station": from}}
	for leg := 1; leg < legs; leg++ {
		all = append(all, map[string]string{"station": fmt.Sprintf("%s %d Stop %d", of, route, leg)})
	}
	return append(all, map[string]string{"station": to})
}

// prepare creates the trains of a workload, under a name that no other trains have.
func (b *bench) prepare(t *testing.T, s *server, of string, set trainSet) *fixture {
	t.Helper()
	f := &fixture{set: set, ids: trainIDs(of, set.trains), chosen: map[int]int{}}
	if s.name != report.Limit {
		b.putTrains(t, s, of, f)
	}
	var ids, paths strings.Builder
	for _, id := range f.ids {
		fmt.Fprintln(&ids, id)
	}
	for route := range set.routes() {
		fmt.Fprintln(&paths, searchPath(of, route))
	}
	f.trains, f.paths = b.file(t, ids.String()), b.file(t, paths.String())
	return f
}

func (b *bench) putTrains(t *testing.T, s *server, of string, f *fixture) {
	t.Helper()
	eachOf(t, f.ids, func(i int, id booking.TrainID) error {
		body, err := json.Marshal(map[string]any{
			"name": fmt.Sprintf("Express %d", i), "capacity": f.set.capacity, "stops": stops(of, i/f.set.perRoute, f.set.legs),
		})
		if err != nil {
			return err
		}
		status, reply, err := send(t.Context(), http.MethodPut, s.urls[0]+"/v1/trains/"+id.String(), s.admin, body)
		if err == nil && status != http.StatusCreated {
			err = fmt.Errorf("PUT on %s: %d %s", s.name, status, reply)
		}
		return err
	})
	if s.database != "" {
		// Autovacuum would do it while something is measured.
		servers.Query(t, s.database, "VACUUM ANALYZE")
		servers.Query(t, s.database, "CHECKPOINT")
	}
}

// staticPaths makes the limit send as many bytes as a search of the trains does.
func (b *bench) staticPaths(t *testing.T, f *fixture, size int) {
	t.Helper()
	f.paths = b.file(t, strings.Repeat(fmt.Sprintf("/static/%d\n", size), f.set.routes()))
}

// file writes a file that is removed with the test.
func (b *bench) file(t *testing.T, text string) string {
	t.Helper()
	b.files++
	path := filepath.Join(b.dir, fmt.Sprintf("file%d", b.files))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// eachOf calls do for each item, several at a time, and requires that none fails.
func eachOf[T any](t *testing.T, items []T, do func(i int, item T) error) {
	t.Helper()
	next := make(chan int)
	errs := make(chan error, setupClients)
	var wait sync.WaitGroup
	for range setupClients {
		wait.Go(func() {
			var first error
			for i := range next {
				if err := do(i, items[i]); err != nil && first == nil {
					first = err
				}
			}
			errs <- first
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	wait.Wait()
	for range setupClients {
		require.NoError(t, <-errs)
	}
}

// send sends a request with a token and a body, if they are not empty.
func send(ctx context.Context, method, address, token string, body []byte) (status int, reply []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	reply, err = io.ReadAll(response.Body)
	return response.StatusCode, reply, err
}
