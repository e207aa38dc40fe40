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

// Server is a running trainbooking serve.
type Server struct {
	*Process

	URL     string // where clients are served
	Metrics string // the URL of its metrics
}

// Start runs trainbooking serve with args on free ports and waits until it serves. Where
// it was told to join a cluster it may not be ready yet.
func Start(t *testing.T, args ...string) *Server {
	t.Helper()
	return StartIn(t, nil, args...)
}

// StartIn is Start with variables, NAME=value, in the environment.
func StartIn(t *testing.T, environ []string, args ...string) *Server {
	t.Helper()
	s := launch(t, environ, args...)
	line := s.Await(`"msg":"serving"`)
	var serving struct{ Clients, Metrics string }
	require.NoError(t, json.Unmarshal([]byte(line), &serving))
	s.URL, s.Metrics = serving.Clients, serving.Metrics
	return s
}

// Launch is Start that does not wait. The process ends with the test.
func Launch(t *testing.T, args ...string) *Server {
	t.Helper()
	return launch(t, nil, args...)
}

func launch(t *testing.T, environ []string, args ...string) *Server {
	t.Helper()
	process := Command(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}, args...)...)
	process.Env = append(process.Env, environ...)
	return &Server{Process: StartProcess(t, process)}
}

// Lines is a log that one goroutine fills and others wait on.
type Lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and made anew with each line; nil while nobody waits
}

// Fill adds every line of r until it ends.
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

// notable returns the lines but for those of requests that went well.
func (l *Lines) notable() string {
	var notable strings.Builder
	for line := range strings.Lines(l.String()) {
		if !strings.Contains(line, `"level":"INFO","msg":"request"`) {
			notable.WriteString(line)
		}
	}
	return notable.String()
}

// find returns the first line with part, or a channel that is closed when there are more.
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

// Await returns the first line that has part in it, also one that is yet to come.
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
			require.Failf(t, "the process ended", "before it said %s:\n%s", part, l)
		case <-deadline:
			require.Failf(t, "no such line", "%s in:\n%s", part, l)
		}
	}
}

// Command is trainbooking with args, an environment and a directory of its own.
func Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return CommandOf(t, "trainbooking", args...)
}

// CommandOf is a command that Main has built, see Command.
func CommandOf(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(binaries, name), args...) //nolint:gosec // ours
	c.Dir = t.TempDir()
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	return c
}

// Result is what a command that ended has printed.
type Result struct {
	Code     int
	Out, Err string
}

// RunToEnd runs a command and returns what it printed.
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
