// Command kubectl-trains is a kubectl plugin: kubectl trains. It shows the TrainSchedule and Train
// resources of a cluster with what is sold, and what applying manifests would do to sold seats.
//
// It reads the cluster with kubectl itself, so kubeconfigs, credentials, manifests and the rules of apply
// are those of kubectl, and the service with api/client. It changes nothing.
//
// The exit code is 0 after success, 2 if the command line is wrong or something failed, and, like that of
// kubectl diff, 1 if plan found something that applying would change.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

// The exit codes.
const (
	exitSuccess = 0
	exitChanges = 1
	exitFailure = 2
)

// version is set by the linker; see the Makefile.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), stdio{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// stdio has the standard input and outputs.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// errChanges means that plan found changes.
var errChanges = errors.New("applying would change something")

func run(ctx context.Context, args, environ []string, std stdio) int {
	err := runCommand(ctx, args, environ, std)
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
		return exitSuccess
	case errors.Is(err, errChanges):
		return exitChanges
	}
	fmt.Fprintf(std.err, "kubectl trains: %s\n", strings.ReplaceAll(err.Error(), "\n", "\nkubectl trains: "))
	return exitFailure
}

const usage = `Usage:
  kubectl trains status                  what is on sale, and what to do about problems
  kubectl trains sold NAME               who sits where on a Train
  kubectl trains sold NAME --date DATE   the same on a departure of a TrainSchedule
  kubectl trains plan -f FILE            what kubectl apply would do to sold seats
  kubectl trains version

Examples:
  kubectl -n rail port-forward service/booking-trainbooking 8080 &
  export KUBECTL_TRAINS_SERVICE_URL=http://localhost:8080

  kubectl trains status -A
  kubectl trains plan -n rail -f timetable/ && echo nothing to do
  kubectl kustomize overlays/summer | kubectl trains plan -f -
  kubectl trains plan -n rail -f timetable/ --prune -l app=timetable
  kubectl trains sold shatabdi -n rail --date 2026-12-24 --token-file token

Each flag can also be set by an environment variable, such as
KUBECTL_TRAINS_SERVICE_URL.

Flags:
`
