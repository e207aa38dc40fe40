package openapi_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

func TestGeneratedTypesCompileAndTheirClientTakesTheTour(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Symlink(packages(t), filepath.Join(dir, "node_modules")))
	for _, file := range []string{"package.json", "tsconfig.json", "tour.ts"} {
		text, err := os.ReadFile(filepath.Join("client", file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), text, 0o600))
	}
	requireSuccess(t, tool(t, "openapi-typescript", document, "--output", filepath.Join(dir, "openapi.ts")))
	requireSuccess(t, tool(t, "tsc", "--project", dir))

	s := processtest.Start(t, "--data-dir", t.TempDir(), "--demo")
	requireSuccess(t, node(t, filepath.Join(dir, "tour.js"), s.URL))
	require.Equal(t, []int{1}, processtest.LogIn(t, s.URL, "asha", "correct horse").BookedSeats(t))
}
