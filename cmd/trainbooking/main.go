// Command trainbooking is the service. serve runs it; the other commands work on its data
// or send requests to the running service.
//
// The exit code is 0 after success, 1 after a failure, 2 if the command line or a setting
// is wrong, and 3 if the other processes of the cluster have evicted this one while it was
// paused or disconnected. After 3, start it again.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"trainbooking.dev/cluster"
	"trainbooking.dev/config"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/redis"
)

// The exit codes.
const (
	exitSuccess = 0
	exitFailure = 1
	exitUsage   = 2
	exitEvicted = 3
)

func main() {
	ctx := untilSignal(context.Background())
	os.Exit(run(ctx, os.Args[1:], os.Environ(), newStdio()))
}

// run runs the command of args and returns the exit code. It returns soon after ctx is
// cancelled.
func run(ctx context.Context, args, environ []string, std stdio) int {
	sources := config.NewSources(environ)
	command, err := parse(ctx, args, sources, std.out)
	if err != nil {
		return report(std, usageError{fmt.Errorf("%w; see trainbooking --help", err)})
	}
	if command == nil { // it has printed what was asked for
		return exitSuccess
	}
	return report(std, command.Run(ctx, sources, std))
}

// usageError is a mistake in the command line or the settings.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// report prints err and returns its exit code.
func report(std stdio, err error) int {
	if err == nil {
		return exitSuccess
	}
	fmt.Fprintf(std.err, "trainbooking: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok || errors.Is(err, postgres.ErrSettings) || errors.Is(err, redis.ErrSettings) {
		return exitUsage
	}
	if errors.Is(err, cluster.ErrEvicted) {
		return exitEvicted
	}
	return exitFailure
}

// untilSignal returns a context that is cancelled at the first SIGTERM or SIGINT. A second
// signal exits the process immediately.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitFailure)
	}()
	return ctx
}
