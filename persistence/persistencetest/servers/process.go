package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is long, because a server that was killed first recovers its data, on a busy
	// machine.
	startTimeout = 60 * time.Second
	pollEvery    = 10 * time.Millisecond
)

// supervise runs its arguments from the fourth on until standard input ends or has a command.
// "keep" and the name of a signal sends that signal and keeps the server's directory ($1); anything
// else sends the signal $3 and removes the directory. $2 is the server's log. The file pid exists
// while the server runs, so that no other process is signalled.
const supervise = `
dir=$1 log=$2 signal=$3; shift 3
exec 3<&0
"$@" </dev/null 3<&- >>"$log" 2>&1 &
child=$!
echo $child >"$dir/pid"
{
	read -r order named <&3
	[ "$order" != keep ] || signal=$named
	[ ! -e "$dir/pid" ] || kill -$signal $child
	[ ! -e "$dir/pid" ] || kill -CONT $child
	[ "$order" = keep ]
} 2>/dev/null &
reader=$!
wait $child
rm -f "$dir/pid"
wait $reader || rm -rf "$dir"
`

// process is a server with its own directory, which may be running.
type process struct {
	dir     string
	owner   *syscall.Credential // nil: the user of the test
	command []string
	stop    string // the signal for a fast and orderly shutdown
	ready   func(ctx context.Context) error

	input io.WriteCloser // of the shell; nil while the server is down
	shell *exec.Cmd
}

var errEnded = errors.New("the server ended")

// restart starts a server that was killed. It retries, because the sessions of a killed Postgres
// end a moment later and prevent a start until then.
func (p *process) restart() error {
	deadline := time.Now().Add(startTimeout)
	for {
		err := p.start()
		if !errors.Is(err, errEnded) || time.Now().After(deadline) {
			return err
		}
	}
}

// start starts the server and waits until it is ready.
func (p *process) start() (err error) {
	args := append([]string{"-c", supervise, "sh", p.dir, p.log(), p.stop}, p.command...)
	// The shell must outlive the test's context: it ends with the pipe.
	p.shell = exec.CommandContext(context.Background(), "/bin/sh", args...) //nolint:gosec // the script is ours
	p.shell.Dir = p.dir
	// Its own process group, so that an interrupt from the terminal only ends the test binary,
	// which closes the pipe.
	p.shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.owner}
	if p.input, err = p.shell.StdinPipe(); err != nil {
		return err
	}
	if err := p.shell.Start(); err != nil {
		return err
	}
	return p.await()
}

// await polls until the server is ready or has ended, or startTimeout has passed.
func (p *process) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for ran := false; ; {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %s: %w\n%s", p.command[0], startTimeout, err, p.output())
		}
		_, missing := os.Stat(p.pidFile())
		if ran && missing != nil {
			return errors.Join(fmt.Errorf("%w:\n%s", errEnded, p.output()), p.kill())
		}
		ran = missing == nil
	}
}

// signal sends a signal to the server.
func (p *process) signal(s syscall.Signal) error {
	text, err := os.ReadFile(p.pidFile())
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	return syscall.Kill(pid, s)
}

// kill kills the server with SIGKILL and waits until it has ended.
func (p *process) kill() error { return p.halt("KILL") }

// halt ends the server with a signal and waits until it has ended.
func (p *process) halt(signal string) error { return p.end("keep " + signal) }

// remove ends the server, if it runs, and removes its directory.
func (p *process) remove() error { return errors.Join(p.end("remove"), os.RemoveAll(p.dir)) }

// end sends a command to the shell and waits until it has ended.
func (p *process) end(command string) error {
	if p.input == nil {
		return nil
	}
	_, err := io.WriteString(p.input, command+"\n")
	err = errors.Join(err, p.input.Close(), p.shell.Wait())
	p.input = nil
	return err
}

func (p *process) pidFile() string { return filepath.Join(p.dir, "pid") }
func (p *process) log() string     { return filepath.Join(p.dir, "log") }

// output returns the server's log.
func (p *process) output() string {
	text, err := os.ReadFile(p.log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}
