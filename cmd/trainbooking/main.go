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

	"github.com/alecthomas/kong"

	"trainbooking.dev/cluster"
	"trainbooking.dev/config"
)

// The exit codes.
const (
	exitSuccess = 0
	exitFailure = 1
	exitUsage   = 2
	exitEvicted = 3
)

// commands is the command line. Config is not a setting itself; see config.Sources.
type commands struct {
	Config string `placeholder:"FILE" help:"A YAML file with settings; see config/example.yaml."`

	Serve           serve           `cmd:"" help:"Run the service."`
	Migrate         migrate         `cmd:"" help:"Migrate the store to the version of this program."`
	CreateSuperuser createSuperuser `cmd:"" name:"createsuperuser" help:"Add an admin. The service may be running."`
	Copy            copyStore       `cmd:"" help:"Copy a data directory into a database for a cluster."`
	Healthcheck     healthcheck     `cmd:"" help:"Check that the running service is ready."`
	Smoke           smokeTest       `cmd:"" help:"Register, lock, confirm and find a seat on a running service."`
	Version         printVersion    `cmd:"" help:"Print the version."`
}

func main() {
	ctx := untilSignal(context.Background())
	os.Exit(run(ctx, os.Args[1:], os.Environ(), newStdio()))
}

// run runs the command of args and returns the exit code. It returns soon after ctx is
// cancelled.
func run(ctx context.Context, args, environ []string, std stdio) int {
	var cli commands
	sources := config.NewSources(environ)
	parser, err := kong.New(&cli, append(sources.Options(),
		kong.Name("trainbooking"),
		kong.Description("Train-seat booking service."),
		kong.Writers(std.out, std.err),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(sources, std),
	)...)
	if err != nil {
		return report(std, fmt.Errorf("invalid declaration of the command line: %w", err))
	}
	command, err := parser.Parse(args)
	if err != nil {
		return report(std, usageError{fmt.Errorf("%w; see trainbooking --help", err)})
	}
	return report(std, command.Run())
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
	if _, ok := errors.AsType[usageError](err); ok {
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
