package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const userColumns = `id, username, email, password_hash, is_admin, created_at`

// CreateUser implements booking.Users.
func (db *DB) CreateUser(ctx context.Context, user booking.User) error {
	const create = `
		INSERT INTO users (` + userColumns + `, username_folded, email_folded)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT DO NOTHING`
	username, email := booking.Fold(user.Username), booking.Fold(user.Email)
	return db.write(ctx, "create user", func(ctx context.Context, c *conn) error {
		created, err := c.exec(ctx, create, id(user.ID), user.Username, user.Email, user.PasswordHash, user.IsAdmin,
			user.CreatedAt, username, email)
		if err != nil || created == 1 {
			return err
		}
		return taken(ctx, c, username, email)
	})
}

// taken returns already_exists with the fields that are taken. It runs after the insertion,
// which waited for concurrent ones; users are never deleted. The error of a constraint would
// name only one field.
func taken(ctx context.Context, c *conn, username, email string) error {
	const find = `
		SELECT EXISTS (SELECT 1 FROM users WHERE username_folded = $1),
			EXISTS (SELECT 1 FROM users WHERE email_folded = $2)`
	scan := func(r row) (is struct{ name, email bool }, err error) {
		err = r.Scan(&is.name, &is.email)
		return is, err
	}
	is, err := first(ctx, &conn{c.raw, translate}, scan, find, username, email)
	if err != nil {
		return err
	}
	if err := persistence.UserExists(is.name, is.email); err != nil {
		return err
	}
	return persistence.ErrExists // a user with this id
}

// FindUser implements booking.Users.
func (db *DB) FindUser(ctx context.Context, user uuid.UUID) (booking.User, error) {
	const find = `SELECT ` + userColumns + ` FROM users WHERE id = $1`
	return db.findUser(ctx, find, id(user))
}

// FindUserByName implements booking.Users.
func (db *DB) FindUserByName(ctx context.Context, username string) (booking.User, error) {
	const find = `SELECT ` + userColumns + ` FROM users WHERE username_folded = $1`
	return db.findUser(ctx, find, booking.Fold(username))
}

// ListUsers implements booking.Users.
func (db *DB) ListUsers(ctx context.Context, request booking.PageRequest) (users booking.Page[booking.User], err error) {
	const find = `
		SELECT ` + userColumns + ` FROM users
		WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3`
	cursor := func(u booking.User) booking.Cursor { return booking.Cursor{At: u.CreatedAt, ID: u.ID} }
	err = db.read(ctx, "list users", func(ctx context.Context, c *conn) error {
		users, err = page(ctx, c, request, scanUser, cursor, find)
		return err
	})
	return users, err
}

// SetPassword implements booking.Users. The update locks the user, so that no token of the user
// is rotated concurrently.
func (db *DB) SetPassword(ctx context.Context, user uuid.UUID, old, hash string) error {
	const (
		set    = `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`
		revoke = `DELETE FROM refresh_tokens WHERE user_id = $1`
	)
	return db.transact(ctx, "set password", func(ctx context.Context, c *conn) error {
		changed, err := c.exec(ctx, set, id(user), old, hash)
		if err != nil {
			return err
		}
		if changed == 0 {
			return booking.NotFound("user")
		}
		_, err = c.exec(ctx, revoke, id(user))
		return err
	})
}

func (db *DB) findUser(ctx context.Context, find string, key any) (user booking.User, err error) {
	err = db.read(ctx, "find user", func(ctx context.Context, c *conn) error {
		user, err = first(ctx, c, scanUser, find, key)
		if errors.Is(err, persistence.ErrNotFound) || codeOf(err) == notText {
			return booking.NotFound("user") // no stored name has these characters
		}
		return err
	})
	return user, err
}

func scanUser(r row) (u booking.User, err error) {
	err = r.Scan((*[16]byte)(&u.ID), &u.Username, &u.Email, &u.PasswordHash, &u.IsAdmin, &u.CreatedAt)
	u.CreatedAt = fromTime(u.CreatedAt)
	return u, err
}
