package auth

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Accounts is the service of accounts. cmd sets the fields before the first call;
// then it is safe for concurrent use. Every method may return unavailable, and
// whatever the store returns for a failure of its own.
type Accounts struct {
	Users    booking.Users
	Tokens   *Tokens
	Hasher   *Hasher
	Throttle *Throttle      // nil: guessing is not slowed down
	Services *ServiceTokens // nil: there are no machines
}

// Registration is the form of a new account. It prints and logs as its username alone.
type Registration struct {
	Username  string
	Email     string
	Password  string
	Password2 string // the password typed again
}

// Format keeps the passwords out of whatever prints a Registration, with any verb.
func (r Registration) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "registration of %q", r.Username)
}

// LogValue keeps the passwords out of the log.
func (r Registration) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// Register adds a user and returns it, its PasswordHash left out. Errors:
// invalid_request with every field at fault (username, email, password, password2);
// already_exists with the one that is taken.
func (a *Accounts) Register(ctx context.Context, form Registration) (booking.User, error) {
	return a.create(ctx, form, false)
}

// CreateAdmin adds a user who is an admin, by the rules of Register. Only the
// operator of the machine may call it (trainbooking createsuperuser).
func (a *Accounts) CreateAdmin(ctx context.Context, form Registration) (booking.User, error) {
	return a.create(ctx, form, true)
}

// IsAdmin reports whether user is an admin now: the answer is the store's, not the
// token's, so that it is true at once when it changes. Error: unauthenticated when
// there is no such user any more.
func (a *Accounts) IsAdmin(ctx context.Context, user uuid.UUID) (bool, error) {
	found, err := a.findUser(ctx, user)
	return found.IsAdmin, err
}

func (a *Accounts) create(ctx context.Context, form Registration, admin bool) (booking.User, error) {
	clean, err := form.clean()
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

// findUser returns the user of a genuine token. A token outlives its user when the
// store was replaced and the secret was kept; then nobody is signed in.
func (a *Accounts) findUser(ctx context.Context, id uuid.UUID) (booking.User, error) {
	user, err := a.Users.FindUser(ctx, id)
	if booking.CodeOf(err) == booking.CodeNotFound {
		return booking.User{}, Unauthenticated()
	}
	if err != nil {
		return booking.User{}, fmt.Errorf("find user: %w", err)
	}
	return user, nil
}
