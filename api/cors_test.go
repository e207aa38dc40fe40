package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

const (
	ours    = "https://a.example"
	foreign = "https://evil.example"
)

// withOrigins lets pages of two origins call the API.
func withOrigins(o *api.Options, _ *booking.HoldRules) {
	o.Origins = []string{ours, "http://localhost:3000"}
}

// corsHeaders are the headers of CORS in a response.
func corsHeaders(header http.Header) []string {
	var names []string
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	return names
}

// preflight sends what a browser sends before the request of a page.
func (s *testServer) preflight(t *testing.T, origin, method, path, headers string) (status int, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.url+path, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", method)
	r.Header.Set("Access-Control-Request-Headers", headers)
	resp, err := s.client.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, resp.Header
}

func TestPreflightOfEachRouteIsAllowedForItsOrigins(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withOrigins)
	for _, operation := range s.server.Operations() {
		path := strings.NewReplacer("{", "", "}", "").Replace(operation.Path)
		status, header := s.preflight(t, ours, operation.Method, path, "authorization,content-type,idempotency-key,last-event-id")
		require.Equal(t, 204, status, path)
		require.Equal(t, ours, header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, strings.Split(header.Get("Access-Control-Allow-Methods"), ", "), operation.Method)
		allowed := strings.ToLower(header.Get("Access-Control-Allow-Headers"))
		for _, name := range []string{"authorization", "content-type", "idempotency-key", "last-event-id", "x-request-id", "traceparent"} {
			require.Contains(t, strings.Split(allowed, ", "), name)
		}
		require.Equal(t, "7200", header.Get("Access-Control-Max-Age"))
		require.Empty(t, header.Get("Access-Control-Allow-Credentials"))
		require.Contains(t, strings.Join(header.Values("Vary"), ", "), "Origin")

		_, header = s.preflight(t, foreign, operation.Method, path, "")
		require.Empty(t, corsHeaders(header), path)
	}
	_, header := s.preflight(t, ours, "GET", "/v1/trains", "")
	require.Equal(t, "DEBUG", s.log.requests(t, header.Get("X-Request-Id"))[0]["level"])
}

func TestEveryResponseToAnAllowedOriginCanBeRead(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withOrigins, searchFails(func(context.Context) error {
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, nil)
	}))
	for range 11 {
		s.post(t, "", "/user/login/", `{"username":"asha","password":"wrong horse"}`)
	}
	for want, in := range map[int]request{
		200: {method: "GET", path: "/v1/trains"},
		401: {method: "GET", path: "/v1/bookings"},
		404: {method: "GET", path: "/nowhere"},
		405: {method: "PUT", path: "/v1/trains"},
		400: {method: "POST", path: "/user/register/", body: "{"},
		429: {method: "POST", path: "/user/login/", body: `{"username":"asha","password":"wrong horse"}`},
		431: {method: "GET", path: "/healthz", header: http.Header{"X": {strings.Repeat("x", 17<<10)}}},
		503: {method: "GET", path: search},
	} {
		for origin, allowed := range map[string]bool{ours: true, foreign: false, "": false, "null": false, ours + ".evil.example": false} {
			given := in
			given.header = in.header.Clone()
			if given.header == nil {
				given.header = http.Header{}
			}
			if origin != "" {
				given.header.Set("Origin", origin)
			}
			r := s.do(t, given)
			require.Equal(t, want, r.status, r.text)
			require.Equal(t, "Origin", r.header.Get("Vary"), "also for a cache between two origins")
			if !allowed {
				require.Empty(t, corsHeaders(r.header), origin)
				continue
			}
			require.Equal(t, ours, r.header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, "Location, Retry-After, X-Request-Id", r.header.Get("Access-Control-Expose-Headers"))
			require.Len(t, corsHeaders(r.header), 2, "no credentials")
		}
	}
}

func TestStreamCanBeReadByAnAllowedOrigin(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withOrigins)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/trains/"+s.train(t, "A", "B").String()+"/events", http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Origin", ours)
	resp, err := s.client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, ours, resp.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
}

// The cookie stays with the page of this server, also for an origin that may call the API.
func TestAllowedOriginCannotUseTheCookie(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withOrigins)
	s.user(t, "asha")
	login := func(cookie string) response {
		return s.do(t, request{
			method: "POST", path: "/user/login/", header: http.Header{"Origin": {ours}, "Sec-Fetch-Site": {"cross-site"}},
			body: `{"username":"asha","password":"` + password + `"` + cookie + `}`,
		})
	}
	require.Equal(t, 200, login("").status)
	requireProblem(t, 403, booking.CodeForbidden, "", login(`,"cookie":true`))
}

func TestWithoutOriginsThereIsNoCORS(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	status, header := s.preflight(t, ours, "GET", "/v1/trains", "")
	require.Equal(t, 405, status)
	require.Empty(t, corsHeaders(header))
	r := s.do(t, request{method: "GET", path: "/v1/trains", header: http.Header{"Origin": {ours}}})
	require.Equal(t, 200, r.status)
	require.Empty(t, corsHeaders(r.header))
	require.Empty(t, r.header.Get("Vary"))

	s = newTestServer(t, withOrigins)
	requireProblem(t, 405, booking.CodeMethodNotAllowed, "", s.do(t, request{method: "OPTIONS", path: "/v1/trains"}))
}
