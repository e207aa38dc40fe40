package embedded_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
)

// tokenFile returns a file with two service tokens.
func tokenFile(t *testing.T) string {
	t.Helper()
	return processtest.TempFile(t, strings.Repeat("a", 40)+"\n"+strings.Repeat("b", 40)+"\n")
}

func smoke(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, append([]string{"smoke"}, args...)...)
}

// listed returns the number of trains, and of those with a booking.
func listed(t *testing.T, at string) (trains, booked int) {
	t.Helper()
	body := string(processtest.NewClient(at).Must(t, http.StatusOK, "GET", "/v1/trains", nil).Body)
	return strings.Count(body, `"capacity"`), strings.Count(body, `"booked"`) - strings.Count(body, `"booked":0`)
}

func TestSmokeSellsASeatOfItsOwnTrainAndDeletesTheTrain(t *testing.T) {
	t.Parallel()
	file := tokenFile(t)
	s := start(t, t.TempDir(), "--service-token-file", file)
	got := smoke(t, "--url", s.URL, "--service-token-file", file)
	require.Equal(t, 0, got.Code, got.Err)
	require.Regexp(t, `(?m)^bookings +1$\n^cancelled +1$\n^failures +none$`, got.Out)
	trains, _ := listed(t, s.URL)
	require.Zero(t, trains)
}

func TestSmokeWithoutATokenUsesATrainOnSaleAndCancelsItsBookings(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--demo")
	before, _ := listed(t, s.URL)
	got := smoke(t, "--url", s.URL, "--clients", "3", "--for", "1s")
	require.Equal(t, 0, got.Code, got.Err)
	after, booked := listed(t, s.URL)
	require.Equal(t, before, after)
	require.Zero(t, booked)
}

func TestSmokeFinishesItsTurnsAfterSIGTERMAndReports(t *testing.T) {
	t.Parallel()
	file := tokenFile(t)
	s := start(t, t.TempDir(), "--service-token-file", file)
	command := processtest.Command(t, "smoke", "--url", s.URL, "--service-token-file", file, "--for", "1h")
	var report strings.Builder
	command.Stdout = &report
	running := processtest.StartProcess(t, command)
	require.Eventually(t, func() bool {
		_, booked := listed(t, s.URL)
		return booked > 0
	}, processtest.Timeout, 10*time.Millisecond)
	running.Stop()
	require.Regexp(t, `(?m)^bookings +[1-9]`, report.String())
	trains, _ := listed(t, s.URL)
	require.Zero(t, trains)
}

func TestSmokeReportsWhatItCannotDo(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	got := smoke(t, "--url", s.URL)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "no train is on sale")

	got = smoke(t, "--url", s.URL, "--service-token-file", tokenFile(t))
	require.Equal(t, 1, got.Code, "the service has no such token")
	require.Contains(t, got.Err, "add a train: unauthenticated")

	got = smoke(t, "--url", s.URL, "--clients", "0", "--for", "2h", "--max-failures=-1")
	require.Equal(t, 2, got.Code)
	require.Contains(t, got.Err, "--clients 0 is out of range")
	require.Contains(t, got.Err, "--for 2h0m0s is out of range")
	require.Contains(t, got.Err, "--max-failures -1 is negative")
}

func TestSmokeSaysWhatToDoAboutTooManyRegistrations(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--demo", "--registrations", "2")
	began := time.Now()
	got := smoke(t, "--url", s.URL, "--clients", "3")
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "use fewer --clients, or start the service with a higher --registrations")
	require.Less(t, time.Since(began), traffic.DefaultRetry, "it is not repeated")
	got = smoke(t, "--url", start(t, t.TempDir(), "--demo", "--registrations", "0").URL, "--clients", "25")
	require.Equal(t, 0, got.Code, got.Err)
}

// A proxy between smoke and the service falsifies responses.
func TestSmokeDetectsABrokenPromise(t *testing.T) {
	t.Parallel()
	file := tokenFile(t)
	s := start(t, t.TempDir(), "--service-token-file", file)
	target, err := url.Parse(s.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	falsified := func(falsify func(w http.ResponseWriter, r *http.Request) bool) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !falsify(w, r) {
				proxy.ServeHTTP(w, r)
			}
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	respond := func(w http.ResponseWriter, body string) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
		return true
	}

	lost := falsified(func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodGet && r.URL.Path == "/v1/bookings" && respond(w, `{"items":[]}`)
	})
	got := smoke(t, "--url", lost, "--service-token-file", file)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "was acknowledged and is not listed")

	// Only the list at the end is falsified.
	lostLater := falsified(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/v1/bookings" && r.URL.Query().Get("limit") != "1" && respond(w, `{"items":[]}`)
	})
	got = smoke(t, "--url", lostLater, "--service-token-file", file)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "a booking was acknowledged and is lost")

	// Both passengers get the list of the first one who requests it.
	var first atomic.Pointer[string]
	twice := falsified(func(_ http.ResponseWriter, r *http.Request) bool {
		if token := r.Header.Get("Authorization"); r.URL.Path == "/v1/bookings" && r.URL.Query().Get("limit") != "1" {
			first.CompareAndSwap(nil, &token)
			r.Header.Set("Authorization", *first.Load())
		}
		return false
	})
	got = smoke(t, "--url", twice, "--service-token-file", file, "--clients", "2")
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "was sold twice")

	hidden := falsified(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/train/get-trains/" && respond(w, `[]`)
	})
	got = smoke(t, "--url", hidden, "--service-token-file", file)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "does not find the train")

	trains, _ := listed(t, s.URL)
	require.Zero(t, trains, "the train was deleted each time")
}

func TestSmokeCountsRequestsThatSucceedWhenRepeated(t *testing.T) {
	t.Parallel()
	file := tokenFile(t)
	s := start(t, t.TempDir(), "--service-token-file", file)
	target, err := url.Parse(s.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	var holds atomic.Int64
	flaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/holds" && holds.Add(1)%2 == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(flaky.Close)
	got := smoke(t, "--url", flaky.URL, "--service-token-file", file)
	require.Equal(t, 1, got.Code)
	require.Contains(t, got.Err, "1 requests failed, and --max-failures is 0")
	require.Regexp(t, `(?m)^failures +unavailable 1$`, got.Out)

	got = smoke(t, "--url", flaky.URL, "--service-token-file", file, "--max-failures", "1")
	require.Equal(t, 0, got.Code, got.Err)
}
