package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"trainbooking.dev/api/client"
)

// envPrefix is the prefix of the environment variables, one for each flag.
const envPrefix = "KUBECTL_TRAINS_"

// usageWidth is the width of the help in columns, that of the narrowest terminals.
const usageWidth = 80

// settings is the command line.
type settings struct {
	// Of kubectl.
	Kubeconfig, Context, Namespace string
	AllNamespaces                  bool
	Files                          []string
	Selector                       string
	Recursive                      bool

	ServiceURL, TokenFile, CAFile string
	Date                          string
	Prune                         bool
}

func (s *settings) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&s.Namespace, "namespace", "n", "", "`NAME` of the namespace. (default that of the context)")
	f.BoolVarP(&s.AllNamespaces, "all-namespaces", "A", false, "All namespaces (status).")
	f.StringArrayVarP(&s.Files, "filename", "f", nil, "`FILE`, directory, URL or - of manifests (plan). May be repeated.")
	f.BoolVarP(&s.Recursive, "recursive", "R", false, "Also read the subdirectories of --filename (plan).")
	f.BoolVar(&s.Prune, "prune", false, "Also plan to delete the Trains and TrainSchedules of the namespace that are not in the manifests (plan).")
	f.StringVarP(&s.Selector, "selector", "l", "", "`LABELS` of the resources to show (status) or to prune (plan).")
	f.StringVar(&s.Date, "date", "", "`DATE` of the departure of a TrainSchedule, like 2026-12-24 (sold).")
	f.StringVar(&s.ServiceURL, "service-url", "", "`URL` of the booking service, like http://localhost:8080 (sold, plan).")
	f.StringVar(&s.TokenFile, "token-file", "", "`FILE` with an access token of an admin (sold).")
	f.StringVar(&s.CAFile, "ca", "", "`FILE` with the certificate authority of the service, PEM. (default those of the system)")
	f.StringVar(&s.Context, "context", "", "`NAME` of the context of the kubeconfig.")
	f.StringVar(&s.Kubeconfig, "kubeconfig", "", "Kubeconfig `FILE`.")
}

// runCommand parses args and runs the command that they name.
func runCommand(ctx context.Context, args, environ []string, std stdio) error {
	var s settings
	f := pflag.NewFlagSet("kubectl trains", pflag.ContinueOnError)
	f.SortFlags = false
	s.addFlags(f)
	f.Usage = func() { fmt.Fprint(std.out, usage, f.FlagUsagesWrapped(usageWidth)) }
	if err := f.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w; see kubectl trains --help", err)
	}
	if err := setFromEnvironment(f, environ); err != nil {
		return err
	}
	name, operands := f.Arg(0), f.Args()[min(1, f.NArg()):]
	switch {
	case name == "status" && len(operands) == 0:
		return s.status(ctx, std)
	case name == "sold" && len(operands) == 1:
		return s.sold(ctx, operands[0], std)
	case name == "plan" && len(operands) == 0 && len(s.Files) > 0:
		return s.plan(ctx, std)
	case name == "version" && len(operands) == 0:
		fmt.Fprintln(std.out, "kubectl-trains", version)
		return nil
	}
	return errors.New("expected status, sold NAME, plan -f FILE or version; see kubectl trains --help")
}

// setFromEnvironment sets the flags that were not given on the command line.
func setFromEnvironment(f *pflag.FlagSet, environ []string) error {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		key, ours := strings.CutPrefix(name, envPrefix)
		flag := f.Lookup(strings.ToLower(strings.ReplaceAll(key, "_", "-")))
		if !ours || value == "" || flag == nil || flag.Changed {
			continue
		}
		if err := flag.Value.Set(value); err != nil {
			return fmt.Errorf("%s %q: %w", name, value, err)
		}
	}
	return nil
}

// client returns a client of the service.
func (s *settings) client() (*client.Client, error) {
	if s.ServiceURL == "" {
		return nil, errors.New("set --service-url, for example to http://localhost:8080 " +
			"while kubectl port-forward service/booking-trainbooking 8080 runs")
	}
	options := client.Options{URL: s.ServiceURL, CAFile: s.CAFile, UserAgent: "kubectl-trains/" + version}
	if s.TokenFile != "" {
		options.Token = func(context.Context, uuid.UUID) (string, error) {
			text, err := os.ReadFile(s.TokenFile)
			line, _, _ := strings.Cut(string(text), "\n")
			return strings.TrimSpace(line), err
		}
	}
	c, err := client.New(options)
	if err != nil {
		return nil, fmt.Errorf("--service-url: %w", err)
	}
	return c, nil
}
