package main

import (
	"fmt"
	"runtime"
)

// version is set by the linker, see Makefile.
var version = "devel"

type printVersion struct{}

// Run prints the version of the program and of Go.
func (printVersion) Run(std streams) error {
	_, err := fmt.Fprintf(std.out, "trainbooking %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
