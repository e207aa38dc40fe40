package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

// The linker sets these; see Makefile.
var version, commit = "devel", ""

func versionCommand(out io.Writer) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version.", Example: "operator version --json",
		Args: none, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error { return printVersion(out, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "Print JSON.")
	return c
}

// printVersion prints the versions of the program and of Go.
func printVersion(out io.Writer, asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprintf(out, "operator %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Version string `json:"version"`
		Commit  string `json:"commit,omitempty"`
		Go      string `json:"go"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	}{version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH})
}
