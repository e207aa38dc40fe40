package embedded_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must happen. It is long because machines
// that build are slow; nothing waits for it to pass.
const patience = 30 * time.Second

// server is a running trainbooking serve.
type server struct {
	t       *testing.T
	process *exec.Cmd
	url     string // where clients are served
	metrics string
	log     *lines
	exited  chan struct{}
}

// start runs trainbooking serve on dir and free ports and waits until it serves.
func start(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := launch(t, dir, args...)
	line := s.log.await(t, s.exited, `"msg":"serving"`)
	var serving struct{ Clients, Metrics string }
	require.NoError(t, json.Unmarshal([]byte(line), &serving))
	s.url, s.metrics = serving.Clients, serving.Metrics
	return s
}

// launch runs trainbooking serve and does not wait.
func launch(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	process := command(t, append([]string{
		"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
	}, args...)...)
	stderr, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	s := &server{t: t, process: process, log: &lines{}, exited: make(chan struct{})}
	go func() {
		defer close(s.exited)
		s.log.readFrom(stderr)
		_ = process.Wait() // the exit code is looked at where it matters
	}()
	t.Cleanup(func() {
		_ = process.Process.Kill()
		<-s.exited
		assert.NotContains(t, s.log.String(), "DATA RACE")
		if t.Failed() {
			t.Logf("the log of the server:\n%s", s.log)
		}
	})
	return s
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.process.Process.Signal(sig))
}

// wait waits for the end of the process and returns its exit code, -1 after a kill.
func (s *server) wait() int {
	s.t.Helper()
	select {
	case <-s.exited:
		return s.process.ProcessState.ExitCode()
	case <-time.After(patience):
		require.Fail(s.t, "the server does not end", s.log.String())
		return -1
	}
}

// stop ends the server as an operator does.
func (s *server) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	require.Equal(s.t, 0, s.wait(), "the exit code after SIGTERM")
}

// kill ends the server as a power cut does, as far as a process can tell.
func (s *server) kill() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	s.wait()
}

// lines is a log that one goroutine fills and others wait on.
type lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and made anew with each line; nil while nobody waits
}

func (l *lines) readFrom(r io.Reader) {
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

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// find returns the first line with part, or a channel that is closed when there are more.
func (l *lines) find(part string) (string, <-chan struct{}) {
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

// await returns the first line that has part in it, also one that is yet to come.
func (l *lines) await(t *testing.T, exited <-chan struct{}, part string) string {
	t.Helper()
	deadline := time.After(patience)
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

// command is trainbooking with args and an environment of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Dir = t.TempDir()
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	return c
}

// result is what a command that ended has printed.
type result struct {
	code     int
	out, err string
}

// runToEnd runs a command and returns what it printed.
func runToEnd(t *testing.T, c *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if _, exited := err.(*exec.ExitError); !exited { //nolint:errorlint // Run returns it unwrapped
		require.NoError(t, err)
	}
	return result{code: c.ProcessState.ExitCode(), out: out.String(), err: errs.String()}
}
