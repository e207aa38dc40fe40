// Package manual prints the help of commands in the form of manual pages, and completes their flags
// in shells. Flags whose placeholders are FILE or DIR complete to paths.
package manual

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// width is the width of a page in columns, that of the narrowest terminals.
const width = 80

// Apply sets the arguments that root parses, and makes root and its commands print pages and complete
// flags. choices has the permitted values of flags that have a fixed set of them.
func Apply(root *cobra.Command, args []string, choices map[string][]string) {
	root.SetArgs(args)
	cobra.EnableCommandSorting = false
	// Errors are for the caller to print.
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { writePage(c.OutOrStdout(), c) })
	each(root, func(c *cobra.Command) {
		c.Flags().SortFlags, c.PersistentFlags().SortFlags = false, false
		c.Flags().BoolP("help", "h", false, "Print this page.")
		complete(c, c.PersistentFlags(), choices)
		complete(c, c.LocalNonPersistentFlags(), choices)
		if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
			c.LocalFlags().VisitAll(removeQuotes)
		}
	})
}

// removeQuotes removes the quotes of the placeholder, which shells would show.
func removeQuotes(flag *pflag.Flag) { _, flag.Usage = pflag.UnquoteUsage(flag) }

func each(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, child := range c.Commands() {
		each(child, f)
	}
}

func complete(c *cobra.Command, flags *pflag.FlagSet, choices map[string][]string) {
	flags.VisitAll(func(flag *pflag.Flag) {
		complete := cobra.NoFileCompletions
		placeholder, _ := pflag.UnquoteUsage(flag)
		switch values := choices[flag.Name]; {
		case values != nil:
			complete = cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
		case placeholder == "FILE":
			complete = paths(cobra.ShellCompDirectiveDefault)
		case placeholder == "DIR":
			complete = paths(cobra.ShellCompDirectiveFilterDirs)
		}
		if err := c.RegisterFlagCompletionFunc(flag.Name, complete); err != nil {
			panic(err) // the flag was registered twice
		}
	})
}

func paths(directive cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, directive
	}
}

// writePage writes the page of a command.
func writePage(out io.Writer, c *cobra.Command) {
	name := c.CommandPath()
	section(out, "NAME", name+" - "+c.Short)
	synopsis := c.UseLine()
	if c.HasAvailableSubCommands() && c.HasParent() {
		synopsis = name + " COMMAND [flags]"
	}
	section(out, "SYNOPSIS", synopsis)
	if c.Long != "" {
		section(out, "DESCRIPTION", c.Long)
	}
	if c.HasAvailableSubCommands() {
		var commands strings.Builder
		for _, child := range c.Commands() {
			if child.IsAvailableCommand() {
				fmt.Fprintf(&commands, "%-16s %s\n", child.Name(), child.Short)
			}
		}
		section(out, "COMMANDS", commands.String())
	}
	if c.Example != "" {
		section(out, "EXAMPLES", c.Example)
	}
	fmt.Fprintf(out, "FLAGS\n%s", c.Flags().FlagUsagesWrapped(width))
}

// section writes a section of a page, with its text indented.
func section(out io.Writer, title, text string) {
	fmt.Fprintf(out, "%s\n", title)
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		if line == "\n" {
			fmt.Fprint(out, line)
			continue
		}
		fmt.Fprintf(out, "  %s", line)
	}
	fmt.Fprintln(out)
}
