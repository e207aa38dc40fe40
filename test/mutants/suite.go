package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// suite is some tests of one package.
type suite struct {
	pkg   string
	names string // a pattern; "" is all of them
	tags  string // build constraints
	args  string // of the test binary, with blanks between them
	long  bool   // whole processes run
}

func (s suite) String() string { return "go " + strings.Join(s.command(), " ") }

// command leaves out what make verify and make test have done: vet, and symbols for a
// debugger. The timeout includes no build.
func (s suite) command() []string {
	command := []string{"test", "-vet=off", "-ldflags=-w", "-failfast", "-timeout", "5m"}
	if s.tags != "" {
		command = append(command, "-tags", s.tags)
	}
	if s.names != "" {
		command = append(command, "-run", s.names)
	}
	return append(append(command, s.pkg), strings.Fields(s.args)...)
}

// result is the outcome of a suite.
type result struct {
	passed bool
	failed []string // names of tests, or "a timeout"
	output []byte
}

// run runs the suite on a build with an overlay, or without one where it is "". A suite that
// neither passes nor fails a test is an error: it did not compile, or has no tests.
func (s suite) run(ctx context.Context, overlay string) (result, error) {
	command := exec.CommandContext(ctx, "go", s.command()...) //nolint:gosec // from the list of mutants
	command.Env = os.Environ()
	if overlay != "" { // in the environment, so that it holds for programs that tests build
		command.Env = append(command.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	output, err := command.CombinedOutput()
	if bytes.Contains(output, []byte("[no tests to run]")) {
		return result{}, fmt.Errorf("%s runs no test: test/mutants/mutants.go must follow their names", s)
	}
	if err == nil {
		return result{passed: true, output: output}, nil
	}
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		return result{}, err
	}
	r := result{output: output}
	for line := range strings.Lines(string(output)) {
		if name, found := strings.CutPrefix(line, "--- FAIL: "); found {
			r.failed = append(r.failed, strings.Fields(name)[0])
		}
		if strings.HasPrefix(line, "panic: test timed out") {
			r.failed = append(r.failed, "a timeout")
		}
	}
	if len(r.failed) == 0 {
		return result{}, fmt.Errorf("%s failed no test:\n%s", s, output)
	}
	return r, nil
}
