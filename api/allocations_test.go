package api_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

// rawClient sends requests over one connection without allocating for each.
type rawClient struct {
	net.Conn
	buffer []byte
}

func newRawClient(t *testing.T, s *testServer) *rawClient {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return &rawClient{connection, make([]byte, 1<<16)}
}

// rawRequest returns the bytes of a request.
func rawRequest(method, path, token, body string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, token, len(body), body)
}

// do sends a request and returns its response, which is valid until the next one.
func (c *rawClient) do(request []byte) ([]byte, error) {
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	for n := 0; ; {
		more, err := c.Read(c.buffer[n:])
		if err != nil {
			return nil, err
		}
		n += more
		response := c.buffer[:n]
		if end := bytes.Index(response, []byte("\r\n\r\n")); end >= 0 && n >= end+4+contentLength(response[:end]) {
			return response, nil
		}
	}
}

func contentLength(header []byte) (n int) {
	const name = "Content-Length: "
	if i := bytes.Index(header, []byte(name)); i >= 0 {
		for _, digit := range header[i+len(name):] {
			if digit < '0' || digit > '9' {
				break
			}
			n = 10*n + int(digit-'0')
		}
	}
	return n
}

// allocations returns how often the process allocates for each of some requests.
func allocations(t *testing.T, c *rawClient, requests [][]byte) int {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, request := range requests {
		response, err := c.do(request)
		if err != nil || !bytes.HasPrefix(response, []byte("HTTP/1.1 200 ")) {
			t.Fatalf("%s: %v", response, err)
		}
	}
	runtime.ReadMemStats(&after)
	return int(after.Mallocs-before.Mallocs) / len(requests)
}

// The limits are those of one request at a time, each in a batch of its own, with the race detector,
// which adds a tenth. net/http and Echo need 30 of them, and what this client and SQLite's driver
// allocate is in them too.
func TestARequestAllocatesAtMost(t *testing.T) { //nolint:paralleltest // it counts what the whole process allocates
	const seats, maxLock, maxConfirm, maxSearch = 200, 180, 230, 40
	s := newTestServer(t, func(o *api.Options, rules *booking.HoldRules) {
		rules.MaxSeats = seats
		o.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil))
	})
	token := s.user(t, "asha")
	r := s.do(t, request{method: "POST", path: "/v1/trains", token: serviceToken, body: fmt.Sprintf(
		`{"name":"Express","capacity":%d,"stops":[{"station":"Delhi"},{"station":"Mumbai"}]}`, 2*seats)})
	id, err := booking.ParseTrainID(r.str(t, "id"))
	require.NoError(t, err)
	var locks, confirms, searches [][]byte
	for n := 1; n <= seats; n++ {
		locks = append(locks, rawRequest("POST", "/train/book-ticket/", token, fmt.Sprintf(`{"train_id":%q,"seat_number":%d}`, id, n)))
		confirms = append(confirms, rawRequest("POST", "/train/confirm-booking/", token, fmt.Sprintf(`{"seat_id":%q}`, id.Seat(n))))
		searches = append(searches, rawRequest("GET", "/train/get-trains/?source=Delhi&destination=Mumbai", token, ""))
	}
	c := newRawClient(t, s)
	for _, row := range []struct {
		name     string
		requests [][]byte
		limit    int
	}{{"lock", locks, maxLock}, {"confirm", confirms, maxConfirm}, {"search", searches, maxSearch}} {
		allocations(t, c, row.requests[:10]) // what is allocated once
		each := allocations(t, c, row.requests[10:])
		t.Logf("%s: %d allocations", row.name, each)
		require.LessOrEqual(t, each, row.limit, row.name)
	}
}
