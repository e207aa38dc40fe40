package booking

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// User is a person with an account. Username and Email are unique when folded. A deleted user keeps
// its ID, to which bookings belong, and its times; it has no name, email or password, is no admin
// and is disabled.
type User struct {
	ID           uuid.UUID
	Username     string
	Email        string
	PasswordHash string // in the PHC string format; it never leaves the service
	IsAdmin      bool
	Disabled     bool      // cannot log in or refresh
	CreatedAt    time.Time // UTC, whole microseconds
	DeletedAt    time.Time // as CreatedAt; zero: not deleted
}

// EnabledAdmin reports whether the user may act as an admin.
func (u *User) EnabledAdmin() bool { return u.IsAdmin && !u.Disabled }

// RefreshGrace is how long a used refresh token yields its successor again: a request is answered
// within 5 s, after which a client that got no reply has as long to repeat it.
const RefreshGrace = 10 * time.Second

// RefreshToken is the record of an issued refresh token. A token and those that replace it
// by rotation are one Family.
type RefreshToken struct {
	ID        uuid.UUID // the token's jti
	Family    uuid.UUID
	User      uuid.UUID
	IssuedAt  time.Time // UTC; not stored, since it is when the token before it was used
	ExpiresAt time.Time // UTC
}

// Users stores accounts and refresh tokens. Each store implements it. It is safe for
// concurrent use.
type Users interface {
	// CreateUser adds a user. Error: already_exists, with the fields that are taken.
	CreateUser(ctx context.Context, user User) error
	// FindUser and FindUserByName, which folds the name, return not_found for an unknown
	// user. FindUser also finds a deleted one.
	FindUser(ctx context.Context, id uuid.UUID) (User, error)
	FindUserByName(ctx context.Context, username string) (User, error)
	// ListUsers lists the users that are not deleted, oldest first.
	ListUsers(ctx context.Context, page PageRequest) (Page[User], error)
	// SetPassword replaces the hash and revokes every refresh token of the user, in one
	// transaction. It returns not_found if the user is unknown or has another hash than
	// old, so that one of two concurrent changes wins.
	SetPassword(ctx context.Context, id uuid.UUID, old, hash string) error
	// SetDisabled disables or enables a user and returns it. Disabling revokes every refresh token
	// of the user, in one transaction. It is idempotent. Errors: not_found for an unknown or deleted
	// user; last_admin if no enabled admin would be left.
	SetDisabled(ctx context.Context, id uuid.UUID, disabled bool) (User, error)
	// DeleteUser deletes a user at a time and revokes every refresh token of it, in one transaction.
	// Its name and email may be registered again. It is idempotent. Errors: not_found; last_admin
	// if no enabled admin would be left.
	DeleteUser(ctx context.Context, id uuid.UUID, at time.Time) error

	// SaveRefreshToken records the first token of a family.
	SaveRefreshToken(ctx context.Context, token RefreshToken) error
	// RotateRefreshToken marks a token as used at next.IssuedAt, records next as its successor in
	// the same family, in one transaction, and returns next. If the token was used less than
	// RefreshGrace before, and its successor has not been used, it returns that successor instead,
	// and records nothing. It returns unauthenticated for a token that is unknown, expired, revoked,
	// of a disabled user or used earlier than that; the last also revokes the family.
	RotateRefreshToken(ctx context.Context, used uuid.UUID, next RefreshToken) (RefreshToken, error)
	// RevokeFamily revokes every token of a family of user. It is idempotent.
	RevokeFamily(ctx context.Context, user, family uuid.UUID) error
}
