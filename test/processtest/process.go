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

// StartProcess starts a command, whose error output is the log. It is killed when the test
// is over.
func StartProcess(t *testing.T, process *exec.Cmd) *Process {
	t.Helper()
	stderr, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	p := &Process{Log: &Lines{}, t: t, process: process, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		p.Log.Fill(stderr)
		_ = process.Wait() // the exit code is looked at where it matters
	}()
	t.Cleanup(func() {
		_ = process.Process.Kill()
		<-p.exited
		assert.NotContains(t, p.Log.String(), "DATA RACE")
		if t.Failed() {
			t.Logf("the log of the process, without requests that went well:\n%s", p.Log.notable())
		}
	})
	return p
}

// Await returns the first line of the log that has part in it, also one that is yet to
// come.
func (p *Process) Await(part string) string {
	p.t.Helper()
	return p.Log.Await(p.t, p.exited, part)
}

// Signal sends a signal to the process.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.process.Process.Signal(sig))
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait waits for the end of the process and returns its exit code, -1 after a kill.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.process.ProcessState.ExitCode()
	case <-time.After(Timeout):
		require.Fail(p.t, "the process does not end", p.Log.String())
		return -1
	}
}

// Stop ends the process as an operator does.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	require.Equal(p.t, 0, p.Wait(), "the exit code after SIGTERM")
}

// Kill ends it as a power cut does, as far as a process can tell.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	p.Wait()
}

// PeakMemory returns the most memory that the process has had resident, in bytes.
func (p *Process) PeakMemory() int {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Process.Pid))
	require.NoError(p.t, err)
	_, after, found := strings.Cut(string(status), "VmHWM:")
	require.True(p.t, found)
	var kilobytes int
	_, err = fmt.Sscan(after, &kilobytes)
	require.NoError(p.t, err)
	return kilobytes << 10
}
