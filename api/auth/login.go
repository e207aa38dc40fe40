package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Login verifies a password and starts a family of refresh tokens. address is the IP
// address of the client, without a port. Errors: invalid_request for an empty field;
// rate_limited with RetryAfter, even if the user does not exist or the password is
// correct; invalid_credentials, with the same message and after the same time for an
// unknown user and a wrong password; disabled, only after the right password. A username or
// password that no account can have is invalid_credentials too.
func (a *Accounts) Login(ctx context.Context, username, password, address string) (IssuedTokens, error) {
	fields := fieldErrors{}
	fields.required("username", username)
	fields.required("password", password)
	if err := booking.Invalid(fields); err != nil {
		return IssuedTokens{}, err
	}
	var user booking.User
	correct, err := a.checkPassword(ctx, username, address, func() (correct bool, err error) {
		if user, err = a.findByName(ctx, username); err != nil {
			return false, err
		}
		return a.Hasher.Verify(ctx, user.PasswordHash, password)
	})
	if err != nil {
		return IssuedTokens{}, err
	}
	if !correct {
		return IssuedTokens{}, invalidCredentials()
	}
	if user.Disabled {
		return IssuedTokens{}, disabled()
	}
	return a.startFamily(ctx, user)
}

// checkPassword runs check, which reports whether the password of an account is correct, unless too
// many were wrong. An error does not count as a wrong password.
func (a *Accounts) checkPassword(
	ctx context.Context, username, address string, check func() (correct bool, err error),
) (correct bool, err error) {
	err = a.Logins.Try(ctx, username, address, func() (wrong bool, err error) {
		correct, err = check()
		return err == nil && !correct, err
	})
	return correct, err
}

// findByName returns the user. For an unknown name it returns a user whose hash takes as
// long to verify as any other and matches no password.
func (a *Accounts) findByName(ctx context.Context, username string) (booking.User, error) {
	unknown := booking.User{PasswordHash: a.Hasher.dummy}
	clean, message := booking.CleanText(username, 1, MaxUsername)
	if message != "" {
		return unknown, nil
	}
	user, err := a.Users.FindUserByName(ctx, clean)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return unknown, nil
	}
	if err != nil {
		return booking.User{}, fmt.Errorf("find user by name: %w", err)
	}
	return user, nil
}

// startFamily issues the first tokens of a family. A concurrent change of the password
// revokes all families, but not one that is saved after it. So startFamily compares the
// hash again after it has saved the family, and discards the tokens if the hash changed,
// or if the user is disabled by now. (A deleted user has no hash.)
func (a *Accounts) startFamily(ctx context.Context, user booking.User) (IssuedTokens, error) {
	now := time.Now()
	first := a.Tokens.newRefresh(user.ID, uuid.New(), now)
	if err := a.Users.SaveRefreshToken(ctx, first); err != nil {
		return IssuedTokens{}, fmt.Errorf("save refresh token: %w", err)
	}
	current, err := a.Users.FindUser(ctx, user.ID)
	if err != nil {
		return IssuedTokens{}, fmt.Errorf("find user again: %w", err)
	}
	if current.PasswordHash != user.PasswordHash {
		return IssuedTokens{}, invalidCredentials()
	}
	if current.Disabled {
		return IssuedTokens{}, disabled()
	}
	return a.Tokens.issue(first, now)
}

// invalidCredentials is the error for an unknown user and for a wrong password.
func invalidCredentials() *booking.Error {
	return &booking.Error{
		Code:    booking.CodeInvalidCredentials,
		Message: "Wrong username or password",
	}
}

// disabled is the error for the right password of a disabled user.
func disabled() *booking.Error {
	return &booking.Error{Code: booking.CodeDisabled, Message: "This account is disabled"}
}
