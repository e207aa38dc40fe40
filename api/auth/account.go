package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Accounts manages the accounts. Set the fields before the first call; then it is safe for
// concurrent use. Every method may return unavailable and the errors of the store.
type Accounts struct {
	Users         booking.Users
	Tokens        *Tokens
	Hasher        *Hasher
	Logins        *Throttle      // of failed logins; nil: no limit
	Registrations *Throttle      // nil: no limit
	Services      *ServiceTokens // nil: no service tokens
}

// Register adds a user and returns it without its PasswordHash. address is the IP address of the
// client, without a port. Errors: invalid_request with every invalid field (username, email,
// password, password2); rate_limited with RetryAfter; already_exists with the field that is taken.
//
// A valid registration counts, also if the name is taken: it costs a hash, and shows who has an
// account. One that was certainly not executed does not count, or an outage of the store would lock
// out everybody who tries again. If the outcome is unknown, it counts, since a client that closes the
// connection can cause that.
func (a *Accounts) Register(ctx context.Context, r Registration, address string) (user booking.User, err error) {
	clean, err := r.clean()
	if err != nil {
		return booking.User{}, err
	}
	err = a.Registrations.Try(ctx, "", address, func() (counts bool, err error) {
		user, err = a.create(ctx, clean, false)
		failed, ok := errors.AsType[*booking.Error](err)
		return !ok || failed.Outcome != booking.OutcomeNotExecuted, err
	})
	return user, err
}

// CreateAdmin adds an admin, with the rules and errors of Register, and no limit. It is for the
// command createsuperuser only.
func (a *Accounts) CreateAdmin(ctx context.Context, r Registration) (booking.User, error) {
	clean, err := r.clean()
	if err != nil {
		return booking.User{}, err
	}
	return a.create(ctx, clean, true)
}

// IsAdmin reports whether user is an admin who is not disabled. It reads the store, so that a change
// takes effect at once. Error: unauthenticated if the user does not exist.
func (a *Accounts) IsAdmin(ctx context.Context, user uuid.UUID) (bool, error) {
	found, err := a.FindUser(ctx, user)
	return found.EnabledAdmin(), err
}

// create adds the user of a clean registration.
func (a *Accounts) create(ctx context.Context, clean Registration, admin bool) (booking.User, error) {
	hash, err := a.Hasher.Hash(ctx, clean.Password)
	if err != nil {
		return booking.User{}, fmt.Errorf("hash the password of a new user: %w", err)
	}
	user := booking.User{
		ID: uuid.New(), Username: clean.Username, Email: clean.Email,
		IsAdmin: admin, CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	stored := user
	stored.PasswordHash = hash
	if err := a.Users.CreateUser(ctx, stored); err != nil {
		return booking.User{}, fmt.Errorf("create user: %w", err)
	}
	return user, nil
}

// FindUser returns the user of a valid token. The user may be deleted, or be missing if the store
// was replaced and the secret was not; then the error is unauthenticated.
func (a *Accounts) FindUser(ctx context.Context, id uuid.UUID) (booking.User, error) {
	user, err := a.Users.FindUser(ctx, id)
	if booking.CodeOf(err) == booking.CodeNotFound || err == nil && !user.DeletedAt.IsZero() {
		return booking.User{}, Unauthenticated()
	}
	if err != nil {
		return booking.User{}, fmt.Errorf("find user: %w", err)
	}
	return user, nil
}
