// Command trainbooking is the service: serve runs it, the other commands work on the
// same data or ask the running service.
//
// It exits with 0 when it ended as it was asked to, 1 when it failed, 2 when the command
// line or the settings are wrong, and 3 when its peers in a cluster have taken it off
// while it was paused or cut off: nothing is wrong with it, and it must be started again.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"trainbooking.dev/actors"
	"trainbooking.dev/config"
)

// The exit codes.
const (
	exitClean  = 0
	exitFailed = 1
	exitUsage  = 2
	exitFenced = 3
)

// commands is the command line. Config is no setting itself, see config.Sources.
type commands struct {
	Config string `placeholder:"FILE" help:"A YAML file of settings, see config/example.yaml."`

	Serve           serve           `cmd:"" help:"Run the service."`
	Migrate         migrate         `cmd:"" help:"Bring the store up to date and end."`
	CreateSuperuser createSuperuser `cmd:"" name:"createsuperuser" help:"Add an admin, also beside a running service."`
	Copy            copyStore       `cmd:"" help:"Copy a data directory into a database, so that a cluster can go on with it."`
	Healthcheck     healthcheck     `cmd:"" help:"Ask the running service whether it can serve."`
	Smoke           smokeTest       `cmd:"" help:"Register, lock, confirm and find a seat on a running service."`
	Version         printVersion    `cmd:"" help:"Print the version and end."`
}

func main() {
	ctx := untilSignal(context.Background())
	os.Exit(run(ctx, os.Args[1:], os.Environ(), standardStreams()))
}

// run does what args ask for and returns the exit code. It returns soon after ctx is
// done.
func run(ctx context.Context, args, environ []string, std streams) int {
	var cli commands
	sources := config.NewSources(environ)
	parser, err := kong.New(&cli, append(sources.Options(),
		kong.Name("trainbooking"),
		kong.Description("Sells the seats of trains, each seat once."),
		kong.Writers(std.out, std.err),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(sources, std),
	)...)
	if err != nil {
		return report(std, fmt.Errorf("the command line is wrongly declared: %w", err))
	}
	command, err := parser.Parse(args)
	if err != nil {
		return report(std, usageError{fmt.Errorf("%w; see trainbooking --help", err)})
	}
	return report(std, command.Run())
}

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// report prints err for a person and returns the exit code for it.
func report(std streams, err error) int {
	if err == nil {
		return exitClean
	}
	fmt.Fprintf(std.err, "trainbooking: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if errors.Is(err, actors.ErrEvicted) {
		return exitFenced
	}
	return exitFailed
}

// untilSignal returns a context that is done at the first SIGTERM or SIGINT. The
// second one ends the process at once: whoever sends it does not want to wait.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitFailed)
	}()
	return ctx
}
