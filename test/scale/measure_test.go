//go:build scale

package scale_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	apiclient "trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

const (
	// maxStart is many times what a start takes: beyond it, the process never becomes ready.
	maxStart = 2 * time.Minute
	pollTime = 5 * time.Millisecond
	// idleTime has at least two reconciles, one every 5 s.
	idleTime = 15 * time.Second
	// settleTime is how long a process needs after its start to give memory back.
	settleTime = 3 * time.Second
	// reportTime is in which an idle session of Postgres reports what it has read at the start.
	reportTime = 12 * time.Second

	starts    = 3
	sellers   = 8
	readers   = 12
	lockers   = 500
	listQuery = "/v1/trains?limit=1000"
)

// service is the process under test.
type service struct {
	*testing.T
	*railway
	process  *processtest.Server
	client   *apiclient.Client // for any user
	http     *http.Client
	database string       // a URL, empty if embedded
	sold     atomic.Int64 // sales that were begun, so that no two want the same seat
}

// latencies are how long each of several requests took.
type latencies []time.Duration

func (l latencies) at(quantile float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	return sorted[int(quantile*float64(len(sorted)-1))]
}

// get returns the status of a request without a token, after reading the whole body.
func (s *service) get(ctx context.Context, path string) (status int, size int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.process.URL+path, http.NoBody)
	if err != nil {
		return 0, 0, err
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	size, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, size, err
}

// awaitReady returns how long the process took to become ready.
func (s *service) awaitReady(launched time.Time) time.Duration {
	s.Helper()
	for {
		if status, _, err := s.get(s.Context(), "/readyz"); err == nil && status == http.StatusOK {
			return time.Since(launched)
		}
		require.Less(s, time.Since(launched), maxStart, "it never becomes ready:\n%s", s.process.Log)
		<-time.After(pollTime)
	}
}

// rowsRead returns the rows of trains that statements have read, and the statements' transactions.
func (s *service) rowsRead() (rows, transactions int) {
	s.Helper()
	// The sessions of Postgres report their figures when they have been idle for a second.
	<-time.After(2 * time.Second)
	got := servers.Query(s, s.database, `
		SELECT seq_tup_read + coalesce(idx_tup_fetch, 0),
			(SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())
		FROM pg_stat_user_tables WHERE relname = 'trains'`)[0]
	return number(s, got[0]), number(s, got[1])
}

func number(tb testing.TB, text string) int {
	tb.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(tb, err)
	return n
}

// repeat measures a request that must succeed each time.
func (s *service) repeat(n int, path string) (l latencies, size int64) {
	s.Helper()
	for range n {
		begun := time.Now()
		status, read, err := s.get(s.Context(), path)
		l, size = append(l, time.Since(begun)), read
		require.NoError(s, err, path)
		require.Equal(s, http.StatusOK, status, path)
	}
	return l, size
}

func searchPath(from, to string) string {
	return "/train/get-trains/?" + url.Values{"source": {from}, "destination": {to}}.Encode()
}

// sales are the results of sellers.
type sales struct {
	mu     sync.Mutex
	took   latencies // of a hold or a confirm
	failed []error
}

func (r *sales) add(begun time.Time, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, time.Since(begun))
	if err != nil {
		r.failed = append(r.failed, err)
	}
	return err == nil
}

// sell holds and confirms seats of the first trains for a time.
func (s *service) sell(duration time.Duration) *sales {
	ctx, cancel := context.WithTimeout(s.Context(), duration)
	defer cancel()
	result := &sales{}
	var wait sync.WaitGroup
	for range sellers {
		wait.Go(func() {
			for ctx.Err() == nil {
				n := int(s.sold.Add(1)) - 1
				several := min(200, len(s.trains)/10)
				train := &s.trains[n%several]
				user := userOf(n)
				request := booking.HoldRequest{User: user, Train: train.ID, Seats: []int{train.Capacity - n/several}}
				begun := time.Now()
				hold, err := s.client.Hold(s.Context(), request)
				if !result.add(begun, err) {
					continue
				}
				begun = time.Now()
				_, err = s.client.Confirm(s.Context(), booking.HoldRef{Hold: hold.ID, User: user, Train: train.ID})
				result.add(begun, err)
			}
		})
	}
	wait.Wait()
	return result
}

// whileReading calls do while anonymous clients list trains. It returns how many lists they got, and
// how many were refused.
func (s *service) whileReading(do func()) (lists, refused int64) {
	ctx, cancel := context.WithCancel(s.Context())
	var wait sync.WaitGroup
	var ok, failed atomic.Int64
	for range readers {
		wait.Go(func() {
			for ctx.Err() == nil {
				switch status, _, err := s.get(ctx, listQuery); {
				case err == nil && status == http.StatusOK:
					ok.Add(1)
				case ctx.Err() == nil:
					failed.Add(1)
				}
			}
		})
	}
	do()
	cancel()
	wait.Wait()
	return ok.Load(), failed.Load()
}

// lockEach holds a seat of each of the trains, which are not active, as fast as possible, and returns
// how many were locked in a second.
func (s *service) lockEach(trains []booking.Train) (perSecond float64, failed []error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	var next, locked atomic.Int64
	begun := time.Now()
	for range lockers {
		wait.Go(func() {
			user := uuid.New()
			for i := next.Add(1) - 1; int(i) < len(trains); i = next.Add(1) - 1 {
				_, err := s.client.Hold(s.Context(), booking.HoldRequest{
					User: user, Train: trains[i].ID, Seats: []int{trains[i].Capacity},
				})
				if err == nil {
					locked.Add(1)
					continue
				}
				mu.Lock()
				failed = append(failed, fmt.Errorf("train %s: %w", trains[i].ID, err))
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return float64(locked.Load()) / time.Since(begun).Seconds(), failed
}
