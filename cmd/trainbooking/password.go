package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"trainbooking.dev/api/auth"
)

// readPassword prompts for a password twice without echo. If fromInput is true, it reads
// standard input to the end instead and removes a trailing line break.
func readPassword(std stdio, fromInput bool) (password, password2 string, err error) {
	if fromInput {
		// A character has at most 4 bytes in UTF-8. A longer input is too long in any case.
		typed, err := io.ReadAll(io.LimitReader(std.in, 4*auth.MaxPassword+2))
		password = strings.TrimSuffix(strings.TrimSuffix(string(typed), "\n"), "\r")
		return password, password, err
	}
	if !isTerminal(std.in) {
		return "", "", usageError{errors.New("standard input is not a terminal; use --password-stdin")}
	}
	if password, err = prompt(std, "Password: "); err != nil {
		return "", "", err
	}
	password2, err = prompt(std, "Password (again): ")
	return password, password2, err
}

func prompt(std stdio, text string) (string, error) {
	fmt.Fprint(std.err, text)
	typed, err := term.ReadPassword(int(std.in.Fd()))
	fmt.Fprintln(std.err)
	return string(typed), err
}
