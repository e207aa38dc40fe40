package persistence

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Accounts are the users and kept replies of a store, with every error as clients see
// it (Failure). It is what package api is given: it must not know a store's errors.
type Accounts struct{ Store Store }

var (
	_ booking.Users   = Accounts{}
	_ booking.Replies = Accounts{}
)

// CreateUser implements booking.Users.
func (a Accounts) CreateUser(ctx context.Context, user booking.User) error {
	return Failure(a.Store.CreateUser(ctx, user))
}

// FindUser implements booking.Users.
func (a Accounts) FindUser(ctx context.Context, id uuid.UUID) (booking.User, error) {
	user, err := a.Store.FindUser(ctx, id)
	return user, Failure(err)
}

// FindUserByName implements booking.Users.
func (a Accounts) FindUserByName(ctx context.Context, username string) (booking.User, error) {
	user, err := a.Store.FindUserByName(ctx, username)
	return user, Failure(err)
}

// ListUsers implements booking.Users.
func (a Accounts) ListUsers(ctx context.Context, page booking.PageRequest) (booking.Page[booking.User], error) {
	users, err := a.Store.ListUsers(ctx, page)
	return users, Failure(err)
}

// SetPassword implements booking.Users.
func (a Accounts) SetPassword(ctx context.Context, id uuid.UUID, old, hash string) error {
	return Failure(a.Store.SetPassword(ctx, id, old, hash))
}

// SaveRefreshToken implements booking.Users.
func (a Accounts) SaveRefreshToken(ctx context.Context, token booking.RefreshToken) error {
	return Failure(a.Store.SaveRefreshToken(ctx, token))
}

// RotateRefreshToken implements booking.Users.
func (a Accounts) RotateRefreshToken(
	ctx context.Context, spent uuid.UUID, next booking.RefreshToken, now time.Time,
) error {
	return Failure(a.Store.RotateRefreshToken(ctx, spent, next, now))
}

// RevokeFamily implements booking.Users.
func (a Accounts) RevokeFamily(ctx context.Context, user, family uuid.UUID) error {
	return Failure(a.Store.RevokeFamily(ctx, user, family))
}

// FindReply implements booking.Replies.
func (a Accounts) FindReply(ctx context.Context, user uuid.UUID, key string, now time.Time) (booking.Reply, error) {
	reply, err := a.Store.FindReply(ctx, user, key, now)
	return reply, Failure(err)
}

// SaveReply implements booking.Replies.
func (a Accounts) SaveReply(
	ctx context.Context, user uuid.UUID, key string, reply booking.Reply, now time.Time,
) error {
	return Failure(a.Store.SaveReply(ctx, user, key, reply, now))
}
