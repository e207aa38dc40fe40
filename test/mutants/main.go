// Command mutants breaks the protocol on purpose, one rule at a time, and runs the tests
// that must notice. A test that passes on a build that is known to be broken proves
// nothing (RELIABILITY.md 4).
//
// A mutant is a few edits: the compiler is given the edited files in the place of the tree's
// (go build -overlay), which is not touched, and no way to break the rules is in the program.
//
//	go run ./test/mutants          the quick ones, as CI does
//	go run ./test/mutants -long    those, too, for which whole processes must run
//	go run ./test/mutants -run NAME
//
// It exits with 1 when a mutant survives, when an edit does not fit the code any more, or
// when the tests fail without one.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// patience bounds the tests of one mutant, and what must be built for them.
const patience = 10 * time.Minute

func main() {
	long := flag.Bool("long", false, "also those for which whole processes must run")
	only := flag.String("run", "", "the one mutant of this name")
	flag.Parse()
	chosen := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool {
		return *only != "" && m.name != *only || *only == "" && m.long && !*long
	})
	if len(chosen) == 0 {
		fmt.Fprintln(os.Stderr, "no such mutant")
		os.Exit(2)
	}
	if err := run(context.Background(), chosen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run tries the mutants, after the tests of all of them have passed without any.
func run(ctx context.Context, chosen []mutant) error {
	dir, err := os.MkdirTemp("", "trainbooking-mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, t := range testsOf(chosen) {
		out, failed, err := t.run(ctx, "")
		if err != nil {
			return err
		}
		if failed {
			return fmt.Errorf("without a mutant, %s fails:\n%s", t, out)
		}
	}
	var survived []string
	for _, m := range chosen {
		begun := time.Now()
		killed, err := m.try(ctx, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		verdict := "killed by " + strings.Join(killed, ", ")
		if len(killed) == 0 {
			verdict, survived = "SURVIVED "+m.tests.String(), append(survived, m.name)
		}
		fmt.Fprintf(os.Stdout, "%-28s %5.1fs  %s\n", m.name, time.Since(begun).Seconds(), verdict)
	}
	fmt.Fprintf(os.Stdout, "%d mutants, %d killed\n", len(chosen), len(chosen)-len(survived))
	if len(survived) > 0 {
		return fmt.Errorf("survived: %s", strings.Join(survived, ", "))
	}
	return nil
}

// tests are tests of one package.
type tests struct {
	module string // its directory, where it is not this one
	pkg    string
	names  string // a pattern
	args   string // with blanks between them
}

func (t tests) String() string { return "go " + strings.Join(t.command(), " ") }

func (t tests) command() []string {
	return append([]string{"-C", "./" + t.module, "test", "-count=1", "-run", t.names, t.pkg}, strings.Fields(t.args)...)
}

func testsOf(chosen []mutant) (all []tests) {
	for _, m := range chosen {
		if !slices.Contains(all, m.tests) {
			all = append(all, m.tests)
		}
	}
	return all
}

// run runs the tests on a build with the overlay. Tests that hang have failed.
func (t tests) run(ctx context.Context, overlay string) (out []byte, failed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := exec.CommandContext(ctx, "go", t.command()...) //nolint:gosec // from the list of mutants
	command.Env = os.Environ()
	if overlay != "" { // in the environment, so that it holds for programs that tests build
		command.Env = append(command.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	out, err = command.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		failed, err = true, nil
	}
	return out, failed, err
}

// mutant is a rule and the edits that break it.
type mutant struct {
	name  string
	edits []edit
	tests tests
	long  bool
}

type edit struct {
	file     string
	old, new string // old is there once
}

// try returns the names of the tests that noticed. Code that does not compile is an error:
// nobody would have noticed anything.
func (m mutant) try(ctx context.Context, dir string) (killed []string, err error) {
	overlay, err := m.overlay(dir)
	if err != nil {
		return nil, err
	}
	out, failed, err := m.tests.run(ctx, overlay)
	if err != nil || !failed {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		if name, found := strings.CutPrefix(line, "--- FAIL: "); found {
			killed = append(killed, strings.Fields(name)[0])
		}
	}
	if len(killed) == 0 {
		return nil, fmt.Errorf("the tests did not get to fail:\n%s", out)
	}
	return killed, nil
}

// overlay writes the edited files and what the compiler is to be told.
func (m mutant) overlay(dir string) (path string, err error) {
	replaced := map[string]string{}
	for i, e := range m.edits {
		source, err := os.ReadFile(e.file)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(source), e.old); n != 1 {
			return "", fmt.Errorf("%s has %d of %q: the mutant must follow the code", e.file, n, e.old)
		}
		original, err := filepath.Abs(e.file)
		if err != nil {
			return "", err
		}
		edited := filepath.Join(dir, fmt.Sprintf("%s-%d.go", m.name, i))
		replaced[original] = edited
		//nolint:gosec // names are of the list
		if err := os.WriteFile(edited, []byte(strings.Replace(string(source), e.old, e.new, 1)), 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, m.name+".json")
	return path, os.WriteFile(path, list, 0o600)
}
