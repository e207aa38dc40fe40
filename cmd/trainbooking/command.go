package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"trainbooking.dev/config"
)

// action is what a command does, with the values of its flags.
type action interface {
	AddFlags(*pflag.FlagSet)
	Run(context.Context, *config.Sources, stdio) error
}

type command struct {
	name     string
	help     string
	required []string // flags
	action
}

func commands() []command {
	return []command{
		{"serve", "Run the service.", nil, &serve{}},
		{"migrate", "Migrate the store to the version of this program.", nil, &migrate{}},
		{"createsuperuser", "Add an admin. The service may be running.", []string{"username", "email"}, &createSuperuser{}},
		{"set-password", "Give a user a new password. The service may be running.", []string{"username"}, &setPassword{}},
		{"copy", "Copy a data directory into a database for a cluster.", nil, &copyStore{}},
		{"healthcheck", "Check that the running service is ready.", nil, &healthcheck{}},
		{"smoke", "Register, lock, confirm and find a seat on a running service.", []string{"url"}, &smokeTest{}},
		{"version", "Print the version.", nil, printVersion{}},
	}
}

// parse returns the command of args with its settings. The flag --config may precede its name. The
// error is pflag.ErrHelp after --help, which prints to out.
func parse(args []string, sources *config.Sources, out io.Writer) (action, error) {
	all := commands()
	global := newFlags(sources.AddFlags)
	global.SetInterspersed(false) // the flags after the name belong to the command
	global.Usage = func() { printCommands(out, all, global) }
	if err := global.Parse(args); err != nil {
		return nil, err
	}
	if global.NArg() == 0 {
		return nil, fmt.Errorf("expected one of %s", strings.Join(namesOf(all), ", "))
	}
	name := global.Arg(0)
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		return nil, fmt.Errorf("unexpected argument %s", name)
	}
	c := all[i]
	flags := newFlags(c.AddFlags)
	flags.AddFlagSet(global)
	flags.Usage = func() { c.print(out, flags) }
	if err := flags.Parse(global.Args()[1:]); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %s", flags.Arg(0))
	}
	if missing := c.missing(flags); len(missing) > 0 {
		return nil, fmt.Errorf("missing flags: %s", strings.Join(missing, ", "))
	}
	sources.Apply(flags)
	return c.action, nil
}

func newFlags(add func(*pflag.FlagSet)) *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.SortFlags = false
	add(f)
	return f
}

func namesOf(all []command) []string {
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return names
}

func (c *command) missing(flags *pflag.FlagSet) (missing []string) {
	for _, name := range c.required {
		if !flags.Changed(name) {
			missing = append(missing, "--"+name)
		}
	}
	return missing
}

// usageWidth is the width of the help in columns, that of the narrowest terminals.
const usageWidth = 80

func printCommands(out io.Writer, all []command, global *pflag.FlagSet) {
	fmt.Fprint(out, "Usage: trainbooking <command> [flags]\n\nTrain-seat booking service.\n\nCommands:\n")
	for i := range all {
		fmt.Fprintf(out, "  %-16s %s\n", all[i].name, all[i].help)
	}
	fmt.Fprintf(out, "\nFlags:\n%s\nRun \"trainbooking <command> --help\" for the flags of a command.\n",
		global.FlagUsagesWrapped(usageWidth))
}

func (c *command) print(out io.Writer, flags *pflag.FlagSet) {
	fmt.Fprintf(out, "Usage: trainbooking %s", c.name)
	for _, name := range c.required {
		placeholder, _ := pflag.UnquoteUsage(flags.Lookup(name))
		fmt.Fprintf(out, " --%s %s", name, placeholder)
	}
	fmt.Fprintf(out, " [flags]\n\n%s\n\nFlags:\n%s", c.help, flags.FlagUsagesWrapped(usageWidth))
}
