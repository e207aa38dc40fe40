package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
	"trainbooking.dev/config"
)

type createSuperuser struct {
	config.Store

	Username      string
	Email         string
	PasswordStdin bool
}

// AddFlags implements action.
func (c *createSuperuser) AddFlags(f *pflag.FlagSet) {
	c.Store.AddFlags(f)
	f.StringVar(&c.Username, "username", "", "`NAME` of the admin.")
	f.StringVar(&c.Email, "email", "", "Email `ADDRESS` of the admin.")
	f.BoolVar(&c.PasswordStdin, "password-stdin", false, "Read the password from standard input instead of prompting for it.")
}

// Run adds an admin. It creates the tables of an empty store.
func (c *createSuperuser) Run(ctx context.Context, sources *config.Sources, std stdio) (err error) {
	if problems := append(sources.Problems(), c.Validate()...); len(problems) > 0 {
		return usageError{problems}
	}
	password, password2, err := readPassword(std, c.PasswordStdin)
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
		Username: c.Username, Email: c.Email, Password: password, Password2: password2,
	})
	if err != nil {
		return accountError(err)
	}
	_, err = fmt.Fprintf(std.out, "%s is an admin now.\n", user.Username)
	return err
}

// accountError formats the message of an error and of each of its fields. An invalid name,
// address or password is a usage error.
func accountError(err error) error {
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
