package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trainbooking.dev/cmd/internal/manual"
	"trainbooking.dev/cmd/internal/setting"
)

const description = `
The operator makes the booking service sell what TrainSchedule and Train
resources specify. Each flag can also be set by an environment variable, such as
TRAINBOOKING_OPERATOR_RESYNC; a flag takes precedence.

The exit status is 0 after SIGTERM or SIGINT, 1 if the operator failed or lost
its lease, and 2 if the command line is wrong.`

// Outside a pod the operator uses the kubeconfig and has no default namespace for its lease.
const examples = `
# In a pod:
operator --service-url http://booking.rail.svc:8080 --service-token-file /run/token

# On your machine, with the current context of kubectl:
operator --service-url http://localhost:8080 --service-token-file token --no-leader-elect \
  --watch-namespaces rail --log-level debug

operator version --json`

// parse returns what the command line asks for, or nil after --help, --version or completion, which print
// to out. Flags that are not given are set from the environment.
func parse(args, environ []string, out io.Writer) (run func(context.Context) error, err error) {
	var s settings
	var asVersion bool
	root := &cobra.Command{
		Use: "operator --service-url URL --service-token-file FILE [flags]", Short: "Operator of the booking service.",
		Long: description, Example: examples, Args: none, ValidArgsFunction: cobra.NoFileCompletions,
	}
	s.addFlags(root.Flags())
	root.Flags().BoolVar(&asVersion, "version", false, "Print the version and exit.")
	root.RunE = func(*cobra.Command, []string) error {
		if asVersion {
			return printVersion(out, false)
		}
		if err := setting.FromEnvironment(root.Flags(), envPrefix, environ); err != nil {
			return err
		}
		if err := s.missing(); err != nil {
			return err
		}
		run = s.run
		return s.check()
	}
	root.AddCommand(versionCommand(out))
	manual.Apply(root, args, choices)
	root.SetOut(out)
	err = root.Execute()
	return run, err
}

func none(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %s", args[0])
	}
	return nil
}
