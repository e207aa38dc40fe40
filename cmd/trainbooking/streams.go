package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// streams are where a command reads and writes.
type streams struct {
	in       *os.File
	out, err io.Writer
	terminal bool // err is one: a person watches
}

func standardStreams() streams {
	return streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stderr)}
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd()))
}
