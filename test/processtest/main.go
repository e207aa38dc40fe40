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

// binary is trainbooking, built once for a package's tests.
var binary string

// Main builds trainbooking, with the race detector or without, and runs the tests. It is
// for TestMain and does not return.
func Main(m *testing.M, race bool) { os.Exit(buildAndRun(m, race)) }

func buildAndRun(m *testing.M, race bool) int {
	dir, err := os.MkdirTemp("", "trainbooking-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "trainbooking")
	// Where the module is, as a test of another module may be what runs.
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "trainbooking.dev").Output() //nolint:noctx // it ends
	if err != nil {
		fmt.Fprintln(os.Stderr, "go list:", err)
		return 1
	}
	// What git knows is not asked for: it refuses a checkout of another user.
	build := exec.Command("go", "build", fmt.Sprintf("-race=%t", race), //nolint:gosec,noctx // ours, and ends
		"-buildvcs=false", "-o", binary, "trainbooking.dev/cmd/trainbooking")
	build.Dir = strings.TrimSpace(string(root))
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// HasRaceDetector says whether this test binary was built with it.
func HasRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
