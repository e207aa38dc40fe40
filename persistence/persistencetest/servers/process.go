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
	// startTimeout is generous: a server that was killed recovers its data first, on a
	// machine that runs all the other tests too.
	startTimeout = 60 * time.Second
	pollEvery    = 10 * time.Millisecond
)

// supervise runs its arguments from the fourth on until standard input ends or says
// what to do: "keep" and the name of a signal sends that and keeps the server's directory
// ($1), everything else sends the signal $3 and removes the directory. $2 is the file for what the server
// writes. The file pid is there while the server runs, so that nobody else is
// signalled.
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

// process is a server that runs, or ran, in a directory of its own.
type process struct {
	dir     string
	owner   *syscall.Credential // nil: whoever runs the test
	command []string
	stop    string // the signal that ends the server at once and in order
	ready   func(ctx context.Context) error

	input io.WriteCloser // of the shell; nil while the server is down
	shell *exec.Cmd
}

var errEnded = errors.New("the server ended")

// restart starts a server that was killed. What it left behind may keep the next one
// from starting at first: the sessions of a Postgres that was killed go on until they
// notice. Then restart tries again.
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
	// The shell must outlive the test's context: it ends when the pipe does.
	p.shell = exec.CommandContext(context.Background(), "/bin/sh", args...) //nolint:gosec // the script is ours
	p.shell.Dir = p.dir
	// A group of its own, so that an interrupt from the terminal ends the test binary,
	// and that ends the pipe.
	p.shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.owner}
	if p.input, err = p.shell.StdinPipe(); err != nil {
		return err
	}
	if err := p.shell.Start(); err != nil {
		return err
	}
	return p.await()
}

// await polls until the server is ready, it has ended, or the time is up.
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

// kill kills the server with SIGKILL and returns when it is gone.
func (p *process) kill() error { return p.halt("KILL") }

// halt ends the server with a signal of this name and returns when it is gone.
func (p *process) halt(signal string) error { return p.end("keep " + signal) }

// remove ends the server, if it runs, and removes its directory.
func (p *process) remove() error { return errors.Join(p.end("remove"), os.RemoveAll(p.dir)) }

// end gives the shell an order and waits until it is done.
func (p *process) end(order string) error {
	if p.input == nil {
		return nil
	}
	_, err := io.WriteString(p.input, order+"\n")
	err = errors.Join(err, p.input.Close(), p.shell.Wait())
	p.input = nil
	return err
}

func (p *process) pidFile() string { return filepath.Join(p.dir, "pid") }
func (p *process) log() string     { return filepath.Join(p.dir, "log") }

// output returns what the server wrote.
func (p *process) output() string {
	text, err := os.ReadFile(p.log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}
