package embedded_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

func TestRestartKeepsHoldsWithTheirRemainingTimeAndBookings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	train := createAdmin(t, dir, first.URL).AddTrain(t, 10)
	asha, ravi := processtest.SignUp(t, first.URL, "asha"), processtest.SignUp(t, first.URL, "ravi")
	booked := asha.MustLock(t, http.StatusOK, train, 1)
	asha.MustConfirm(t, http.StatusOK, booked.SeatID)
	held := asha.MustLock(t, http.StatusOK, train, 2)
	first.Stop()

	second := start(t, dir)
	asha, ravi = asha.At(second.URL), ravi.At(second.URL)
	again := asha.MustLock(t, http.StatusOK, train, 2)
	require.Equal(t, held.HoldID, again.HoldID)
	require.Equal(t, held.ExpiresAt, again.ExpiresAt)
	refused := ravi.MustLock(t, http.StatusConflict, train, 2)
	require.Equal(t, "seat_locked", refused.Code)
	asha.MustConfirm(t, http.StatusOK, held.SeatID)
	require.Equal(t, []int{1, 2}, asha.BookedSeats(t))
	second.Stop()
}

func TestHoldEndsOnTimeAfterTheServiceWasKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, "--hold-ttl", "1s")
	train := createAdmin(t, dir, first.URL).AddTrain(t, 10)
	asha := processtest.SignUp(t, first.URL, "asha")
	held := asha.MustLock(t, http.StatusOK, train, 1)
	ravi := processtest.SignUp(t, first.URL, "ravi")
	first.Kill()

	second := start(t, dir)
	asha, ravi = asha.At(second.URL), ravi.At(second.URL)
	require.Eventually(t, func() bool {
		r, err := ravi.Lock(train, 1)
		require.NoError(t, err)
		return r.Status == http.StatusOK
	}, timeout, 50*time.Millisecond, "the seat is free again")
	require.False(t, time.Now().Before(held.ExpiresAt), "it ended early")
	refused := asha.MustConfirm(t, http.StatusConflict, held.SeatID)
	require.Equal(t, "hold_expired", refused.Code)
}

// halfSent is a request whose handler waits for the body.
type halfSent struct {
	conn   net.Conn
	reader *bufio.Reader
	rest   string
}

// sendHalf sends the header of a request that locks a seat. It returns when the handler reads
// the body, as the server responds with 100 Continue then: the request is in flight.
func sendHalf(t *testing.T, c *processtest.Client, train string, seat int) *halfSent {
	t.Helper()
	body := fmt.Sprintf(`{"train_id":%q,"seat_number":%d}`, train, seat)
	address := strings.TrimPrefix(c.URL, "http://")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(timeout)))
	_, err = fmt.Fprintf(conn, "POST /train/book-ticket/ HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", address, c.Token, len(body))
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = reader.ReadString('\n')
	require.NoError(t, err)
	return &halfSent{conn: conn, reader: reader, rest: body}
}

func (h *halfSent) finish(t *testing.T) *http.Response {
	t.Helper()
	_, err := h.conn.Write([]byte(h.rest))
	require.NoError(t, err)
	response, err := http.ReadResponse(h.reader, nil)
	require.NoError(t, err)
	return response
}

func TestRequestInFlightIsCompletedAfterSIGTERM(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	train := createAdmin(t, dir, s.URL).AddTrain(t, 10)
	asha := processtest.SignUp(t, s.URL, "asha")
	half := sendHalf(t, asha, train, 7)

	s.Signal(syscall.SIGTERM)
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, timeout, 10*time.Millisecond, "new connections are refused")
	response := half.finish(t)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, 0, s.Wait())

	// The hold that was acknowledged during the shutdown is stored.
	again := start(t, dir)
	ravi := processtest.SignUp(t, again.URL, "ravi")
	ravi.MustLock(t, http.StatusConflict, train, 7)
}

func TestSecondSignalExitsAtOnceWithOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	train := createAdmin(t, dir, s.URL).AddTrain(t, 10)
	sendHalf(t, processtest.SignUp(t, s.URL, "asha"), train, 7) // delays the shutdown
	s.Signal(syscall.SIGTERM)
	s.Await(`"msg":"stopping"`)
	s.Signal(syscall.SIGINT)
	require.Equal(t, 1, s.Wait())
}

func TestSecretIsCreatedOnceForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "created", "at", "start")
	first := start(t, dir)
	asha := processtest.SignUp(t, first.URL, "asha")
	first.Stop()
	for name, mode := range map[string]os.FileMode{".": 0o700, "jwt-secret": 0o600, "trainbooking.db": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	secret, err := os.ReadFile(filepath.Join(dir, "jwt-secret"))
	require.NoError(t, err)
	require.NotContains(t, first.Log.String(), strings.TrimSpace(string(secret)))

	second := start(t, dir)
	asha.At(second.URL).Must(t, http.StatusOK, "GET", "/train/view-bookings/", nil)
	same, err := os.ReadFile(filepath.Join(dir, "jwt-secret"))
	require.NoError(t, err)
	require.Equal(t, secret, same)
	second.Stop()

	require.NoError(t, os.Chmod(filepath.Join(dir, "jwt-secret"), 0o644))
	third := start(t, dir)
	require.Contains(t, third.Log.String(), "others may read the signing secret")
}

func TestTokensAreInvalidAfterTheSecretChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	asha := processtest.SignUp(t, first.URL, "asha")
	first.Stop()
	second := start(t, dir, "--jwt-secret-file", processtest.TempFile(t, strings.Repeat("another secret ", 4)))
	asha.At(second.URL).Must(t, http.StatusUnauthorized, "GET", "/train/view-bookings/", nil)
}

func TestDemoAddsTrainsOnlyToAnEmptyStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, "--demo")
	found := processtest.NewClient(first.URL).Must(t, http.StatusOK, "GET", "/v1/trains", nil)
	require.Equal(t, 6, strings.Count(string(found.Body), `"name"`))
	duranto := processtest.NewClient(first.URL).Must(t, http.StatusOK, "GET", "/train/get-trains/?source=jaipur&destination=MUMBAI", nil)
	require.Contains(t, string(duranto.Body), `"train_name":"Duranto Express"`)
	require.Contains(t, string(duranto.Body), `"seat_available":[1,2,3,4,5,6,7,8,9,10]`)
	first.Stop()

	second := start(t, dir, "--demo")
	require.Equal(t, found.Body, processtest.NewClient(second.URL).Must(t, http.StatusOK, "GET", "/v1/trains", nil).Body)
	second.Stop()

	own := t.TempDir()
	third := start(t, own)
	createAdmin(t, own, third.URL).AddTrain(t, 10)
	third.Stop()
	fourth := start(t, own, "--demo")
	found = processtest.NewClient(fourth.URL).Must(t, http.StatusOK, "GET", "/v1/trains", nil)
	require.Equal(t, 1, strings.Count(string(found.Body), `"name"`))
}

func TestServiceTokenMayChangeTrains(t *testing.T) {
	t.Parallel()
	const token = "a-service-token-of-forty-characters-0001"
	s := start(t, t.TempDir(), "--service-token-file", processtest.TempFile(t, token+"\n"))
	machine := processtest.NewClient(s.URL)
	machine.Token = token
	machine.AddTrain(t, 10)
	machine.Must(t, http.StatusForbidden, "GET", "/v1/users", nil)
}

func TestMetricsAndProfilesAreOnTheirOwnPort(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--pprof")
	processtest.NewClient(s.URL).Must(t, http.StatusNotFound, "GET", "/metrics", nil)
	processtest.NewClient(s.URL).Must(t, http.StatusNotFound, "GET", "/debug/pprof/", nil)
	operations := processtest.NewClient(strings.TrimSuffix(s.Metrics, "/metrics"))
	metrics := operations.Must(t, http.StatusOK, "GET", "/metrics", nil)
	require.Contains(t, string(metrics.Body), `trainbooking_build_info{version="devel"} 1`)
	require.Contains(t, string(metrics.Body), "trainbooking_http_requests_total")
	require.Contains(t, string(metrics.Body), "go_goroutines")
	operations.Must(t, http.StatusOK, "GET", "/debug/pprof/", nil)

	without := start(t, t.TempDir())
	processtest.NewClient(strings.TrimSuffix(without.Metrics, "/metrics")).Must(t, http.StatusNotFound, "GET", "/debug/pprof/", nil)
}
