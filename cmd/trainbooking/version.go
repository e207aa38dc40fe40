package main

import (
	"fmt"
	"runtime"
)

// The linker sets version; see Makefile.
var version = "devel"

type printVersion struct{}

// Run prints the versions of the program and of Go.
func (printVersion) Run(std stdio) error {
	_, err := fmt.Fprintf(std.out, "trainbooking %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
