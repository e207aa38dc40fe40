package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestTrailingSlashIsOptional(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, path := range []string{
		"/healthz", "/healthz/", "/v1/trains", "/v1/trains/", "/docs", "/docs/", "/openapi.yaml", "/openapi.yaml/",
		"/train/get-trains?source=a&destination=b", "/train/get-trains/?source=a&destination=b",
	} {
		require.Equal(t, 200, s.get(t, "", path).status, path)
	}
}

func TestUnknownPathIsNotFound(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai").String()
	for _, path := range []string{
		"/", "/nowhere", "/v1", "/v1/", "//v1/trains", "/v1//trains", "/V1/trains", "/v1/trains/" + id + "/nowhere",
		"/v1/trains/" + id + "//", "/v1/trains//seats", "/v1/trains/" + id + "/seats/1", "/user/login/../login/",
		"/v1/trains/" + id + "%2Fseats", "/v1/trains/..", "/v1/trains/%2e%2e/trains", "/train/get-trains;x=1",
		"/docs/../openapi.yaml", "/docs/swagger-ui.js.map", "/docs/..%2f..%2fgo.mod", "/v1/trains/%00", "/v1/trains/%ff",
		"/metrics", "/debug/pprof/",
	} {
		r := s.get(t, token, path)
		requireProblem(t, 404, booking.CodeNotFound, "", r)
	}
	require.Equal(t, "No such path", s.get(t, "", "/nowhere").str(t, "error"))
}

func TestMalformedIDInAPathIsNotFound(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.admin(t)
	id := s.train(t, "Delhi", "Mumbai").String()
	for _, bad := range []string{
		"1", strings.ToUpper(id) + "x", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""),
		id[:35] + "1", "00000000-0000-0000-0000-000000000000", "%20", "'", strings.Repeat("a", 2000),
	} {
		for _, in := range []request{
			{method: "GET", path: "/v1/trains/" + bad},
			{method: "GET", path: "/v1/trains/" + bad + "/seats"},
			{method: "GET", path: "/v1/trains/" + bad + "/bookings"},
			{method: "DELETE", path: "/v1/trains/" + bad},
			{method: "DELETE", path: "/v1/holds/" + bad},
			{method: "POST", path: "/v1/holds/" + bad + "/confirm"},
			{method: "DELETE", path: "/v1/bookings/" + bad},
			{method: "GET", path: "/v1/users/" + bad},
		} {
			in.token = token
			requireProblem(t, 404, booking.CodeNotFound, "", s.do(t, in))
		}
	}
}

func TestEscapedPathIsTheSamePath(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	require.Equal(t, 200, s.get(t, "", "/%76%31/trains").status)
}

func TestWrongMethodGetsTheAllowedOnes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	id := s.train(t, "Delhi", "Mumbai").String()
	for _, row := range []struct{ method, path, allow string }{
		{"GET", "/user/login/", "POST"},
		{"GET", "/user/login", "POST"},
		{"OPTIONS", "/user/login/", "POST"},
		{"POST", "/train/get-trains/", "GET, HEAD"},
		{"DELETE", "/v1/trains", "GET, HEAD, POST"},
		{"DELETE", "/v1/trains/", "GET, HEAD, POST"},
		{"POST", "/v1/trains/" + id, "DELETE, GET, HEAD, PUT"},
		{"BREW", "/v1/trains/" + id, "DELETE, GET, HEAD, PUT"},
		{"PUT", "/v1/holds", "GET, HEAD, POST"},
		{"GET", "/v1/holds/x", "DELETE"},
		{"GET", "/v1/holds/x/confirm", "POST"},
		{"POST", "/docs/start.js", "GET, HEAD"},
		{"TRACE", "/healthz", "GET, HEAD"},
	} {
		r := s.do(t, request{method: row.method, path: row.path})
		requireProblem(t, 405, booking.CodeMethodNotAllowed, "Method not allowed", r)
		require.Equal(t, row.allow, r.header.Get("Allow"), "%s %s", row.method, row.path)
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	get, head := s.get(t, "", "/v1/trains"), s.do(t, request{method: "HEAD", path: "/v1/trains"})
	require.Equal(t, get.status, head.status)
	require.Equal(t, get.header.Get("Content-Length"), head.header.Get("Content-Length"))
	require.Empty(t, head.text)
	require.Equal(t, 404, s.do(t, request{method: "HEAD", path: "/nowhere"}).status)
	require.Equal(t, 401, s.do(t, request{method: "HEAD", path: "/train/view-bookings/"}).status)
}

func TestEveryResponseHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, path := range []string{"/v1/trains", "/nowhere", "/user/login/", "/train/view-bookings/"} {
		h := s.get(t, "", path).header
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Empty(t, h.Get("Strict-Transport-Security"), "the proxy sets it, if it has TLS")
		require.NotEmpty(t, h.Get("X-Request-Id"))
	}
}

// Each request fails one check of API.md 3 and every later one.
func TestChecksRunInOrder(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	user, large := s.user(t, "asha"), strings.Repeat("x", 1<<20)
	text := http.Header{"Content-Type": {"text/plain"}}
	for _, row := range []struct {
		request
		status int
	}{
		{request{method: "BREW", path: "/nowhere", body: large, header: text}, 404},
		{request{method: "PUT", path: "/v1/holds", body: large, header: text}, 405},
		{request{method: "POST", path: "/v1/trains", body: large, header: text}, 401},
		{request{method: "POST", path: "/v1/trains", body: large, header: text, token: user}, 403},
		{request{method: "POST", path: "/v1/trains", body: large, header: text, token: serviceToken}, 413},
		{request{method: "POST", path: "/v1/trains", body: "x", header: text, token: serviceToken}, 415},
		{request{method: "POST", path: "/v1/trains", body: "x", token: serviceToken}, 400},
		{request{method: "PUT", path: "/v1/trains/x", body: "x", token: serviceToken}, 400},
		{request{method: "POST", path: "/v1/holds", body: `{"train_id":"` + booking.NewTrainID().String() + `","count":0}`, token: user}, 400},
		{request{method: "POST", path: "/v1/holds", body: `{"train_id":"` + booking.NewTrainID().String() + `","count":1}`, token: user}, 404},
	} {
		r := s.do(t, row.request)
		require.Equal(t, row.status, r.status, "%s %s: %s", row.method, row.path, r.text)
	}
}

func TestHeaderOverTheLimitIsRejected(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	with := func(size int) response {
		return s.do(t, request{method: "GET", path: "/healthz", header: http.Header{"X-Large": {strings.Repeat("x", size)}}})
	}
	require.Equal(t, 200, with(15<<10).status)
	requireProblem(t, 431, booking.CodeTooLarge, "", with(20_000))
	requireProblem(t, 431, booking.CodeTooLarge, "", s.get(t, "", "/healthz?"+strings.Repeat("x", 20_000)))

	// Above the limit of net/http, its own response is plain text.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/healthz", http.NoBody)
	require.NoError(t, err)
	r.Header.Set("X-Large", strings.Repeat("x", 1<<20))
	response, err := s.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.Equal(t, 431, response.StatusCode)
}

func TestServersHaveTimeoutsAndHeaderLimits(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	clients, operations := s.server.HTTPServer(), s.server.OperationsServer(false)
	for _, server := range []*http.Server{clients, operations} {
		require.Positive(t, server.ReadHeaderTimeout)
		require.LessOrEqual(t, server.ReadHeaderTimeout, 10*time.Second)
		require.Positive(t, server.ReadTimeout)
		require.Positive(t, server.IdleTimeout)
		require.LessOrEqual(t, server.MaxHeaderBytes, 32<<10)
	}
	require.Positive(t, clients.WriteTimeout)
}
