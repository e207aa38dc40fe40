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
)

func TestRestartKeepsHoldsWithTheirRemainingTimeAndBookings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	train := createAdmin(t, dir, first.url).addTrain(t, 10)
	asha, ravi := signUp(t, first.url, "asha"), signUp(t, first.url, "ravi")
	booked, err := asha.lock(train, 1)
	require.NoError(t, err)
	asha.must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": booked.SeatID})
	held := asha.must(t, http.StatusOK, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": 2})
	first.stop()

	second := start(t, dir)
	asha, ravi = asha.at(second.url), ravi.at(second.url)
	again := asha.must(t, http.StatusOK, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": 2})
	require.Equal(t, held.HoldID, again.HoldID)
	require.Equal(t, held.ExpiresAt, again.ExpiresAt)
	refused := ravi.must(t, http.StatusConflict, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": 2})
	require.Equal(t, "seat_locked", refused.Code)
	asha.must(t, http.StatusOK, "POST", "/train/confirm-booking/", object{"seat_id": held.SeatID})
	require.Equal(t, []int{1, 2}, asha.bookedSeats(t))
	second.stop()
}

func TestHoldEndsAtItsTimeThoughTheServiceWasKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, "--hold-ttl", "1s")
	train := createAdmin(t, dir, first.url).addTrain(t, 10)
	asha := signUp(t, first.url, "asha")
	held := asha.must(t, http.StatusOK, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": 1})
	ravi := signUp(t, first.url, "ravi")
	first.kill()

	second := start(t, dir)
	asha, ravi = asha.at(second.url), ravi.at(second.url)
	require.Eventually(t, func() bool {
		r, err := ravi.lock(train, 1)
		require.NoError(t, err)
		return r.status == http.StatusOK
	}, patience, 50*time.Millisecond, "the seat is free again")
	require.False(t, time.Now().Before(held.ExpiresAt), "not before its time")
	refused := asha.must(t, http.StatusConflict, "POST", "/train/confirm-booking/", object{"seat_id": held.SeatID})
	require.Equal(t, "seat_not_locked", refused.Code)
}

// halfSent is a request whose handler runs and waits for the rest of the body.
type halfSent struct {
	conn   net.Conn
	reader *bufio.Reader
	rest   string
}

// sendHalf begins to lock a seat. The server asks for the body (100 Continue) when the
// handler reads it, so from then on the request is in flight.
func sendHalf(t *testing.T, c *client, train string, seat int) *halfSent {
	t.Helper()
	body := fmt.Sprintf(`{"train_id":%q,"seat_number":%d}`, train, seat)
	address := strings.TrimPrefix(c.url, "http://")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "POST /train/book-ticket/ HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", address, c.token, len(body))
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
	answer, err := http.ReadResponse(h.reader, nil)
	require.NoError(t, err)
	return answer
}

func TestRequestInFlightIsAnsweredAfterSIGTERM(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	train := createAdmin(t, dir, s.url).addTrain(t, 10)
	asha := signUp(t, s.url, "asha")
	half := sendHalf(t, asha, train, 7)

	s.signal(syscall.SIGTERM)
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, 10*time.Millisecond, "new connections are refused")
	answer := half.finish(t)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, 0, s.wait())

	// What was acknowledged on the way out is there.
	again := start(t, dir)
	ravi := signUp(t, again.url, "ravi")
	ravi.must(t, http.StatusConflict, "POST", "/train/book-ticket/", object{"train_id": train, "seat_number": 7})
}

func TestSecondSignalEndsAtOnceWithOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	train := createAdmin(t, dir, s.url).addTrain(t, 10)
	sendHalf(t, signUp(t, s.url, "asha"), train, 7) // keeps the service from ending
	s.signal(syscall.SIGTERM)
	s.log.await(t, s.exited, `"msg":"stopping"`)
	s.signal(syscall.SIGINT)
	require.Equal(t, 1, s.wait())
}

func TestSecretIsMadeOnceForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "at", "start")
	first := start(t, dir)
	asha := signUp(t, first.url, "asha")
	first.stop()
	for name, mode := range map[string]os.FileMode{".": 0o700, "jwt-secret": 0o600, "trainbooking.db": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	secret, err := os.ReadFile(filepath.Join(dir, "jwt-secret"))
	require.NoError(t, err)
	require.NotContains(t, first.log.String(), strings.TrimSpace(string(secret)))

	second := start(t, dir)
	asha.at(second.url).must(t, http.StatusOK, "GET", "/train/view-bookings/", nil)
	same, err := os.ReadFile(filepath.Join(dir, "jwt-secret"))
	require.NoError(t, err)
	require.Equal(t, secret, same)
	second.stop()

	require.NoError(t, os.Chmod(filepath.Join(dir, "jwt-secret"), 0o644))
	third := start(t, dir)
	require.Contains(t, third.log.String(), "others may read the signing secret")
}

func TestOtherSecretMakesTokensWorthless(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	asha := signUp(t, first.url, "asha")
	first.stop()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("another secret ", 4)), 0o600))
	second := start(t, dir, "--jwt-secret-file", file)
	asha.at(second.url).must(t, http.StatusUnauthorized, "GET", "/train/view-bookings/", nil)
}

func TestDemoAddsTrainsOnlyWhereThereAreNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, "--demo")
	found := newClient(first.url).must(t, http.StatusOK, "GET", "/v1/trains", nil)
	require.Equal(t, 6, strings.Count(string(found.body), `"name"`))
	duranto := newClient(first.url).must(t, http.StatusOK, "GET", "/train/get-trains/?source=jaipur&destination=MUMBAI", nil)
	require.Contains(t, string(duranto.body), `"train_name":"Duranto Express"`)
	require.Contains(t, string(duranto.body), `"seat_available":[1,2,3,4,5,6,7,8,9,10]`)
	first.stop()

	second := start(t, dir, "--demo")
	require.Equal(t, found.body, newClient(second.url).must(t, http.StatusOK, "GET", "/v1/trains", nil).body)
	second.stop()

	own := t.TempDir()
	third := start(t, own)
	createAdmin(t, own, third.url).addTrain(t, 10)
	third.stop()
	fourth := start(t, own, "--demo")
	found = newClient(fourth.url).must(t, http.StatusOK, "GET", "/v1/trains", nil)
	require.Equal(t, 1, strings.Count(string(found.body), `"name"`))
}

func TestServiceTokenMayChangeTrains(t *testing.T) {
	t.Parallel()
	const token = "a-service-token-of-forty-characters-0001"
	file := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	s := start(t, t.TempDir(), "--service-token-file", file)
	machine := newClient(s.url)
	machine.token = token
	machine.addTrain(t, 10)
	machine.must(t, http.StatusForbidden, "GET", "/v1/users", nil)
}

func TestMetricsAndProfilesAreOnTheirOwnPort(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--pprof")
	newClient(s.url).must(t, http.StatusNotFound, "GET", "/metrics", nil)
	newClient(s.url).must(t, http.StatusNotFound, "GET", "/debug/pprof/", nil)
	operations := newClient(strings.TrimSuffix(s.metrics, "/metrics"))
	metrics := operations.must(t, http.StatusOK, "GET", "/metrics", nil)
	require.Contains(t, string(metrics.body), `trainbooking_build_info{version="devel"} 1`)
	require.Contains(t, string(metrics.body), "trainbooking_http_requests_total")
	require.Contains(t, string(metrics.body), "go_goroutines")
	operations.must(t, http.StatusOK, "GET", "/debug/pprof/", nil)

	without := start(t, t.TempDir())
	newClient(strings.TrimSuffix(without.metrics, "/metrics")).must(t, http.StatusNotFound, "GET", "/debug/pprof/", nil)
}
