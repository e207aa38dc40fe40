package auth

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Pair is what a login or a refresh gives the client. It prints and logs as nothing.
type Pair struct {
	Access  string
	Refresh string
}

// Format keeps the tokens out of whatever prints a Pair, with any verb.
func (Pair) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "pair of tokens") }

// LogValue keeps the tokens out of the log.
func (Pair) LogValue() slog.Value { return slog.StringValue("pair of tokens") }

// Unauthenticated is the one answer to every request whose token is missing, forged,
// expired, revoked or of the wrong kind. It never says which.
func Unauthenticated() *booking.Error {
	return &booking.Error{
		Code:    booking.CodeUnauthenticated,
		Message: "A valid token is needed, log in",
	}
}

// invalidCredentials is the one answer to an unknown user and to a wrong password.
func invalidCredentials() *booking.Error {
	return &booking.Error{
		Code:    booking.CodeInvalidCredentials,
		Message: "Wrong username or password",
	}
}

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

// Refresh spends a refresh token and returns the next pair of its family. It is not
// idempotent: the same token a second time revokes the family, for then somebody has
// a copy. Error: unauthenticated.
func (a *Accounts) Refresh(ctx context.Context, refresh string) (Pair, error) {
	now := time.Now()
	spent, err := a.Tokens.read(refresh, kindRefresh, now)
	if err != nil {
		return Pair{}, err
	}
	pair, next, err := a.Tokens.issue(spent.User, spent.Family, now)
	if err != nil {
		return Pair{}, err
	}
	err = a.Users.RotateRefreshToken(ctx, spent.ID, next, now.UTC())
	if booking.CodeOf(err) == booking.CodeUnauthenticated {
		return Pair{}, Unauthenticated()
	}
	if err != nil {
		return Pair{}, fmt.Errorf("rotate refresh token: %w", err)
	}
	return pair, nil
}

// Logout revokes the family of a refresh token of user. It is idempotent: a genuine
// token that is spent, revoked or expired is as good. Error: unauthenticated for a
// token that is not genuine, no refresh token, or another user's, whose family stays
// as it is.
func (a *Accounts) Logout(ctx context.Context, user uuid.UUID, refresh string) error {
	token, err := a.Tokens.readEnded(refresh, kindRefresh, time.Now())
	if err != nil {
		return err
	}
	if token.User != user {
		return Unauthenticated()
	}
	if err := a.Users.RevokeFamily(ctx, user, token.Family); err != nil {
		return fmt.Errorf("revoke family: %w", err)
	}
	return nil
}

// ChangePassword replaces the password of user and revokes all of their families.
// address is that of Login, and a wrong old password counts as a failed login does.
// Errors: invalid_request with every field at fault (old_password, password,
// password2); rate_limited; invalid_credentials when old is wrong or was changed
// meanwhile; unauthenticated when there is no such user any more.
func (a *Accounts) ChangePassword(ctx context.Context, user uuid.UUID, old, password, password2, address string) error {
	fields := faults{}
	fields.required("old_password", old)
	fields.newPassword(password, password2)
	if err := booking.Invalid(fields); err != nil {
		return err
	}
	found, err := a.findUser(ctx, user)
	if err != nil {
		return err
	}
	right, err := a.Throttle.Try(ctx, found.Username, address, func() (bool, error) {
		return a.Hasher.Verify(ctx, found.PasswordHash, old)
	})
	if err != nil {
		return err
	}
	if !right {
		return invalidCredentials()
	}
	hash, err := a.Hasher.Hash(ctx, password)
	if err != nil {
		return fmt.Errorf("hash a new password: %w", err)
	}
	err = a.Users.SetPassword(ctx, user, found.PasswordHash, hash)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return invalidCredentials() // another change came first: old is old no more
	}
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return nil
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
// family is saved, and one of the two sees the other.
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
	if now.PasswordHash == user.PasswordHash {
		return pair, nil
	}
	if err := a.Users.RevokeFamily(ctx, user.ID, first.Family); err != nil {
		return Pair{}, fmt.Errorf("revoke family: %w", err)
	}
	return Pair{}, invalidCredentials()
}
