package api_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMetricLabelsAreBounded(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	id := s.train(t, "Delhi", "Mumbai").String()
	for _, in := range []request{
		{method: "GET", path: "/v1/trains/" + id},
		{method: "HEAD", path: "/v1/trains/" + id + "/"},
		{method: "GET", path: "/v1/trains/x"},
		{method: "BREW", path: "/v1/trains/x"},
		{method: "BREW", path: "/x/" + id},
	} {
		s.do(t, in)
	}
	text := s.operations(t, false, "/metrics").text
	for _, line := range []string{
		`trainbooking_http_requests_total{method="GET",route="/v1/trains/{id}",status="200"} 1`,
		`trainbooking_http_requests_total{method="HEAD",route="/v1/trains/{id}",status="200"} 1`,
		`trainbooking_http_requests_total{method="GET",route="/v1/trains/{id}",status="404"} 1`,
		`trainbooking_http_requests_total{method="other",route="/v1/trains/{id}",status="405"} 1`,
		`trainbooking_http_requests_total{method="other",route="unmatched",status="404"} 1`,
		`trainbooking_http_request_duration_seconds_count{method="GET",route="/v1/trains/{id}"} 2`,
		`trainbooking_http_requests_in_flight 0`,
	} {
		require.Contains(t, text, line)
	}
	require.NotContains(t, text, id)
	require.NotContains(t, text, "BREW")
}

// Some ResponseWriters return an error for a body after 204. The server must not count it
// as a client that closed its connection.
func TestResponseWithoutABodyIsNotAnError(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	r := httptest.NewRequestWithContext(t.Context(), "DELETE", "/v1/trains/"+s.train(t, "Delhi", "Mumbai").String(), strings.NewReader(""))
	r.Header.Set("Authorization", "Bearer "+serviceToken)
	r.Header.Set("X-Request-Id", "gone")
	s.server.Handler().ServeHTTP(httptest.NewRecorder(), r)
	require.InDelta(t, 204, s.log.requests(t, "gone")[0]["status"], 0)
}

func TestProfilesAreServedOnlyIfEnabled(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	require.Equal(t, 404, s.operations(t, false, "/debug/pprof/").status)
	require.Equal(t, 200, s.operations(t, true, "/debug/pprof/").status)
	require.Equal(t, 200, s.operations(t, true, "/debug/pprof/cmdline").status)
}

func (s *testServer) operations(t *testing.T, profiles bool, path string) response {
	t.Helper()
	recorder := httptest.NewRecorder()
	s.server.OperationsServer(profiles).Handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", path, strings.NewReader("")))
	text, err := io.ReadAll(recorder.Result().Body)
	require.NoError(t, err)
	return response{status: recorder.Code, text: string(text)}
}
