package bench_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"trainbooking.dev/test/processtest"
)

// machine describes the machine and the service in lines.
func machine(t *testing.T) []string {
	t.Helper()
	lines := []string{fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		_, model, _ := strings.Cut(string(info), "model name\t: ")
		model, _, _ = strings.Cut(model, "\n")
		lines = append(lines, model)
	}
	version := processtest.RunToEnd(t, processtest.Command(t, "version"))
	return append(lines, strings.TrimSpace(version.Out))
}
