package persistence

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Accounts implements booking.Users and booking.Replies with a Store, whose errors it converts
// with ClientError. It is for package api, which does not import persistence.
type Accounts struct{ Store Store }

var (
	_ booking.Users   = Accounts{}
	_ booking.Replies = Accounts{}
)

// CreateUser implements booking.Users.
func (a Accounts) CreateUser(ctx context.Context, user booking.User) error {
	return ClientError(a.Store.CreateUser(ctx, user))
}

// FindUser implements booking.Users.
func (a Accounts) FindUser(ctx context.Context, id uuid.UUID) (booking.User, error) {
	user, err := a.Store.FindUser(ctx, id)
	return user, ClientError(err)
}

// FindUserByName implements booking.Users.
func (a Accounts) FindUserByName(ctx context.Context, username string) (booking.User, error) {
	user, err := a.Store.FindUserByName(ctx, username)
	return user, ClientError(err)
}

// ListUsers implements booking.Users.
func (a Accounts) ListUsers(ctx context.Context, page booking.PageRequest) (booking.Page[booking.User], error) {
	users, err := a.Store.ListUsers(ctx, page)
	return users, ClientError(err)
}

// SetPassword implements booking.Users.
func (a Accounts) SetPassword(ctx context.Context, id uuid.UUID, old, hash string) error {
	return ClientError(a.Store.SetPassword(ctx, id, old, hash))
}

// SetDisabled implements booking.Users.
func (a Accounts) SetDisabled(ctx context.Context, id uuid.UUID, disabled bool) (booking.User, error) {
	user, err := a.Store.SetDisabled(ctx, id, disabled)
	return user, ClientError(err)
}

// DeleteUser implements booking.Users.
func (a Accounts) DeleteUser(ctx context.Context, id uuid.UUID, at time.Time) error {
	return ClientError(a.Store.DeleteUser(ctx, id, at))
}

// SaveRefreshToken implements booking.Users.
func (a Accounts) SaveRefreshToken(ctx context.Context, token booking.RefreshToken) error {
	return ClientError(a.Store.SaveRefreshToken(ctx, token))
}

// RotateRefreshToken implements booking.Users.
func (a Accounts) RotateRefreshToken(
	ctx context.Context, used uuid.UUID, next booking.RefreshToken,
) (booking.RefreshToken, error) {
	token, err := a.Store.RotateRefreshToken(ctx, used, next)
	return token, ClientError(err)
}

// RevokeFamily implements booking.Users.
func (a Accounts) RevokeFamily(ctx context.Context, user, family uuid.UUID) error {
	return ClientError(a.Store.RevokeFamily(ctx, user, family))
}

// ReserveKey implements booking.Replies.
func (a Accounts) ReserveKey(
	ctx context.Context, user uuid.UUID, key string, wanted booking.Reservation, now time.Time,
) (booking.Reservation, error) {
	reserved, err := a.Store.ReserveKey(ctx, user, key, wanted, now)
	return reserved, ClientError(err)
}

// ReleaseKey implements booking.Replies.
func (a Accounts) ReleaseKey(
	ctx context.Context, user uuid.UUID, key string, attempt uuid.UUID, reply *booking.Reply,
) error {
	return ClientError(a.Store.ReleaseKey(ctx, user, key, attempt, reply))
}
