package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

// withPage serves a page that contains the path of the request.
func withPage(o *api.Options, _ *booking.HoldRules) {
	o.Page = &api.WebPage{
		Paths: []string{"/", "/search", "/trains/{id}", "/assets/*"},
		Has:   func(path string) bool { return path != "/assets/old.js" },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if strings.HasPrefix(r.URL.Path, "/assets/") {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			_, _ = io.WriteString(w, "page at "+r.URL.Path)
		}),
	}
}

func TestPageIsServedAtItsPaths(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withPage)
	for path, cache := range map[string]string{
		"/": "no-store", "/search": "no-store", "/search/?from=Delhi": "no-store", "/trains/1": "no-store",
		"/assets/a.js": "public, max-age=31536000, immutable", "/assets/parts/b.js": "public, max-age=31536000, immutable",
	} {
		r := s.get(t, "", path)
		require.Equal(t, 200, r.status, path)
		bare, _, _ := strings.Cut(path, "?")
		require.Equal(t, "page at "+bare, r.text)
		require.Equal(t, "text/html; charset=utf-8", r.header.Get("Content-Type"))
		require.Equal(t, cache, r.header.Get("Cache-Control"), path)
		require.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"))
		require.NotEmpty(t, r.header.Get("X-Request-Id"))
		head := s.do(t, request{method: "HEAD", path: path})
		require.Equal(t, 200, head.status)
		require.Empty(t, head.text)
	}
}

func TestPageLeavesTheAPIAsItIs(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withPage)
	for _, path := range []string{"/v1/trains", "/docs", "/openapi.yaml", "/healthz"} {
		r := s.get(t, "", path)
		require.Equal(t, 200, r.status, path)
		require.NotContains(t, r.text, "page at")
	}
	for _, path := range []string{"/nowhere", "/trains", "/trains/1/2", "/assets/old.js", "/v1", "/user/login/x"} {
		requireProblem(t, 404, booking.CodeNotFound, "No such path", s.get(t, "", path))
	}
	for _, path := range []string{"/", "/search", "/trains/1", "/assets/a.js"} {
		r := s.post(t, "", path, "")
		requireProblem(t, 405, booking.CodeMethodNotAllowed, "", r)
		require.Equal(t, "GET, HEAD", r.header.Get("Allow"))
	}
}

func TestRequestsForThePageAreCountedByItsPaths(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withPage)
	for _, path := range []string{"/", "/trains/1", "/trains/2", "/assets/a.js", "/assets/b/c.js", "/assets/old.js"} {
		s.get(t, "", path)
	}
	text := s.operations(t, false, "/metrics").text
	for _, want := range []string{
		`{method="GET",route="/",status="200"} 1`, `{method="GET",route="/trains/{id}",status="200"} 2`,
		`{method="GET",route="/assets/*",status="200"} 2`, `{method="GET",route="/assets/*",status="404"} 1`,
	} {
		require.Contains(t, text, "trainbooking_http_requests_total"+want)
	}
}
