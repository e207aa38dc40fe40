package embedded_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
	"trainbooking.dev/web"
)

func TestPageIsServedUnlessItIsTurnedOff(t *testing.T) {
	t.Parallel()
	index := string(get(t, start(t, t.TempDir()), 200, "/"))
	require.Contains(t, index, `<script type="importmap">`)
	off := start(t, t.TempDir(), "--page=false")
	for _, path := range web.Paths {
		require.Contains(t, string(get(t, off, 404, strings.TrimSuffix(path, "*"))), "No such path", path)
	}
	get(t, off, 200, "/docs")
}

// If the page and the API had the same path, the API would serve it.
func TestEveryPathOfThePageIsServed(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	index := get(t, s, 200, "/")
	for _, path := range web.Paths {
		if !strings.HasSuffix(path, "*") {
			require.Equal(t, index, get(t, s, 200, path), path)
			require.Equal(t, index, get(t, s, 200, path+"?from=Delhi"), path)
		}
	}
	require.Contains(t, string(get(t, s, 404, "/assets/main.js")), "No such path")
}

func get(t *testing.T, s *processtest.Server, status int, path string) []byte {
	t.Helper()
	return processtest.NewClient(s.URL).Must(t, status, "GET", path, nil).Body
}
