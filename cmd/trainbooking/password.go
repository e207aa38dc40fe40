package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"trainbooking.dev/api/auth"
)

// readPassword asks for a password twice without showing it, or reads it from standard
// input up to its end, a last line break left out.
func readPassword(std streams, fromInput bool) (password, again string, err error) {
	if fromInput {
		// In UTF-8 a character has at most 4 bytes; what is longer is too long anyway.
		typed, err := io.ReadAll(io.LimitReader(std.in, 4*auth.MaxPassword+2))
		password = strings.TrimSuffix(strings.TrimSuffix(string(typed), "\n"), "\r")
		return password, password, err
	}
	if !isTerminal(std.in) {
		return "", "", usageError{errors.New("there is no terminal to ask for the password; give it with --password-stdin")}
	}
	if password, err = prompt(std, "Password: "); err != nil {
		return "", "", err
	}
	again, err = prompt(std, "Password (again): ")
	return password, again, err
}

func prompt(std streams, question string) (string, error) {
	fmt.Fprint(std.err, question)
	typed, err := term.ReadPassword(int(std.in.Fd()))
	fmt.Fprintln(std.err)
	return string(typed), err
}
