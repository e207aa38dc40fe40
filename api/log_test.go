package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// logged keeps what was logged. It is safe for concurrent use.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// forget drops what was logged so far.
func (l *logged) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// requests returns the lines of the requests with the id.
func (l *logged) requests(tb testing.TB, id string) (lines []map[string]any) {
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

func TestRequestIsLoggedOnceWithoutWhatItSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
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
	require.Equal(t, "INFO", lines[0]["level"])
	require.Equal(t, "GET", lines[0]["method"])
	require.Equal(t, "/train/get-trains/", lines[0]["route"])
	require.InDelta(t, 200, lines[0]["status"], 0)
	require.InDelta(t, 2, lines[0]["bytes"], 0)
	require.Equal(t, "127.0.0.1", lines[0]["address"])
	require.NotContains(t, lines[0], "user", "nobody was asked who they are")
	require.Contains(t, s.log.requests(t, "trace-2")[0], "user")
	for _, secret := range []string{"Secretville", password, token} {
		require.NotContains(t, s.log.String(), secret)
	}
}

func TestStrangeRequestIDIsReplaced(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, given := range []string{"a b", "a\"b", "ä", strings.Repeat("x", 65), "a/b"} {
		r := s.do(t, request{
			method: "GET", path: "/healthz", header: map[string][]string{"X-Request-Id": {given}},
		})
		require.Len(t, r.header.Get("X-Request-Id"), 36)
	}
}

func TestProbesAreLoggedForDebuggingOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		r := s.get(t, "", path)
		require.Equal(t, "DEBUG", s.log.requests(t, r.header.Get("X-Request-Id"))[0]["level"])
	}
}

func TestForwardedAddressIsNotBelievedUnlessTheProxyIsTrusted(t *testing.T) {
	t.Parallel()
	header := map[string][]string{"X-Forwarded-For": {"203.0.113.7"}, "X-Real-Ip": {"203.0.113.8"}}
	for want, s := range map[string]*site{
		"127.0.0.1":   newSite(t),
		"203.0.113.7": newSite(t, trusting("127.0.0.0/8")),
	} {
		r := s.do(t, request{method: "GET", path: "/healthz", header: header})
		require.Equal(t, want, s.log.requests(t, r.header.Get("X-Request-Id"))[0]["address"])
	}
}
