package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Accounts manages the accounts. Set the fields before the first call; then it is safe for
// concurrent use. Every method may return unavailable and the errors of the store.
type Accounts struct {
	Users    booking.Users
	Tokens   *Tokens
	Hasher   *Hasher
	Throttle *Throttle      // nil: failed logins are not limited
	Services *ServiceTokens // nil: no service tokens
}

// Register adds a user and returns it without its PasswordHash. Errors: invalid_request
// with every invalid field (username, email, password, password2); already_exists with
// the field that is taken.
func (a *Accounts) Register(ctx context.Context, r Registration) (booking.User, error) {
	return a.create(ctx, r, false)
}

// CreateAdmin adds an admin, with the rules and errors of Register. It is for the command
// createsuperuser only.
func (a *Accounts) CreateAdmin(ctx context.Context, r Registration) (booking.User, error) {
	return a.create(ctx, r, true)
}

// IsAdmin reports whether user is an admin who is not disabled. It reads the store, so that a change
// takes effect at once. Error: unauthenticated if the user does not exist.
func (a *Accounts) IsAdmin(ctx context.Context, user uuid.UUID) (bool, error) {
	found, err := a.findUser(ctx, user)
	return found.EnabledAdmin(), err
}

func (a *Accounts) create(ctx context.Context, r Registration, admin bool) (booking.User, error) {
	clean, err := r.clean()
	if err != nil {
		return booking.User{}, err
	}
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

// findUser returns the user of a valid token. The user may be deleted, or be missing if the store
// was replaced and the secret was not; then the error is unauthenticated.
func (a *Accounts) findUser(ctx context.Context, id uuid.UUID) (booking.User, error) {
	user, err := a.Users.FindUser(ctx, id)
	if booking.CodeOf(err) == booking.CodeNotFound || err == nil && !user.DeletedAt.IsZero() {
		return booking.User{}, Unauthenticated()
	}
	if err != nil {
		return booking.User{}, fmt.Errorf("find user: %w", err)
	}
	return user, nil
}
