package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// stdio has the standard input and outputs of a command.
type stdio struct {
	in       *os.File
	out, err io.Writer
	terminal bool // err is a terminal
}

func newStdio() stdio {
	return stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stderr)}
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd()))
}
