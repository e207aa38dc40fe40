package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

func TestForwardedAddressIsUsedOnlyFromATrustedProxy(t *testing.T) {
	t.Parallel()
	header := map[string][]string{"X-Forwarded-For": {"203.0.113.7"}, "X-Real-Ip": {"203.0.113.8"}}
	for want, s := range map[string]*testServer{
		"127.0.0.1":   newTestServer(t),
		"203.0.113.7": newTestServer(t, trusting("127.0.0.0/8")),
	} {
		r := s.do(t, request{method: "GET", path: "/healthz", header: header})
		require.Equal(t, want, s.log.requests(t, r.header.Get("X-Request-Id"))[0]["address"])
	}
}

// addressOf returns the address that the server logs for a request.
func (s *testServer) addressOf(t *testing.T, forwarded ...string) any {
	t.Helper()
	r := s.do(t, request{method: "GET", path: "/healthz", header: http.Header{"X-Forwarded-For": forwarded}})
	return s.log.requests(t, r.header.Get("X-Request-Id"))[0]["address"]
}

func TestClientIsTheLastForwardedAddressThatIsNoProxy(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, trusting("127.0.0.0/8"), trusting("10.0.0.0/8"), trusting("fd00::/8"))
	for name, test := range map[string]struct {
		forwarded []string
		want      string
	}{
		"none":                       {nil, "127.0.0.1"},
		"one":                        {[]string{"203.0.113.77"}, "203.0.113.77"},
		"with a port":                {[]string{"203.0.113.77:4711"}, "203.0.113.77"},
		"IPv6":                       {[]string{"2001:db8::1"}, "2001:db8::1"},
		"IPv6 in brackets":           {[]string{"[2001:db8::1]"}, "2001:db8::1"},
		"IPv6 with a port":           {[]string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		"IPv6 with a zone":           {[]string{"fe80::1%eth0"}, "fe80::1"},
		"IPv6 with a zone and port":  {[]string{"[fe80::1%25eth0]:4711"}, "fe80::1"},
		"IPv4 in IPv6":               {[]string{"[::ffff:203.0.113.77]:4711"}, "203.0.113.77"},
		"spaces":                     {[]string{" \t203.0.113.77:4711 \t"}, "203.0.113.77"},
		"behind proxies":             {[]string{"203.0.113.77:4711, 10.0.0.1:80,[fd00::1]:80"}, "203.0.113.77"},
		"proxies in IPv6 form":       {[]string{"203.0.113.77, ::ffff:10.0.0.1"}, "203.0.113.77"},
		"the client's own entry":     {[]string{"198.51.100.1, 203.0.113.77:4711"}, "203.0.113.77"},
		"the client's own line":      {[]string{"198.51.100.1", "203.0.113.77:4711"}, "203.0.113.77"},
		"several lines":              {[]string{"203.0.113.77:4711", "10.0.0.1, 10.0.0.2"}, "203.0.113.77"},
		"only proxies":               {[]string{"10.0.0.2:80, 10.0.0.1"}, "10.0.0.2"},
		"empty entries":              {[]string{"", "203.0.113.77, ,", ","}, "203.0.113.77"},
		"unknown":                    {[]string{"unknown"}, "127.0.0.1"},
		"obfuscated":                 {[]string{"203.0.113.77, _hidden, 10.0.0.1:80"}, "10.0.0.1"},
		"a name":                     {[]string{"203.0.113.77, example.org"}, "127.0.0.1"},
		"a port that is none":        {[]string{"203.0.113.77:port"}, "127.0.0.1"},
		"a port out of range":        {[]string{"203.0.113.77:65536"}, "127.0.0.1"},
		"IPv4 in brackets":           {[]string{"[203.0.113.77]"}, "127.0.0.1"},
		"an unfinished bracket":      {[]string{"[2001:db8::1"}, "127.0.0.1"},
		"a network":                  {[]string{"203.0.113.0/24"}, "127.0.0.1"},
		"garbage before the client":  {[]string{"garbage, 203.0.113.77"}, "203.0.113.77"},
		"an address behind a client": {[]string{"10.0.0.9, 203.0.113.77, 10.0.0.1"}, "203.0.113.77"},
	} {
		require.Equal(t, test.want, s.addressOf(t, test.forwarded...), name)
	}
}

func TestForwardedEntryWithoutAnAddressIsLoggedOnce(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, trusting("127.0.0.0/8"))
	long := strings.Repeat("x", 1000)
	for range 3 {
		require.Equal(t, "127.0.0.1", s.addressOf(t, "203.0.113.7, "+long))
	}
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(s.log.String())), func(line string) bool {
		return !strings.Contains(line, `"level":"WARN"`)
	})
	require.Len(t, lines, 1)
	require.Contains(t, lines[0], `"proxy":"127.0.0.1","entry":"`+long[:64]+`"}`)
}

// Two clients of a gateway that adds their ports do not share the limit of failed logins.
func TestClientsOfAProxyThatSendsPortsAreLimitedApart(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, trusting("127.0.0.0/8"))
	s.user(t, "asha")
	login := func(from, password string) response {
		return s.do(t, request{
			method: "POST", path: "/user/login/", body: `{"username":"asha","password":"` + password + `"}`,
			header: http.Header{"X-Forwarded-For": {from}},
		})
	}
	for _, clients := range [][3]string{
		{"203.0.113.77:4711", "203.0.113.77:4712", "203.0.113.78:4711"},
		{"[2001:db8::1]:4711", "[2001:db8::1]:4712", "[2001:db8:0:1::1]:4711"},
	} {
		for range auth.DefaultLoginFailures {
			require.Equal(t, 401, login(clients[0], "wrong horse").status)
		}
		requireProblem(t, 429, booking.CodeRateLimited, "", login(clients[1], password))
		require.Equal(t, 200, login(clients[2], password).status, clients[2])
	}
}
