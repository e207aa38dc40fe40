package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

// logBuffer stores the log. It is safe for concurrent use.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// reset deletes the log.
func (l *logBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// requests returns the log lines of the requests with this id.
func (l *logBuffer) requests(tb testing.TB, id string) (lines []map[string]any) {
	tb.Helper()
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		require.NoError(tb, json.Unmarshal([]byte(line), &fields))
		if fields["msg"] == "request" && fields["request_id"] == id {
			lines = append(lines, fields)
		}
	}
	return lines
}

func TestRequestIsLoggedOnceWithoutItsContents(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	r := s.do(t, request{
		method: "GET", path: "/train/get-trains/?source=Secretville&destination=Mumbai", token: token,
		header: map[string][]string{"X-Request-Id": {"trace-1.a_B"}},
	})
	require.Equal(t, 200, r.status)
	require.Equal(t, "trace-1.a_B", r.header.Get("X-Request-Id"))
	r = s.do(t, request{
		method: "GET", path: "/train/view-bookings/", token: token,
		header: map[string][]string{"X-Request-Id": {"trace-2"}},
	})
	require.Equal(t, 200, r.status)

	lines := s.log.requests(t, "trace-1.a_B")
	require.Len(t, lines, 1)
	require.Equal(t, "DEBUG", lines[0]["level"], "anyone may read it")
	require.Equal(t, "GET", lines[0]["method"])
	require.Equal(t, "/train/get-trains/", lines[0]["route"])
	require.InDelta(t, 200, lines[0]["status"], 0)
	require.InDelta(t, 2, lines[0]["bytes"], 0)
	require.Equal(t, "127.0.0.1", lines[0]["address"])
	require.NotContains(t, lines[0], "user", "the endpoint needs no token")
	lines = s.log.requests(t, "trace-2")
	require.Equal(t, "INFO", lines[0]["level"])
	require.Contains(t, lines[0], "user")
	for _, secret := range []string{"Secretville", password, token} {
		require.NotContains(t, s.log.String(), secret)
	}
}

func TestUnsafeRequestIDIsReplaced(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, given := range []string{"a b", "a\"b", "ä", strings.Repeat("x", 65), "a/b"} {
		r := s.do(t, request{
			method: "GET", path: "/healthz", header: map[string][]string{"X-Request-Id": {given}},
		})
		require.Len(t, r.header.Get("X-Request-Id"), 36)
	}
}

func TestWhatAnyoneReadsIsLoggedAtDebugLevelUnlessItFails(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for path, level := range map[string]string{
		"/healthz": "DEBUG", "/readyz": "DEBUG", "/v1/trains": "DEBUG", "/v1/trains?limit=0": "INFO", "/nowhere": "INFO",
	} {
		r := s.get(t, "", path)
		require.Equal(t, level, s.log.requests(t, r.header.Get("X-Request-Id"))[0]["level"], path)
	}
}

// TestFewOfManyConflictsAreLogged has a train that sells out.
func TestFewOfManyConflictsAreLogged(t *testing.T) {
	t.Parallel()
	var lines api.ConflictLines
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	admit := func(code booking.Code, wantUnlogged int, wantAdmitted bool) {
		t.Helper()
		unlogged, admitted := lines.Admit(code, now)
		require.Equal(t, wantAdmitted, admitted)
		require.Equal(t, wantUnlogged, unlogged)
	}
	for range api.MaxConflictLines {
		admit(booking.CodeSeatBooked, 0, true)
	}
	now = now.Add(999 * time.Millisecond)
	for range 7 {
		admit(booking.CodeSeatBooked, 0, false)
	}
	admit(booking.CodeSeatLocked, 0, true)
	now = now.Add(time.Millisecond)
	admit(booking.CodeSeatBooked, 7, true)
	admit(booking.CodeSeatBooked, 0, true)
}

func TestAConflictIsLogged(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	r := s.do(t, request{
		method: "POST", path: "/train/confirm-booking/", token: s.user(t, "asha"),
		body: fmt.Sprintf(`{"seat_id":%q}`, s.train(t, "Delhi", "Mumbai").Seat(1)),
	})
	require.Equal(t, 409, r.status)
	line := s.log.requests(t, r.header.Get("X-Request-Id"))[0]
	require.Equal(t, "INFO", line["level"])
	require.Equal(t, "seat_not_locked", line["code"])
	require.NotContains(t, line, "unlogged")
}
