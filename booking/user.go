package booking

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// User is a person with an account. Username and Email are unique when folded.
type User struct {
	ID           uuid.UUID
	Username     string
	Email        string
	PasswordHash string // PHC string; leaves the process for the store only
	IsAdmin      bool
	CreatedAt    time.Time // UTC, whole microseconds
}

// RefreshToken is the record of a refresh token that was issued. The tokens that
// follow one another by rotation are one Family.
type RefreshToken struct {
	ID        uuid.UUID // the token's jti
	Family    uuid.UUID
	User      uuid.UUID
	ExpiresAt time.Time // UTC
}

// Users keeps accounts and refresh tokens. It is implemented by each store and safe
// for concurrent use.
type Users interface {
	// CreateUser adds a user. Error: already_exists, with the field that is taken.
	CreateUser(ctx context.Context, user User) error
	// FindUser and FindUserByName (folded) return not_found when there is none.
	FindUser(ctx context.Context, id uuid.UUID) (User, error)
	FindUserByName(ctx context.Context, username string) (User, error)
	// ListUsers lists users, oldest first.
	ListUsers(ctx context.Context, page PageRequest) (Page[User], error)
	// SetPassword replaces the hash and revokes every refresh token of the user, in
	// one transaction. It writes only while the hash is still old, so of two changes
	// at once one wins; the other, and an unknown user, is not_found.
	SetPassword(ctx context.Context, id uuid.UUID, old, hash string) error

	// SaveRefreshToken records the first token of a family.
	SaveRefreshToken(ctx context.Context, token RefreshToken) error
	// RotateRefreshToken spends the token spent and records next, of the same family,
	// in one transaction. A token that is unknown, expired at now, revoked or spent
	// before is unauthenticated; one spent before also revokes its family, and that
	// is committed.
	RotateRefreshToken(ctx context.Context, spent uuid.UUID, next RefreshToken, now time.Time) error
	// RevokeFamily makes every token of the family of user unusable. Idempotent.
	RevokeFamily(ctx context.Context, user, family uuid.UUID) error
}

// Reply is the kept first answer to a request with an Idempotency-Key.
type Reply struct {
	RequestHash [32]byte // of method, path and body
	Status      int      // HTTP
	Location    string   // header, may be empty
	Body        []byte
	ExpiresAt   time.Time // UTC
}

// Replies keeps the answers to requests with an Idempotency-Key, by user and key. It
// is implemented by each store and safe for concurrent use.
type Replies interface {
	// FindReply returns the reply kept at now, or not_found.
	FindReply(ctx context.Context, user uuid.UUID, key string, now time.Time) (Reply, error)
	// SaveReply keeps the reply unless there is one already that has not expired at
	// now, and drops those that have expired.
	SaveReply(ctx context.Context, user uuid.UUID, key string, reply Reply, now time.Time) error
}
