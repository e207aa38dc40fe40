package openapi_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

const document = "../../api/openapi.yaml"

func TestMain(m *testing.M) { processtest.Main(m, processtest.HasRaceDetector()) }

// packages returns the directory of the npm packages.
func packages(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("client/node_modules")
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "the tests need npm packages, which are not installed: make api-tool")
	return path
}

// tool returns a command of an npm package. It sends nothing to its makers.
func tool(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	command := node(t, append([]string{filepath.Join(packages(t), ".bin", name)}, args...)...)
	command.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	return command
}

func node(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	_, err := exec.LookPath("node")
	require.NoError(t, err, "the tests need Node.js: sudo apt-get install -y nodejs npm")
	return exec.CommandContext(t.Context(), "node", args...)
}

// requireSuccess runs a command that prints why it fails.
func requireSuccess(t *testing.T, command *exec.Cmd) {
	t.Helper()
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
}
