package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trainbooking.dev/cmd/internal/manual"
	"trainbooking.dev/config"
)

// action is what a command does, with the values of its flags.
type action interface {
	AddFlags(*pflag.FlagSet)
	Run(context.Context, *config.Sources, stdio) error
}

type command struct {
	name     string // one word, or several
	help     string
	required []string // flags
	action
}

// operand is an action with one positional argument.
type operand interface {
	// Operand returns the placeholder of the argument, and where to store its value.
	Operand() (name string, value *string)
}

func commands() []command {
	return []command{
		{"serve", "Run the service.", nil, &serve{}},
		{"migrate", "Migrate the store to the version of this program.", nil, &migrate{}},
		{"createsuperuser", "Add an admin. The service may be running.", []string{"username", "email"}, &createSuperuser{}},
		{"set-password", "Give a user a new password. The service may be running.", []string{"username"}, &setPassword{}},
		{"copy", "Copy a data directory into a database for a cluster.", nil, &copyStore{}},
		{"backup", "Back up a data directory to a file. The service may be running.", nil, &backupStore{}},
		{"restore", "Restore a data directory from a backup. The service must be stopped.", nil, &restoreStore{}},
		{"healthcheck", "Check that the running service is ready.", nil, &healthcheck{}},
		{"smoke", "Register, lock, confirm and find a seat on a running service.", []string{"url"}, &smokeTest{}},
		{"import gtfs", "Put the trains of a timetable on sale: a ZIP file, a directory, or - in GTFS.", nil, &importGTFS{}},
		{"version", "Print the version.", nil, &printVersion{}},
	}
}

// choices are the permitted values of flags that have a fixed set of them.
var choices = map[string][]string{
	"log-format": {config.LogAuto, config.LogConsole, config.LogJSON},
	"log-level":  {"debug", "info", "warn", "error"},
	"output":     {"yaml"},
}

// parse returns the command of args with its settings, or nil after --help or completion, which
// print to out. The flag --config may precede the name of the command.
func parse(ctx context.Context, args []string, sources *config.Sources, out io.Writer) (chosen action, err error) {
	root := &cobra.Command{
		Use: "trainbooking COMMAND [flags]", Short: "Train-seat booking service.",
		Args: unknown, SuggestionsMinimumDistance: 2,
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("expected one of %s", strings.Join(names(), ", "))
		},
	}
	root.Long, root.Example = pages[""].description, pages[""].examples
	sources.AddFlags(root.PersistentFlags())
	for _, c := range commands() {
		words := strings.Fields(c.name)
		parent := root
		if len(words) > 1 {
			parent = group(root, words[0])
		}
		parent.AddCommand(c.cobra(words[len(words)-1], func(flags *pflag.FlagSet) {
			sources.Apply(flags)
			chosen = c.action
		}))
	}
	manual.Apply(root, args, choices)
	root.SetOut(out)
	err = root.ExecuteContext(ctx)
	return chosen, err
}

// unknown refuses an argument that is not a command.
func unknown(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if similar := root.SuggestionsFor(args[0]); len(similar) > 0 {
		return fmt.Errorf("unexpected argument %s; did you mean %s?", args[0], strings.Join(similar, " or "))
	}
	return unexpected(args[0])
}

// group returns the parent command of the commands that begin with name.
func group(root *cobra.Command, name string) *cobra.Command {
	for _, c := range root.Commands() {
		if c.Name() == name {
			return c
		}
	}
	c := &cobra.Command{Use: name, Short: "Import trains from another format."}
	c.RunE = func(*cobra.Command, []string) error {
		return fmt.Errorf("expected %s %s", name, c.Commands()[0].Name())
	}
	root.AddCommand(c)
	return c
}

// cobra returns the command for the parser, which calls choose after a correct command line.
func (c *command) cobra(name string, choose func(*pflag.FlagSet)) *cobra.Command {
	parsed := &cobra.Command{
		Use: name, Short: c.help, Long: pages[c.name].description, Example: pages[c.name].examples,
		Args: c.setOperand, ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE: func(parsed *cobra.Command, _ []string) error { return c.requireFlags(parsed.Flags()) },
		RunE: func(parsed *cobra.Command, _ []string) error {
			choose(parsed.Flags())
			return nil
		},
	}
	if o, ok := c.action.(operand); ok {
		placeholder, _ := o.Operand()
		parsed.Use += " " + placeholder
		parsed.ValidArgsFunction = nil // paths
	}
	parsed.Flags().SortFlags = false
	c.AddFlags(parsed.Flags())
	for _, flag := range c.required {
		placeholder, _ := pflag.UnquoteUsage(parsed.Flags().Lookup(flag))
		parsed.Use += fmt.Sprintf(" --%s %s", flag, placeholder)
		if err := parsed.MarkFlagRequired(flag); err != nil {
			panic(err) // the command has no such flag
		}
	}
	return parsed
}

// setOperand sets the argument of an action that has one.
func (c *command) setOperand(_ *cobra.Command, args []string) error {
	if o, ok := c.action.(operand); ok {
		name, value := o.Operand()
		if len(args) == 0 {
			return fmt.Errorf("missing argument %s", name)
		}
		*value, args = args[0], args[1:]
	}
	if len(args) > 0 {
		return unexpected(args[0])
	}
	return nil
}

// unexpected quotes only an argument that looks like a word: any other may be part of a password that
// contains a space.
func unexpected(argument string) error {
	if strings.Trim(argument, "abcdefghijklmnopqrstuvwxyz") == "" {
		return fmt.Errorf("unexpected argument %s", argument)
	}
	return errors.New("unexpected argument; a value with spaces needs quotation marks")
}

func (c *command) requireFlags(flags *pflag.FlagSet) error {
	var missing []string
	for _, name := range c.required {
		if !flags.Changed(name) {
			missing = append(missing, "--"+name)
		}
	}
	if missing != nil {
		return fmt.Errorf("missing flags: %s", strings.Join(missing, ", "))
	}
	return nil
}

func names() []string {
	all := commands()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return names
}
