package open_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/open"
)

const every = 10 * time.Millisecond

// serve starts a server that repeats the id of a request after calling do.
func serve(t *testing.T, do func(w http.ResponseWriter, body string)) func(i int) open.Request {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // without it, the test fails
		w.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
		do(w, r.Header.Get("Authorization")+" "+string(body))
	}))
	t.Cleanup(s.Close)
	return func(i int) open.Request {
		return open.Request{URL: s.URL, Token: "t", Body: string(rune('a' + i))}
	}
}

func TestEachRequestIsSentOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var bodies []string
	request := serve(t, func(_ http.ResponseWriter, body string) {
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, body)
	})
	began := time.Now()
	latencies, err := open.Run(t.Context(), 5, every, request)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 4*every)
	require.Len(t, latencies, 5)
	require.ElementsMatch(t, []string{"Bearer t a", "Bearer t b", "Bearer t c", "Bearer t d", "Bearer t e"}, bodies)
	for _, l := range latencies {
		require.Positive(t, l)
	}
}

// What stands still is counted for every request that was to be sent meanwhile.
func TestRequestsDoNotWaitForReplies(t *testing.T) {
	t.Parallel()
	const n = 10
	var arrived sync.WaitGroup
	arrived.Add(n)
	request := serve(t, func(http.ResponseWriter, string) {
		arrived.Done()
		arrived.Wait()
	})
	latencies, err := open.Run(t.Context(), n, every, request)
	require.NoError(t, err)
	for i, l := range latencies {
		require.GreaterOrEqual(t, l, time.Duration(n-1-i)*every, "request %d waits for the last one", i)
	}
}

// A generator that is late counts from when the request was to be sent.
func TestLatenessOfTheGeneratorIsCounted(t *testing.T) {
	t.Parallel()
	const late = 50 * time.Millisecond
	request := serve(t, func(http.ResponseWriter, string) {})
	latencies, err := open.Run(t.Context(), 2, every, func(i int) open.Request {
		<-time.After(time.Duration(1-i) * late)
		return request(i)
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, latencies[0], late)
	require.Less(t, latencies[1], latencies[0])
}

func TestRefusalIsAnError(t *testing.T) {
	t.Parallel()
	request := serve(t, func(w http.ResponseWriter, _ string) {
		http.Error(w, "taken", http.StatusConflict)
	})
	_, err := open.Run(t.Context(), 3, every, request)
	require.ErrorContains(t, err, "409 Conflict taken")
}
