package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/config"
)

type setPassword struct {
	config.Store

	Username      string
	PasswordStdin bool
}

// AddFlags implements action.
func (c *setPassword) AddFlags(f *pflag.FlagSet) {
	c.Store.AddFlags(f)
	f.StringVar(&c.Username, "username", "", "`NAME` of the user.")
	f.BoolVar(&c.PasswordStdin, "password-stdin", false, "Read the password from standard input instead of prompting for it.")
}

// Run replaces the password of a user. Unlike createsuperuser, it creates neither a data directory
// nor tables, since only a user of an existing store can have forgotten a password.
func (c *setPassword) Run(ctx context.Context, sources *config.Sources, std stdio) (err error) {
	if problems := append(sources.Problems(), c.Validate()...); len(problems) > 0 {
		return usageError{problems}
	}
	if !c.HasDatabase() {
		if err := requireData(c.DataDir); err != nil {
			return err
		}
	}
	password, password2, err := readPassword(std, c.PasswordStdin)
	if err != nil {
		return err
	}
	db, err := openStore(ctx, &c.Store, commandLogger(std))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := requireVersion(ctx, db, &c.Store); err != nil {
		return err
	}
	hasher, err := auth.NewHasher(auth.DefaultCost)
	if err != nil {
		return err
	}
	accounts := &auth.Accounts{Users: db, Hasher: hasher}
	user, err := accounts.ResetPassword(ctx, c.Username, password, password2)
	if err != nil {
		return accountError(err)
	}
	_, err = fmt.Fprintf(std.out, "%s has a new password and must log in again.\n", user.Username)
	return err
}
