package auth

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// ChangePassword replaces the password of user and revokes all of their families. address
// is the IP address of the client; a wrong old password counts as a failed login. Errors:
// invalid_request with every invalid field (old_password, password, password2);
// rate_limited; invalid_credentials if old is wrong or another call has changed the
// password; unauthenticated if the user does not exist.
func (a *Accounts) ChangePassword(ctx context.Context, user uuid.UUID, old, password, password2, address string) error {
	fields := fieldErrors{}
	fields.required("old_password", old)
	fields.checkPasswords(password, password2)
	if err := booking.Invalid(fields); err != nil {
		return err
	}
	found, err := a.FindUser(ctx, user)
	if err != nil {
		return err
	}
	correct, err := a.checkPassword(ctx, found.Username, address, func() (bool, error) {
		return a.Hasher.Verify(ctx, found.PasswordHash, old)
	})
	if err != nil {
		return err
	}
	if !correct {
		return invalidCredentials()
	}
	hash, err := a.Hasher.Hash(ctx, password)
	if err != nil {
		return fmt.Errorf("hash a new password: %w", err)
	}
	err = a.Users.SetPassword(ctx, user, found.PasswordHash, hash)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return invalidCredentials() // a concurrent call has changed the password
	}
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return nil
}

// ResetPassword replaces a password without the old one, revokes all families of the user and
// returns it without its PasswordHash. It is for the command set-password only. Errors:
// invalid_request with every invalid field (username, password, password2); not_found, also if a
// concurrent call has changed the password.
func (a *Accounts) ResetPassword(ctx context.Context, username, password, password2 string) (booking.User, error) {
	fields := fieldErrors{}
	clean, message := booking.CleanText(username, 1, MaxUsername)
	fields.add("username", message)
	fields.checkPasswords(password, password2)
	if err := booking.Invalid(fields); err != nil {
		return booking.User{}, err
	}
	user, err := a.Users.FindUserByName(ctx, clean)
	if err != nil {
		return booking.User{}, fmt.Errorf("find user by name: %w", err)
	}
	hash, err := a.Hasher.Hash(ctx, password)
	if err != nil {
		return booking.User{}, fmt.Errorf("hash a new password: %w", err)
	}
	if err := a.Users.SetPassword(ctx, user.ID, user.PasswordHash, hash); err != nil {
		return booking.User{}, fmt.Errorf("set password: %w", err)
	}
	user.PasswordHash = ""
	return user, nil
}
