package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/pflag"

	"trainbooking.dev/config"
)

// The linker sets version; see Makefile.
var version = "devel"

type printVersion struct{}

// AddFlags implements action.
func (printVersion) AddFlags(*pflag.FlagSet) {}

// Run prints the versions of the program and of Go.
func (printVersion) Run(_ context.Context, _ *config.Sources, std stdio) error {
	_, err := fmt.Fprintf(std.out, "trainbooking %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
