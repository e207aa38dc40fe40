// Command operator runs package operator, which makes the booking service sell what TrainSchedule
// and Train resources specify.
//
// It exits with 0 after SIGTERM or SIGINT, 1 when it failed or lost its lease, and 2 when the
// command line is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"
)

// The exit codes.
const (
	exitSuccess = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	os.Exit(run(ctrl.SetupSignalHandler(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run runs the operator until ctx is done and returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	do, err := parse(args, environ, stdout)
	if err != nil {
		return report(stderr, usageError{fmt.Errorf("%w; see operator --help", err)})
	}
	if do == nil { // it has printed what was asked for
		return exitSuccess
	}
	return report(stderr, do(ctx))
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// report prints err and returns its exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitSuccess
	}
	fmt.Fprintf(stderr, "operator: %s\n", strings.ReplaceAll(err.Error(), "\n", "\noperator: "))
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailure
}
