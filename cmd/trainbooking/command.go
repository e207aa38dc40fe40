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
	name     string // one word, or several
	help     string
	required []string // flags
	action
}

// operand is an action with one argument that is no flag.
type operand interface {
	// Operand returns how the help calls the argument, and where it goes.
	Operand() (name string, value *string)
}

func commands() []command {
	return []command{
		{"serve", "Run the service.", nil, &serve{}},
		{"migrate", "Migrate the store to the version of this program.", nil, &migrate{}},
		{"createsuperuser", "Add an admin. The service may be running.", []string{"username", "email"}, &createSuperuser{}},
		{"set-password", "Give a user a new password. The service may be running.", []string{"username"}, &setPassword{}},
		{"copy", "Copy a data directory into a database for a cluster.", nil, &copyStore{}},
		{"backup", "Copy a data directory's database to a new file, PATH or one in it. The service may be running.", nil, &backupStore{}},
		{"restore", "Make a backup the database of a data directory. The service must be stopped.", nil, &restoreStore{}},
		{"healthcheck", "Check that the running service is ready.", nil, &healthcheck{}},
		{"smoke", "Register, lock, confirm and find a seat on a running service.", []string{"url"}, &smokeTest{}},
		{"import gtfs", "Put the trains of a timetable on sale: a ZIP file, a directory, or - in GTFS.", nil, &importGTFS{}},
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
	c, rest, err := find(all, global.Args())
	if err != nil {
		return nil, err
	}
	flags := newFlags(c.AddFlags)
	flags.AddFlagSet(global)
	flags.Usage = func() { c.print(out, flags) }
	if err := flags.Parse(rest); err != nil {
		return nil, err
	}
	if err := c.setOperand(flags.Args()); err != nil {
		return nil, err
	}
	if missing := c.missing(flags); len(missing) > 0 {
		return nil, fmt.Errorf("missing flags: %s", strings.Join(missing, ", "))
	}
	sources.Apply(flags)
	return c.action, nil
}

// find returns the command whose name args begin with, and the other args.
func find(all []command, args []string) (command, []string, error) {
	var next []string // words after those that are the beginning of a name
	for _, c := range all {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(words, args[:len(words)]) {
			return c, args[len(words):], nil
		}
		if len(words) > 1 && words[0] == args[0] {
			next = append(next, words[1])
		}
	}
	if next != nil {
		return command{}, nil, fmt.Errorf("expected %s %s", args[0], strings.Join(next, " or "))
	}
	return command{}, nil, fmt.Errorf("unexpected argument %s", args[0])
}

// setOperand sets the argument of an action that has one.
func (c *command) setOperand(args []string) error {
	if o, ok := c.action.(operand); ok {
		name, value := o.Operand()
		if len(args) == 0 {
			return fmt.Errorf("missing argument %s", name)
		}
		*value, args = args[0], args[1:]
	}
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %s", args[0])
	}
	return nil
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
	if o, ok := c.action.(operand); ok {
		name, _ := o.Operand()
		fmt.Fprintf(out, " %s", name)
	}
	for _, name := range c.required {
		placeholder, _ := pflag.UnquoteUsage(flags.Lookup(name))
		fmt.Fprintf(out, " --%s %s", name, placeholder)
	}
	fmt.Fprintf(out, " [flags]\n\n%s\n\nFlags:\n%s", c.help, flags.FlagUsagesWrapped(usageWidth))
}
