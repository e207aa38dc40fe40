package processtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// binaries is where the commands are, built once for a package's tests.
var binaries string

// Main builds trainbooking and the others of cmd/ that are named, with the race detector or
// without, and runs the tests. It is for TestMain and does not return.
func Main(m *testing.M, race bool, others ...string) {
	os.Exit(buildAndRun(m, race, append(others, "trainbooking")))
}

func buildAndRun(m *testing.M, race bool, commands []string) int {
	dir, err := os.MkdirTemp("", "trainbooking-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	// Where the module is, as a test of another module may be what runs.
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "trainbooking.dev").Output() //nolint:noctx // it ends
	if err != nil {
		fmt.Fprintln(os.Stderr, "go list:", err)
		return 1
	}
	// What git knows is not asked for: it refuses a checkout of another user.
	for _, command := range commands {
		build := exec.Command("go", "build", fmt.Sprintf("-race=%t", race), //nolint:gosec,noctx // ours, and ends
			"-buildvcs=false", "-o", filepath.Join(dir, command), "trainbooking.dev/cmd/"+command)
		build.Dir = strings.TrimSpace(string(root))
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// HasRaceDetector reports whether this test binary was built with it.
func HasRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
