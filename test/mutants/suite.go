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

// suite is a set of tests of one package.
type suite struct {
	pkg   string
	names string // a pattern for go test -run; "" runs all tests
	tags  string // build constraints
	args  string // of the test binary, separated by spaces
	long  bool   // runs whole processes
}

func (s suite) String() string { return "go " + strings.Join(s.command(), " ") }

// command returns the arguments of go. It omits vet, which make verify runs, and debug symbols.
// The timeout does not include the build.
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
	failed []string // the names of failed tests, or "a timeout"
	output []byte
}

// passes returns an error if the suite fails without a mutant.
func (s suite) passes(ctx context.Context) error {
	r, err := s.run(ctx, "")
	if err == nil && !r.passed {
		err = fmt.Errorf("without a mutant, %s fails:\n%s", s, r.output)
	}
	return err
}

// run runs the suite with an overlay, or without one if it is "". It returns an error if the
// suite does not compile or has no tests.
func (s suite) run(ctx context.Context, overlay string) (result, error) {
	command := exec.CommandContext(ctx, "go", s.command()...) //nolint:gosec // from the list of mutants
	// rapid need not search for the shortest failure, for half a minute, nor keep it for the next run.
	command.Env = append(os.Environ(), "RAPID_SHRINKTIME=0s", "RAPID_NOFAILFILE=true")
	if overlay != "" { // in the environment, because tests build programs with it too
		command.Env = append(command.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	output, err := command.CombinedOutput()
	if bytes.Contains(output, []byte("[no tests to run]")) {
		return result{}, fmt.Errorf("%s runs no test: update the names in test/mutants/mutants.go", s)
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
		return result{}, fmt.Errorf("%s failed without a failed test:\n%s", s, output)
	}
	return r, nil
}
