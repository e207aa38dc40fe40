package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenAPIDocumentIsServedUnchanged(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	r := newTestServer(t).get(t, "", "/openapi.yaml")
	require.Equal(t, "application/yaml", r.header.Get("Content-Type"))
	require.Equal(t, string(want), r.text)
}

// The page needs no other host and no inline scripts, so its policy can be strict.
func TestDocsPageLoadsOnlyItsOwnFiles(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	page := s.get(t, "", "/docs")
	require.Equal(t, 200, page.status)
	require.Equal(t, "no-referrer", page.header.Get("Referrer-Policy"))
	policy := page.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'; script-src 'self';")
	require.NotContains(t, policy, "http")
	require.NotContains(t, page.text, "://")
	require.NotRegexp(t, `<script[^>]*>[^<]`, page.text)

	files := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.text, -1)
	require.Len(t, files, 5)
	for _, file := range files {
		r := s.get(t, "", file[1])
		require.Equal(t, 200, r.status, file[1])
		require.NotEmpty(t, r.text)
		require.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"))
		want := map[string]string{".css": "text/css", ".js": "javascript", ".png": "image/png", ".yaml": "application/yaml"}
		require.Contains(t, r.header.Get("Content-Type"), want[filepath.Ext(file[1])], file[1])
	}
	require.Contains(t, s.get(t, "", "/docs/start.js").text, `"/openapi.yaml"`)
}
