package sqlite

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
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	username, email := booking.Fold(user.Username), booking.Fold(user.Email)
	return db.write(ctx, "create user", func(ctx context.Context, c *conn) error {
		if err := taken(ctx, c, username, email); err != nil {
			return err
		}
		_, err := c.exec(ctx, create, user.ID[:], user.Username, user.Email, user.PasswordHash, user.IsAdmin,
			micros(user.CreatedAt), username, email)
		return err
	})
}

// taken returns already_exists with the fields that are taken. It runs before the insertion, in
// the same transaction, since the error of a constraint names only one column, in its text.
func taken(ctx context.Context, c *conn, username, email string) error {
	const (
		byName  = `SELECT EXISTS (SELECT 1 FROM users WHERE username_folded = ?)`
		byEmail = `SELECT EXISTS (SELECT 1 FROM users WHERE email_folded = ?)`
	)
	nameTaken, nameErr := first(ctx, c, scalar[bool], byName, username)
	emailTaken, emailErr := first(ctx, c, scalar[bool], byEmail, email)
	if err := errors.Join(nameErr, emailErr); err != nil {
		return err
	}
	return persistence.UserExists(nameTaken, emailTaken)
}

// FindUser implements booking.Users.
func (db *DB) FindUser(ctx context.Context, id uuid.UUID) (booking.User, error) {
	const find = `SELECT ` + userColumns + ` FROM users WHERE id = ?`
	return db.findUser(ctx, find, id[:])
}

// FindUserByName implements booking.Users.
func (db *DB) FindUserByName(ctx context.Context, username string) (booking.User, error) {
	const find = `SELECT ` + userColumns + ` FROM users WHERE username_folded = ?`
	return db.findUser(ctx, find, booking.Fold(username))
}

// ListUsers implements booking.Users.
func (db *DB) ListUsers(ctx context.Context, request booking.PageRequest) (users booking.Page[booking.User], err error) {
	const find = `
		SELECT ` + userColumns + ` FROM users
		WHERE (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`
	cursor := func(u booking.User) booking.Cursor { return booking.Cursor{At: u.CreatedAt, ID: u.ID} }
	err = db.read(ctx, "list users", func(ctx context.Context, c *conn) error {
		users, err = page(ctx, c, request, scanUser, cursor, find)
		return err
	})
	return users, err
}

// SetPassword implements booking.Users.
func (db *DB) SetPassword(ctx context.Context, id uuid.UUID, old, hash string) error {
	const (
		set    = `UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2`
		revoke = `DELETE FROM refresh_tokens WHERE user_id = ?`
	)
	return db.write(ctx, "set password", func(ctx context.Context, c *conn) error {
		changed, err := c.exec(ctx, set, id[:], old, hash)
		if err != nil {
			return err
		}
		if changed == 0 {
			return booking.NotFound("user")
		}
		_, err = c.exec(ctx, revoke, id[:])
		return err
	})
}

func (db *DB) findUser(ctx context.Context, find string, key any) (user booking.User, err error) {
	err = db.read(ctx, "find user", func(ctx context.Context, c *conn) error {
		user, err = first(ctx, c, scanUser, find, key)
		if errors.Is(err, persistence.ErrNotFound) {
			return booking.NotFound("user")
		}
		return err
	})
	return user, err
}

func scanUser(r row) (u booking.User, err error) {
	var created int64
	err = r.Scan(&u.ID, &u.Username, &u.Email, &u.PasswordHash, &u.IsAdmin, &created)
	u.CreatedAt = fromMicros(created)
	return u, err
}
