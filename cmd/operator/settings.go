package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"trainbooking.dev/api/client"
)

// envPrefix is the prefix of the environment variables, one for each flag.
const envPrefix = "TRAINBOOKING_OPERATOR_"

// usageWidth is the width of the help in columns, that of the narrowest terminals.
const usageWidth = 80

// settings is the command line.
type settings struct {
	ServiceURL              string
	ServiceTokenFile        string
	ServiceCA               string
	ServiceName             string
	Class                   string
	WatchNamespaces         []string
	LeaderElect             bool
	LeaderElectionNamespace string
	LeaseName               string
	MetricsListen           string
	HealthListen            string
	Resync                  time.Duration
	LogFormat               string
	LogLevel                string

	version bool
}

func (s *settings) addFlags(f *pflag.FlagSet) {
	f.StringVar(&s.ServiceURL, "service-url", "", "`URL` of the booking service, like http://booking:8080. Required.")
	f.StringVar(&s.ServiceTokenFile, "service-token-file", "", "`FILE` whose first line is the service token. It is read for each request. Required.")
	f.StringVar(&s.ServiceCA, "service-ca", "", "`FILE` in PEM with the authorities that sign the service's certificate. It is read for each request. (default those of the system)")
	f.StringVar(&s.ServiceName, "service-name", "", "`NAME` of the service in status.service of the resources that it owns. Keep it: what another name owns is left alone. (default host and port of --service-url)")
	f.StringVar(&s.Class, "class", "", "`NAME` of the operator's class: it puts new resources on sale whose spec.class is the same. (default those without a class)")
	f.StringSliceVar(&s.WatchNamespaces, "watch-namespaces", nil, "`NAMES` of the namespaces whose resources are reconciled, separated by commas. (default all)")
	f.BoolVar(&s.LeaderElect, "leader-elect", true, "Work only while holding a lease, so that other operators can stand by.")
	f.BoolFunc("no-leader-elect", "The same as --leader-elect=false.", func(value string) error {
		no, err := strconv.ParseBool(value)
		if err != nil {
			return err
		}
		return f.Set("leader-elect", strconv.FormatBool(!no)) // the last of the two flags wins
	})
	f.StringVar(&s.LeaderElectionNamespace, "leader-election-namespace", "", "`NAME` of the namespace of the lease. (default that of the pod)")
	f.StringVar(&s.LeaseName, "lease-name", defaultLeaseName, "`NAME` of the lease. Operators of different services need different leases.")
	f.StringVar(&s.MetricsListen, "metrics-listen", ":8443", "`ADDRESS` of the metrics. They are served over TLS to clients that may get /metrics by RBAC. 0 turns them off.")
	f.StringVar(&s.HealthListen, "health-listen", ":8081", "`ADDRESS` of /healthz and /readyz. 0 turns them off.")
	f.DurationVar(&s.Resync, "resync", 30*time.Second, "`TIME` after which status is updated and drift is corrected.")
	f.StringVar(&s.LogFormat, "log-format", "auto", "`FORMAT` of the log: console, json or auto: console on a terminal.")
	f.StringVar(&s.LogLevel, "log-level", "info", "`LEVEL` of the log: debug, info, warn or error.")
	f.BoolVar(&s.version, "version", false, "Print the version and exit.")
}

// parse reads the flags, and the environment for those that are not given. After --help, which
// prints to out, the error is pflag.ErrHelp.
func (s *settings) parse(args, environ []string, out io.Writer) error {
	f := pflag.NewFlagSet("operator", pflag.ContinueOnError)
	f.SortFlags = false
	s.addFlags(f)
	f.Usage = func() {
		fmt.Fprintf(out, "Usage: operator --service-url URL --service-token-file FILE [flags]\n\n"+
			"Makes the booking service sell what TrainSchedule and Train resources specify. Each flag can\n"+
			"also be set by an environment variable, such as %sRESYNC.\n\nFlags:\n%s", envPrefix, f.FlagUsagesWrapped(usageWidth))
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %s", f.Arg(0))
	}
	if err := setFromEnvironment(f, environ); err != nil {
		return err
	}
	return s.missing()
}

// setFromEnvironment sets the flags that were not given on the command line.
func setFromEnvironment(f *pflag.FlagSet, environ []string) error {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		key, ours := strings.CutPrefix(name, envPrefix)
		flag := f.Lookup(strings.ToLower(strings.ReplaceAll(key, "_", "-")))
		if !ours || value == "" || flag == nil || flag.Changed || flag.Name == "version" {
			continue
		}
		if err := flag.Value.Set(value); err != nil {
			return fmt.Errorf("%s %q: %w", name, value, err)
		}
	}
	return nil
}

// missing returns an error that names the flags that are required and have no value.
func (s *settings) missing() error {
	var flags []string
	if s.ServiceURL == "" {
		flags = append(flags, "--service-url")
	}
	if s.ServiceTokenFile == "" {
		flags = append(flags, "--service-token-file")
	}
	if len(flags) == 0 || s.version {
		return nil
	}
	return fmt.Errorf("missing flags: %s", strings.Join(flags, ", "))
}

// check returns every problem with the settings that can be found without a connection.
func (s *settings) check() error {
	var problems []error
	if _, err := client.New(client.Options{URL: s.ServiceURL}); err != nil {
		problems = append(problems, fmt.Errorf("--service-url: %w", err))
	} else if _, err := s.client(); err != nil {
		problems = append(problems, fmt.Errorf("--service-ca: %w", err))
	}
	if _, err := readToken(s.ServiceTokenFile); err != nil {
		problems = append(problems, fmt.Errorf("--service-token-file: %w", err))
	}
	if s.Resync < time.Second {
		problems = append(problems, fmt.Errorf("--resync %s is too short; set it to at least 1s", s.Resync))
	}
	for _, choice := range []struct {
		name, value string
		of          []string
	}{
		{"log-format", s.LogFormat, []string{"auto", "console", "json"}},
		{"log-level", s.LogLevel, []string{"debug", "info", "warn", "error"}},
	} {
		if !slices.Contains(choice.of, choice.value) {
			problems = append(problems, fmt.Errorf("--%s must be one of %s but got %q",
				choice.name, strings.Join(choice.of, ", "), choice.value))
		}
	}
	return errors.Join(problems...)
}
