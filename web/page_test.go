package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/web"
)

// response is what the page responded.
type response struct {
	status int
	header http.Header
	body   string
}

// get sends a request to the page, with a header given as names and values.
func get(t *testing.T, page *web.Page, path string, header ...string) response {
	t.Helper()
	return do(t, page, http.MethodGet, path, header...)
}

func do(t *testing.T, page *web.Page, method, path string, header ...string) response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return response{w.Code, w.Header(), w.Body.String()}
}

// assets returns the URLs that index.html names.
func assets(t *testing.T, page *web.Page) []string {
	t.Helper()
	urls := regexp.MustCompile(`"(/assets/[^"]+\.[0-9a-f]{12}\.\w+)"`).FindAllStringSubmatch(get(t, page, "/").body, -1)
	require.NotEmpty(t, urls)
	var all []string
	for _, match := range urls {
		all = append(all, match[1])
	}
	return all
}

func TestEveryPathOfAViewIsTheSameDocument(t *testing.T) {
	t.Parallel()
	page := web.New()
	index := get(t, page, "/").body
	require.True(t, strings.HasPrefix(index, "<!doctype html>"))
	for _, path := range web.Paths {
		if strings.HasSuffix(path, "*") {
			continue
		}
		r := get(t, page, path+"?from=Jaipur")
		require.Equal(t, http.StatusOK, r.status, path)
		require.Equal(t, "text/html; charset=utf-8", r.header.Get("Content-Type"))
		require.Equal(t, "no-cache", r.header.Get("Cache-Control"))
		require.Equal(t, index, r.body, path)
	}
}

func TestAssetsAreCachedForEver(t *testing.T) {
	t.Parallel()
	page := web.New()
	for _, url := range assets(t, page) {
		r := get(t, page, url)
		require.Equal(t, http.StatusOK, r.status, url)
		require.Equal(t, "public, max-age=31536000, immutable", r.header.Get("Cache-Control"))
		require.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"))
		require.Equal(t, "default-src 'none'", r.header.Get("Content-Security-Policy"))
		require.Regexp(t, `^(text/(javascript|css); charset=utf-8|image/svg\+xml)$`, r.header.Get("Content-Type"))
		require.NotEmpty(t, r.body, url)
	}
}

func TestFileOfAnotherVersionIsNotFound(t *testing.T) {
	t.Parallel()
	page := web.New()
	for _, path := range []string{
		"/assets/main.0123456789ab.js", "/assets/main.js", "/assets/", "/assets/../page.go",
		"/assets/vendor/lit/LICENSE", "/assets/index.html",
	} {
		require.False(t, page.Has(path), path)
		require.Equal(t, http.StatusNotFound, get(t, page, path).status, path)
	}
	require.True(t, page.Has("/trains/1"))
	require.True(t, page.Has(assets(t, page)[0]))
}

func TestKnownVersionIsNotSentAgain(t *testing.T) {
	t.Parallel()
	page := web.New()
	for _, path := range append(assets(t, page), "/") {
		for _, coding := range []string{"", "gzip"} {
			first := get(t, page, path, "Accept-Encoding", coding)
			again := get(t, page, path, "Accept-Encoding", coding, "If-None-Match", first.header.Get("ETag"))
			require.Equal(t, http.StatusNotModified, again.status, path)
			require.Empty(t, again.body)
			require.Equal(t, first.header.Get("Cache-Control"), again.header.Get("Cache-Control"))
		}
		require.Equal(t, http.StatusOK, get(t, page, path, "If-None-Match", `"another"`).status)
	}
}

func TestContentIsCompressedForWhoAcceptsIt(t *testing.T) {
	t.Parallel()
	page := web.New()
	plain := get(t, page, "/")
	want := plain.body
	for accepted, compressed := range map[string]bool{
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.0, br": false, "gzip;q=x": false, "xgzip": false,
		"gzip": true, "GZIP": true, "br, gzip": true, "br;q=1.0, gzip;q=0.5": true, "deflate,gzip ; q=1": true,
	} {
		r := get(t, page, "/", "Accept-Encoding", accepted)
		require.Equal(t, "Accept-Encoding", r.header.Get("Vary"))
		if !compressed {
			require.Empty(t, r.header.Get("Content-Encoding"), accepted)
			require.Equal(t, want, r.body)
			continue
		}
		require.Equal(t, "gzip", r.header.Get("Content-Encoding"), accepted)
		require.NotEqual(t, plain.header.Get("ETag"), r.header.Get("ETag"))
		z, err := gzip.NewReader(strings.NewReader(r.body))
		require.NoError(t, err)
		got, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestOnlyGetAndHeadAreAllowed(t *testing.T) {
	t.Parallel()
	page := web.New()
	head := do(t, page, http.MethodHead, "/")
	require.Equal(t, http.StatusOK, head.status)
	require.Empty(t, head.body)
	require.Equal(t, get(t, page, "/").header, head.header)
	post := do(t, page, http.MethodPost, "/")
	require.Equal(t, http.StatusMethodNotAllowed, post.status)
	require.Equal(t, "GET, HEAD", post.header.Get("Allow"))
}
