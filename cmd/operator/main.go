// Command operator keeps the booking service selling what Train resources say. Package
// operator is what it does; this is how it is started.
//
// It exits with 0 when it ended as it was asked to, 1 when it failed, also when another
// took the lease over, and 2 when the command line is wrong.
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
	exitClean  = 0
	exitFailed = 1
	exitUsage  = 2
)

// version is set by the linker, see Makefile.
var version = "devel"

// settings is the command line. Each flag is an environment variable too:
// TRAINBOOKING_OPERATOR_ and its name.
type settings struct {
	ServiceURL              string        `name:"service-url" required:"" placeholder:"URL" help:"Where the booking service is, like http://booking:8080."`
	ServiceTokenFile        string        `required:"" placeholder:"FILE" help:"A file whose first line is the service token. It is read again when it changes."`
	WatchNamespaces         []string      `placeholder:"NAME,…" help:"The namespaces whose Trains are looked after (all)."`
	LeaderElect             bool          `default:"true" negatable:"" help:"Act only while holding a lease, so that another can stand by."`
	LeaderElectionNamespace string        `placeholder:"NAME" help:"Where the lease is (the namespace of the pod)."`
	MetricsListen           string        `default:":8443" help:"The address of the metrics: TLS, for those whom the API server lets get /metrics. 0 turns them off."`
	HealthListen            string        `default:":8081" help:"The address of /healthz and /readyz. 0 turns them off."`
	Resync                  time.Duration `default:"30s" help:"How often figures are brought up to date and drift is looked for."`
	LogFormat               string        `default:"auto" enum:"auto,console,json" help:"console, json or auto: console on a terminal."`
	LogLevel                string        `default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`

	Version kong.VersionFlag `env:"-" help:"Print the version and end."`
}

func main() { os.Exit(run(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdout, os.Stderr)) }

// run runs the operator until ctx is done and returns the exit code.
func run(ctx context.Context, args []string, out, errors io.Writer) (code int) {
	var s settings
	exited := false
	parser, err := kong.New(&s,
		kong.Name("operator"),
		kong.Description("Keeps the booking service selling what Train resources say."),
		kong.DefaultEnvars("TRAINBOOKING_OPERATOR"),
		kong.Vars{"version": fmt.Sprintf("operator %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)},
		kong.Writers(out, errors),
		kong.Exit(func(c int) { exited, code = true, c }),
	)
	if err != nil {
		return report(errors, fmt.Errorf("the command line is wrongly declared: %w", err))
	}
	_, err = parser.Parse(args)
	if exited { // --help, --version
		return code
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return report(errors, usageError{fmt.Errorf("%w; see operator --help", err)})
	}
	return report(errors, s.run(ctx))
}

// check reports what is wrong with the settings and can be told before anything is started.
func (s *settings) check() error {
	var problems []error
	if _, err := s.client(); err != nil {
		problems = append(problems, fmt.Errorf("--service-url: %w", err))
	}
	if _, err := readToken(s.ServiceTokenFile); err != nil {
		problems = append(problems, fmt.Errorf("--service-token-file: %w", err))
	}
	if s.Resync < time.Second {
		problems = append(problems, fmt.Errorf("--resync: %s is less than a second", s.Resync))
	}
	return errors.Join(problems...)
}

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// report prints err for a person and returns the exit code for it.
func report(to io.Writer, err error) int {
	if err == nil {
		return exitClean
	}
	fmt.Fprintf(to, "operator: %s\n", strings.ReplaceAll(err.Error(), "\n", "\noperator: "))
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}
