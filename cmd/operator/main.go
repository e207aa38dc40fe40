// Command operator runs package operator, which makes the booking service sell what Train
// resources specify.
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
	"runtime"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	ctrl "sigs.k8s.io/controller-runtime"
)

// The exit codes.
const (
	exitSuccess = 0
	exitFailure = 1
	exitUsage   = 2
)

// version is set by the linker; see the Makefile.
var version = "devel"

// settings is the command line. Each flag can also be set by an environment variable, its name
// prefixed with TRAINBOOKING_OPERATOR_.
type settings struct {
	ServiceURL              string        `name:"service-url" required:"" placeholder:"URL" help:"The URL of the booking service, like http://booking:8080."`
	ServiceTokenFile        string        `required:"" placeholder:"FILE" help:"A file whose first line is the service token. It is read for each request."`
	WatchNamespaces         []string      `placeholder:"NAME,…" help:"The namespaces whose Trains are reconciled (all)."`
	LeaderElect             bool          `default:"true" negatable:"" help:"Work only while holding a lease, so that other operators can stand by."`
	LeaderElectionNamespace string        `placeholder:"NAME" help:"The namespace of the lease (that of the pod)."`
	MetricsListen           string        `default:":8443" help:"The address of the metrics. They are served over TLS to clients that may get /metrics by RBAC. 0 turns them off."`
	HealthListen            string        `default:":8081" help:"The address of /healthz and /readyz. 0 turns them off."`
	Resync                  time.Duration `default:"30s" help:"How often status is updated and drift is corrected."`
	LogFormat               string        `default:"auto" enum:"auto,console,json" help:"console, json or auto: console on a terminal."`
	LogLevel                string        `default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`

	Version kong.VersionFlag `env:"-" help:"Print the version and exit."`
}

func main() { os.Exit(run(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdout, os.Stderr)) }

// run runs the operator until ctx is done and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	var s settings
	exited := false
	parser, err := kong.New(&s,
		kong.Name("operator"),
		kong.Description("Makes the booking service sell what Train resources specify."),
		kong.DefaultEnvars("TRAINBOOKING_OPERATOR"),
		kong.Vars{"version": fmt.Sprintf("operator %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)},
		kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { exited, code = true, c }),
	)
	if err != nil {
		return report(stderr, fmt.Errorf("declare the command line: %w", err))
	}
	_, err = parser.Parse(args)
	if exited { // --help, --version
		return code
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return report(stderr, usageError{fmt.Errorf("%w; see operator --help", err)})
	}
	return report(stderr, s.run(ctx))
}

// check returns every problem with the settings that can be found without a connection.
func (s *settings) check() error {
	var problems []error
	if _, err := s.client(); err != nil {
		problems = append(problems, fmt.Errorf("--service-url: %w", err))
	}
	if _, err := readToken(s.ServiceTokenFile); err != nil {
		problems = append(problems, fmt.Errorf("--service-token-file: %w", err))
	}
	if s.Resync < time.Second {
		problems = append(problems, fmt.Errorf("--resync %s is too short; set it to at least 1s", s.Resync))
	}
	return errors.Join(problems...)
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
