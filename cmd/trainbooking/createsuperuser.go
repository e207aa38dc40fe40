package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
	"trainbooking.dev/config"
)

type createSuperuser struct {
	config.Store

	Username      string `required:"" help:"The name to log in with."`
	Email         string `required:"" help:"Where to reach them."`
	PasswordStdin bool   `help:"Read the password from standard input instead of asking for it."`
}

// Run adds a user who is an admin. A store that has no tables yet gets them; one of
// another version is left alone, because a service may be working on it.
func (c *createSuperuser) Run(ctx context.Context, sources *config.Sources, std streams) (err error) {
	if problems := append(sources.Problems(), c.Validate()...); len(problems) > 0 {
		return usageError{problems}
	}
	password, again, err := readPassword(std, c.PasswordStdin)
	if err != nil {
		return err
	}
	db, err := openMigrated(ctx, &c.Store, commandLogger(std))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	hasher, err := auth.NewHasher(auth.DefaultCost)
	if err != nil {
		return err
	}
	accounts := &auth.Accounts{Users: db, Hasher: hasher}
	user, err := accounts.CreateAdmin(ctx, auth.Registration{
		Username: c.Username, Email: c.Email, Password: password, Password2: again,
	})
	if err != nil {
		return inWords(err)
	}
	_, err = fmt.Fprintf(std.out, "%s is an admin now.\n", user.Username)
	return err
}

// inWords makes one sentence for each field at fault. A form that is not valid is a
// mistake in how the command was called.
func inWords(err error) error {
	problem, ok := errors.AsType[*booking.Error](err)
	if !ok {
		return err
	}
	lines := []string{problem.Message}
	for _, field := range slices.Sorted(maps.Keys(problem.Fields)) {
		lines = append(lines, fmt.Sprintf("%s %s", field, problem.Fields[field]))
	}
	err = errors.New(strings.Join(lines, "\n  "))
	if problem.Code == booking.CodeInvalidRequest {
		return usageError{err}
	}
	return err
}
