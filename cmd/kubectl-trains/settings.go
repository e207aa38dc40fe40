package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/pflag"

	"trainbooking.dev/api/client"
	"trainbooking.dev/cmd/internal/setting"
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
	if err := setting.FromEnvironment(f, envPrefix, environ); err != nil {
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

// client returns a client of the service.
func (s *settings) client() (*client.Client, error) {
	if s.ServiceURL == "" {
		return nil, errors.New("set --service-url, for example to http://localhost:8080 " +
			"while kubectl port-forward service/booking-trainbooking 8080 runs")
	}
	transport, err := client.NewTransport(client.Options{CAFile: s.CAFile})
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", setting.WithoutPath(err))
	}
	token := ""
	if s.TokenFile != "" {
		if token, err = setting.Token(s.TokenFile); err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
	}
	c, err := client.New(client.Options{
		URL: s.ServiceURL, HTTP: &http.Client{Transport: transport}, UserAgent: "kubectl-trains/" + version,
		Token: client.FixedToken(token),
	})
	if err != nil {
		return nil, fmt.Errorf("--service-url: %w", err)
	}
	return c, nil
}
