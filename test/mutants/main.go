// Command mutants breaks the rules of the service, one at a time, and runs the tests that
// must then fail. A test that passes on code that is known to be wrong proves nothing
// (RELIABILITY.md 4).
//
// A mutant changes one declaration: see edit.go. The compiler reads the changed file instead
// of the one in the tree (go build -overlay), which stays unchanged.
//
//	go run ./test/mutants          the quick mutants, as in CI
//	go run ./test/mutants -long    also those whose tests run whole processes
//	go run ./test/mutants -run NAME
//
// It exits with 1 if a mutant survives, if a mutant no longer fits the code, or if the tests
// fail without a mutant.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	long := flag.Bool("long", false, "also run the tests of whole processes")
	only := flag.String("run", "", "run only the mutant with this name")
	flag.Parse()
	chosen := choose(mutants, *only, *long)
	if len(chosen) == 0 {
		fmt.Fprintf(os.Stderr, "no mutant %q; if its tests run whole processes, add -long\n", *only)
		os.Exit(2)
	}
	if err := run(context.Background(), chosen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// choose returns the mutant with a name, or all if it is "", each with the suites to run.
func choose(all []mutant, name string, long bool) (chosen []mutant) {
	for _, m := range all {
		m.killedBy = slices.DeleteFunc(slices.Clone(m.killedBy), func(s suite) bool { return s.long && !long })
		if len(m.killedBy) > 0 && (name == "" || name == m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// run runs the suites without a mutant, and with each mutant that they must kill.
func run(ctx context.Context, chosen []mutant) error {
	dir, err := os.MkdirTemp("", "trainbooking-mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var (
		mu       sync.Mutex
		survived []string
	)
	trials, ctx := errgroup.WithContext(ctx)
	trials.SetLimit(parallel(chosen))
	for _, s := range suitesOf(chosen) {
		trials.Go(func() error { return s.passes(ctx) })
	}
	for _, m := range chosen {
		overlay, err := m.overlay(".", dir)
		if err != nil {
			return errors.Join(err, trials.Wait())
		}
		for _, s := range m.killedBy {
			trials.Go(func() error {
				start := time.Now()
				result, err := s.run(ctx, overlay)
				if err != nil {
					return fmt.Errorf("%s: %w", m.name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				outcome := "killed by " + strings.Join(result.failed, ", ")
				if result.passed {
					outcome = "SURVIVED " + s.String()
					survived = append(survived, m.name)
				}
				fmt.Fprintf(os.Stdout, "%-26s %5.1fs  %s\n", m.name, time.Since(start).Seconds(), outcome)
				return nil
			})
		}
	}
	if err := trials.Wait(); err != nil {
		return err
	}
	if len(survived) > 0 {
		return fmt.Errorf("survived: %s", strings.Join(survived, ", "))
	}
	fmt.Fprintf(os.Stdout, "%d mutants, all killed\n", len(chosen))
	return nil
}

// parallel returns how many trials run at once. Two, because linking and starting a server
// leave processors idle; one for whole processes, whose tests measure time.
func parallel(chosen []mutant) int {
	if slices.ContainsFunc(suitesOf(chosen), func(s suite) bool { return s.long }) {
		return 1
	}
	return 2
}

// suitesOf returns the suites of the mutants, merged for each package.
func suitesOf(chosen []mutant) (all []suite) {
	for _, m := range chosen {
		for _, s := range m.killedBy {
			same := slices.IndexFunc(all, func(o suite) bool { return o.pkg == s.pkg && o.args == s.args })
			switch {
			case same < 0:
				all = append(all, s)
			case all[same].names == "" || s.names == "":
				all[same].names = ""
			case !strings.Contains("|"+all[same].names+"|", "|"+s.names+"|"):
				all[same].names += "|" + s.names
			}
		}
	}
	return all
}
