package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/pflag"

	"trainbooking.dev/config"
	"trainbooking.dev/persistence/postgres"
	"trainbooking.dev/persistence/sqlite"
)

// The linker sets these; see Makefile.
var version, commit = "devel", ""

type printVersion struct {
	JSON bool
}

// AddFlags implements action.
func (c *printVersion) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&c.JSON, "json", false, "Print JSON.")
}

// programVersion is what version --json prints.
type programVersion struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	// Schema has the newest version of the tables that this program supports, by kind of store.
	Schema map[string]int64 `json:"schema"`
}

// Run prints the versions of the program, of Go and, as JSON, of the tables.
func (c *printVersion) Run(_ context.Context, _ *config.Sources, std stdio) error {
	if !c.JSON {
		_, err := fmt.Fprintf(std.out, "trainbooking %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}
	printed := programVersion{
		Version: version, Commit: commit, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Schema: map[string]int64{"sqlite": sqlite.NewestVersion(), "postgres": postgres.NewestVersion()},
	}
	out := json.NewEncoder(std.out)
	out.SetIndent("", "  ")
	return out.Encode(printed)
}
