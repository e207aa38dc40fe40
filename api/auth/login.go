package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Login checks a password and starts a family of refresh tokens. address is the IP
// address of the client, without a port. Errors: invalid_request (an empty field);
// rate_limited with RetryAfter, whether or not there is such a user and whether or
// not the password is right; invalid_credentials, the same and in the same time for
// an unknown user and for a wrong password. Text that no account can have, such as a
// password of 3 characters, is just wrong.
func (a *Accounts) Login(ctx context.Context, username, password, address string) (Pair, error) {
	fields := faults{}
	fields.required("username", username)
	fields.required("password", password)
	if err := booking.Invalid(fields); err != nil {
		return Pair{}, err
	}
	var user booking.User
	right, err := a.Throttle.Try(ctx, username, address, func() (bool, error) {
		var err error
		if user, err = a.findByName(ctx, username); err != nil {
			return false, err
		}
		return a.Hasher.Verify(ctx, user.PasswordHash, password)
	})
	if err != nil {
		return Pair{}, err
	}
	if !right {
		return Pair{}, invalidCredentials()
	}
	return a.startFamily(ctx, user)
}

// findByName returns the user, or for a name that nobody has, a user whose hash costs
// as much to verify as any and matches no password.
func (a *Accounts) findByName(ctx context.Context, username string) (booking.User, error) {
	nobody := booking.User{PasswordHash: a.Hasher.nobody}
	clean, sentence := booking.CleanText(username, 1, MaxUsername)
	if sentence != "" {
		return nobody, nil
	}
	user, err := a.Users.FindUserByName(ctx, clean)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return nobody, nil
	}
	if err != nil {
		return booking.User{}, fmt.Errorf("find user by name: %w", err)
	}
	return user, nil
}

// startFamily issues the first pair of a family to a user whose password was right a
// moment ago. A change of the password in that moment has revoked every family but
// this one, which was not there yet; so the hash is compared once more after the
// family is saved, and one of the two sees the other. The token of a family that came
// too late is given to nobody.
func (a *Accounts) startFamily(ctx context.Context, user booking.User) (Pair, error) {
	pair, first, err := a.Tokens.issue(user.ID, uuid.New(), time.Now())
	if err != nil {
		return Pair{}, err
	}
	if err := a.Users.SaveRefreshToken(ctx, first); err != nil {
		return Pair{}, fmt.Errorf("save refresh token: %w", err)
	}
	now, err := a.Users.FindUser(ctx, user.ID)
	if err != nil {
		return Pair{}, fmt.Errorf("find user again: %w", err)
	}
	if now.PasswordHash != user.PasswordHash {
		return Pair{}, invalidCredentials()
	}
	return pair, nil
}

// invalidCredentials is the one answer to an unknown user and to a wrong password.
func invalidCredentials() *booking.Error {
	return &booking.Error{
		Code:    booking.CodeInvalidCredentials,
		Message: "Wrong username or password",
	}
}
