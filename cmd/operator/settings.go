package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"trainbooking.dev/cmd/internal/setting"
	"trainbooking.dev/operator"
)

// envPrefix is the prefix of the environment variables, one for each flag.
const envPrefix = "TRAINBOOKING_OPERATOR_"

// choices are the permitted values of flags that have a fixed set of them.
var choices = map[string][]string{
	"log-format": {"auto", "console", "json"},
	"log-level":  {"debug", "info", "warn", "error"},
}

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
}

func (s *settings) addFlags(f *pflag.FlagSet) {
	f.StringVar(&s.ServiceURL, "service-url", "", "`URL` of the booking service, like http://booking:8080. Required.")
	f.StringVar(&s.ServiceTokenFile, "service-token-file", "", "`FILE` whose first line is the service token. It is read for each request. Required.")
	f.StringVar(&s.ServiceCA, "service-ca", "", "`FILE` in PEM with the authorities that sign the service's certificate. It is read for each request. (default those of the system)")
	f.StringVar(&s.ServiceName, "service-name", "", "`NAME` of the service in status.service of the resources that it owns. Do not change it: resources that another name owns are left alone. (default host and port of --service-url)")
	f.StringVar(&s.Class, "class", "", "`NAME` of the operator's class: the operator puts new resources with the same spec.class on sale. (default those without a class)")
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
	f.StringVar(&s.MetricsListen, "metrics-listen", ":8443", "`ADDRESS` of the metrics. They are served over TLS to clients whom RBAC permits to get /metrics. 0 turns them off.")
	f.StringVar(&s.HealthListen, "health-listen", ":8081", "`ADDRESS` of /healthz and /readyz. 0 turns them off.")
	f.DurationVar(&s.Resync, "resync", 30*time.Second, "`TIME` after which status is updated and drift is corrected.")
	f.StringVar(&s.LogFormat, "log-format", "auto", "`FORMAT` of the log: console, json or auto: console on a terminal.")
	f.StringVar(&s.LogLevel, "log-level", "info", "`LEVEL` of the log: debug, info, warn or error.")
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
	if len(flags) == 0 {
		return nil
	}
	return fmt.Errorf("missing flags: %s", strings.Join(flags, ", "))
}

// check returns every problem with the settings that can be found without a connection.
func (s *settings) check() error {
	var problems []error
	if _, err := s.client(); err != nil {
		problems = append(problems, err)
	}
	if _, err := setting.Token(s.ServiceTokenFile); err != nil {
		problems = append(problems, fmt.Errorf("--service-token-file: %w", err))
	}
	s.ServiceName = cmp.Or(s.ServiceName, hostOf(s.ServiceURL))
	if len(s.ServiceName) > operator.MaxServiceName {
		problems = append(problems, fmt.Errorf("--service-name has more than %d bytes", operator.MaxServiceName))
	}
	if s.Class != "" && len(validation.IsDNS1123Label(s.Class)) > 0 {
		problems = append(problems, fmt.Errorf("--class must consist of lower case letters, digits and hyphens but got %q", s.Class))
	}
	if s.Resync < time.Second {
		problems = append(problems, fmt.Errorf("--resync %s is too short; set it to at least 1s", s.Resync))
	}
	for _, setting := range []struct{ name, value string }{{"log-format", s.LogFormat}, {"log-level", s.LogLevel}} {
		if all := choices[setting.name]; !slices.Contains(all, setting.value) {
			problems = append(problems, fmt.Errorf("--%s must be one of %s but got %q",
				setting.name, strings.Join(all, ", "), setting.value))
		}
	}
	return errors.Join(problems...)
}

// hostOf returns host and port of a URL, or "" if it is not valid.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
