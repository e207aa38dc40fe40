package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const userColumns = `id, username, email, password_hash, is_admin, disabled, created_at, deleted_at`

const revokeUser = `DELETE FROM refresh_tokens WHERE user_id = ?`

// CreateUser implements booking.Users.
func (db *DB) CreateUser(ctx context.Context, user booking.User) error {
	const create = `
		INSERT INTO users (` + userColumns + `, username_folded, email_folded)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	username, email := persistence.UserKeys(&user)
	return db.write(ctx, "create user", func(ctx context.Context, c *conn) error {
		if err := taken(ctx, c, username, email); err != nil {
			return err
		}
		_, err := c.exec(ctx, create, user.ID[:], user.Username, user.Email, user.PasswordHash, user.IsAdmin,
			user.Disabled, micros(user.CreatedAt), optional(user.DeletedAt), username, email)
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
	const find = `SELECT ` + userColumns + ` FROM users WHERE username_folded = ? AND deleted_at IS NULL`
	return db.findUser(ctx, find, booking.Fold(username))
}

// ListUsers implements booking.Users.
func (db *DB) ListUsers(ctx context.Context, request booking.PageRequest) (users booking.Page[booking.User], err error) {
	const find = `
		SELECT ` + userColumns + ` FROM users
		WHERE deleted_at IS NULL AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`
	cursor := func(u booking.User) booking.Cursor { return booking.Cursor{At: u.CreatedAt, ID: u.ID} }
	err = db.read(ctx, "list users", func(ctx context.Context, c *conn) error {
		users, err = page(ctx, c, request, scanUser, cursor, find)
		return err
	})
	return users, err
}

// SetPassword implements booking.Users.
func (db *DB) SetPassword(ctx context.Context, id uuid.UUID, old, hash string) error {
	const set = `UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2`
	return db.write(ctx, "set password", func(ctx context.Context, c *conn) error {
		changed, err := c.exec(ctx, set, id[:], old, hash)
		if err != nil {
			return err
		}
		if changed == 0 {
			return booking.NotFound("user")
		}
		_, err = c.exec(ctx, revokeUser, id[:])
		return err
	})
}

// SetDisabled implements booking.Users.
func (db *DB) SetDisabled(ctx context.Context, id uuid.UUID, disabled bool) (booking.User, error) {
	return db.changeUser(ctx, "disable user", id, persistence.SetDisabled(disabled))
}

// DeleteUser implements booking.Users.
func (db *DB) DeleteUser(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := db.changeUser(ctx, "delete user", id, persistence.DeleteUser(at))
	return err
}

// changeUser changes a user, and revokes the tokens of one that is disabled then.
func (db *DB) changeUser(
	ctx context.Context, operation string, id uuid.UUID, change func(*booking.User) error,
) (changed booking.User, err error) {
	const (
		find   = `SELECT ` + userColumns + ` FROM users WHERE id = ? OR (is_admin AND NOT disabled)`
		update = `
			UPDATE users SET username = ?2, email = ?3, password_hash = ?4, is_admin = ?5, disabled = ?6,
				deleted_at = ?7, username_folded = ?8, email_folded = ?9
			WHERE id = ?1`
	)
	err = db.write(ctx, operation, func(ctx context.Context, c *conn) error {
		found, err := all(ctx, c, scanUser, find, id[:])
		if err != nil {
			return err
		}
		if changed, err = persistence.ChangeUser(found, id, change); err != nil {
			return err
		}
		username, email := persistence.UserKeys(&changed)
		if _, err := c.exec(ctx, update, id[:], changed.Username, changed.Email, changed.PasswordHash,
			changed.IsAdmin, changed.Disabled, optional(changed.DeletedAt), username, email); err != nil {
			return err
		}
		if changed.Disabled {
			_, err = c.exec(ctx, revokeUser, id[:])
		}
		return err
	})
	return changed, err
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
	var (
		created int64
		deleted *int64
	)
	err = r.Scan(&u.ID, &u.Username, &u.Email, &u.PasswordHash, &u.IsAdmin, &u.Disabled, &created, &deleted)
	u.CreatedAt, u.DeletedAt = fromMicros(created), fromOptional(deleted)
	return u, err
}
