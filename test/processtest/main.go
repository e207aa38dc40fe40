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

// binaries is the directory of the commands, which are built once for the tests of a package.
var binaries string

// Main builds trainbooking and the named other commands of cmd/, with the race detector if
// race is set, and runs the tests. It is for TestMain and does not return.
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
	tags := ""
	if !race { // what is measured is built as by make build
		tags = "grpcnotrace"
	}
	// Without -buildvcs=false the build fails in a checkout that another user owns.
	for _, command := range commands {
		build := exec.Command("go", "build", fmt.Sprintf("-race=%t", race), "-tags="+tags, //nolint:gosec,noctx // no foreign input; it ends
			"-buildvcs=false", "-o", filepath.Join(dir, command), "trainbooking.dev/cmd/"+command)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// HasRaceDetector reports whether this test binary was built with the race detector.
func HasRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
