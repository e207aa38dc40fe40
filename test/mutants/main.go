// Command mutants breaks the rules of the service, one at a time, and runs the tests that
// must notice. A test that passes on code that is known to be wrong proves nothing
// (RELIABILITY.md 4).
//
// A mutant changes one declaration: see edit.go. The compiler reads the changed file in
// place of the one in the tree (go build -overlay). The tree itself is not changed.
//
//	go run ./test/mutants          the quick ones, as CI does
//	go run ./test/mutants -long    also those for which whole processes run
//	go run ./test/mutants -run NAME
//
// It exits with 1 when a mutant survives, when a mutant does not fit the code any more, or
// when the tests fail without one.
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
	long := flag.Bool("long", false, "also those for which whole processes run")
	only := flag.String("run", "", "only the mutant of this name")
	flag.Parse()
	chosen := choose(mutants, *only, *long)
	if len(chosen) == 0 {
		fmt.Fprintln(os.Stderr, "no such mutant; one that needs whole processes also needs -long")
		os.Exit(2)
	}
	if err := run(context.Background(), chosen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// choose returns the mutants of a name, or all, with the suites that are to be run.
func choose(all []mutant, name string, long bool) (chosen []mutant) {
	for _, m := range all {
		m.noticedBy = slices.DeleteFunc(slices.Clone(m.noticedBy), func(s suite) bool { return s.long && !long })
		if len(m.noticedBy) > 0 && (name == "" || name == m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// run runs the suites without a mutant and then each with those that it must notice.
func run(ctx context.Context, chosen []mutant) error {
	dir, err := os.MkdirTemp("", "trainbooking-mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, s := range suitesOf(chosen) {
		result, err := s.run(ctx, "")
		if err != nil {
			return err
		}
		if !result.passed {
			return fmt.Errorf("without a mutant, %s fails:\n%s", s, result.output)
		}
	}
	var (
		mu       sync.Mutex
		survived []string
	)
	trials, ctx := errgroup.WithContext(ctx)
	trials.SetLimit(parallel(chosen))
	for _, m := range chosen {
		overlay, err := m.overlay(".", dir)
		if err != nil {
			return errors.Join(err, trials.Wait())
		}
		for _, s := range m.noticedBy {
			trials.Go(func() error {
				begun := time.Now()
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
				fmt.Fprintf(os.Stdout, "%-26s %5.1fs  %s\n", m.name, time.Since(begun).Seconds(), outcome)
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

// parallel returns how many trials run at once. A linker and a server that starts leave the
// other processors idle. Whole processes measure times, and run alone.
func parallel(chosen []mutant) int {
	if slices.ContainsFunc(suitesOf(chosen), func(s suite) bool { return s.long }) {
		return 1
	}
	return 2
}

// suitesOf returns the suites of mutants, those of one package as one.
func suitesOf(chosen []mutant) (all []suite) {
	for _, m := range chosen {
		for _, s := range m.noticedBy {
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
