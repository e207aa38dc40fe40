package processtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
)

// binary is trainbooking, built once for a package's tests.
var binary string

// Main builds trainbooking and runs the tests. It is for TestMain and does not return.
func Main(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "trainbooking-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "trainbooking")
	// What git knows is not asked for: it refuses a checkout of another user.
	build := exec.Command("go", "build", fmt.Sprintf("-race=%t", hasRaceDetector()), //nolint:gosec,noctx // ours, and ends
		"-buildvcs=false", "-o", binary, "trainbooking.dev/cmd/trainbooking")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// hasRaceDetector says whether this test binary was built with it.
func hasRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
