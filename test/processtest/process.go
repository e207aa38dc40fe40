package processtest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Process is a running command that writes a log.
type Process struct {
	Log *Lines

	t       *testing.T
	process *exec.Cmd
	exited  chan struct{}
}

// StartProcess starts a command, whose standard error is the log. The process is killed when
// the test ends; the test fails if the race detector of the process reported a race.
func StartProcess(t *testing.T, process *exec.Cmd) *Process {
	t.Helper()
	stderr, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	p := &Process{Log: &Lines{}, t: t, process: process, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		p.Log.Fill(stderr)
		_ = process.Wait() // the exit code is for Process.Wait
	}()
	t.Cleanup(func() {
		_ = process.Process.Kill()
		<-p.exited
		assert.NotContains(t, p.Log.String(), "DATA RACE")
		if t.Failed() {
			t.Logf("the log of the process, without successful requests:\n%s", p.Log.notable())
		}
	})
	return p
}

// Await waits for a line of the log that contains part and returns the first one.
func (p *Process) Await(part string) string {
	p.t.Helper()
	return p.Log.Await(p.t, p.exited, part)
}

// Signal sends a signal to the process.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.process.Process.Signal(sig))
}

// Exited returns a channel that is closed when the process has exited.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait waits until the process has exited and returns its exit code, -1 after a kill.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.process.ProcessState.ExitCode()
	case <-time.After(Timeout):
		require.Fail(p.t, "the process does not exit", p.Log.String())
		return -1
	}
}

// Stop stops the process with SIGTERM and requires the exit code 0.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	require.Equal(p.t, 0, p.Wait(), "the exit code after SIGTERM")
}

// Kill kills the process with SIGKILL.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	p.Wait()
}

// PeakMemory returns the peak resident set size of the process in bytes.
func (p *Process) PeakMemory() int {
	p.t.Helper()
	return p.status("VmHWM:")
}

// Memory returns the resident set size of the process in bytes.
func (p *Process) Memory() int {
	p.t.Helper()
	return p.status("VmRSS:")
}

// status returns a size in bytes from the status of the process.
func (p *Process) status(name string) int {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Process.Pid))
	require.NoError(p.t, err)
	_, after, found := strings.Cut(string(status), name)
	require.True(p.t, found)
	var kilobytes int
	_, err = fmt.Sscan(after, &kilobytes)
	require.NoError(p.t, err)
	return kilobytes << 10
}
