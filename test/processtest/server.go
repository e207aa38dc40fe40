package processtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Timeout bounds every wait of a test. It is long because build machines are slow; a test
// that succeeds does not wait for it.
const Timeout = 30 * time.Second

// Server is a running process of trainbooking serve.
type Server struct {
	*Process

	URL     string // of the API
	Metrics string // the URL of its metrics
}

// Start runs trainbooking serve with args on free ports and waits until it listens. A process
// of a cluster may not be ready yet.
func Start(t *testing.T, args ...string) *Server {
	t.Helper()
	return StartIn(t, nil, args...)
}

// StartIn is Start with additional environment variables, NAME=value.
func StartIn(t *testing.T, environ []string, args ...string) *Server {
	t.Helper()
	s := &Server{Process: launch(t, environ, args...)}
	line := s.Await(`"msg":"serving"`)
	var serving struct{ Clients, Metrics string }
	require.NoError(t, json.Unmarshal([]byte(line), &serving))
	s.URL, s.Metrics = serving.Clients, serving.Metrics
	return s
}

// Launch is Start without the wait, for a process that fails before it listens.
func Launch(t *testing.T, args ...string) *Process {
	t.Helper()
	return launch(t, nil, args...)
}

func launch(t *testing.T, environ []string, args ...string) *Process {
	t.Helper()
	process := Command(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}, args...)...)
	process.Env = append(process.Env, environ...)
	return StartProcess(t, process)
}

// Lines is the output of a process, line by line. It is safe for concurrent use.
type Lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed at the next line; nil while no goroutine waits
}

// Fill adds the lines of r until its end.
func (l *Lines) Fill(r io.Reader) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		l.mu.Lock()
		l.text.Write(append(scanner.Bytes(), '\n'))
		if l.changed != nil {
			close(l.changed)
			l.changed = nil
		}
		l.mu.Unlock()
	}
}

func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// notable returns the lines except those of successful requests.
func (l *Lines) notable() string {
	var notable strings.Builder
	for line := range strings.Lines(l.String()) {
		if !strings.Contains(line, `"level":"INFO","msg":"request"`) {
			notable.WriteString(line)
		}
	}
	return notable.String()
}

// find returns the first line that contains part, or else a channel that is closed at the
// next line.
func (l *Lines) find(part string) (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, part) {
			return line, nil
		}
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return "", l.changed
}

// Await waits for a line that contains part and returns the first one. It fails the test when
// exited is closed without such a line.
func (l *Lines) Await(t *testing.T, exited <-chan struct{}, part string) string {
	t.Helper()
	deadline := time.After(Timeout)
	for {
		line, changed := l.find(part)
		if changed == nil {
			return line
		}
		select {
		case <-changed:
		case <-exited:
			if line, changed = l.find(part); changed == nil {
				return line
			}
			require.Failf(t, "the process exited", "without the line %s:\n%s", part, l)
		case <-deadline:
			require.Failf(t, "no such line", "%s in:\n%s", part, l)
		}
	}
}

// Command returns trainbooking with args. It has a temporary working directory, and no
// environment variables but PATH and an option of the race detector.
func Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return CommandOf(t, "trainbooking", args...)
}

// CommandOf returns the named command, which Main has built, as Command does.
func CommandOf(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(binaries, name), args...) //nolint:gosec // built by Main
	c.Dir = t.TempDir()
	// With the race detector every process sleeps for a second before it exits, by default, so that
	// goroutines that still run may race. Most of what tests of commands took was this.
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=10"}
	return c
}

// TempFile writes a file that is deleted when the test ends, and returns its path.
func TempFile(t *testing.T, contents string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(contents), 0o600))
	return path
}

// Result is the exit code and the output of a command.
type Result struct {
	Code     int
	Out, Err string
}

// RunToEnd runs a command and waits until it exits.
func RunToEnd(t *testing.T, c *exec.Cmd) Result {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if _, exited := err.(*exec.ExitError); !exited { //nolint:errorlint // Run returns it unwrapped
		require.NoError(t, err)
	}
	return Result{Code: c.ProcessState.ExitCode(), Out: out.String(), Err: errs.String()}
}
