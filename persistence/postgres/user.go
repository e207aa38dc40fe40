package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const userColumns = `id, username, email, password_hash, is_admin, disabled, created_at, deleted_at`

const revokeUser = `DELETE FROM refresh_tokens WHERE user_id = $1`

// CreateUser implements booking.Users.
func (db *DB) CreateUser(ctx context.Context, user booking.User) error {
	const create = `
		INSERT INTO users (` + userColumns + `, username_folded, email_folded)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT DO NOTHING`
	username, email := persistence.UserKeys(&user)
	return db.write(ctx, "create user", func(ctx context.Context, c *conn) error {
		created, err := c.exec(ctx, create, id(user.ID), user.Username, user.Email, user.PasswordHash, user.IsAdmin,
			user.Disabled, user.CreatedAt, optional(user.DeletedAt), username, email)
		if err != nil || created == 1 {
			return err
		}
		return taken(ctx, c, username, email)
	})
}

// taken returns already_exists with the fields that are taken. It runs after the insertion,
// which waited for concurrent ones. The error of a constraint would name only one field.
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
	const find = `SELECT ` + userColumns + ` FROM users WHERE username_folded = $1 AND deleted_at IS NULL`
	return db.findUser(ctx, find, booking.Fold(username))
}

// ListUsers implements booking.Users.
func (db *DB) ListUsers(ctx context.Context, request booking.PageRequest) (users booking.Page[booking.User], err error) {
	const find = `
		SELECT ` + userColumns + ` FROM users
		WHERE deleted_at IS NULL AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3`
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
	const set = `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`
	return db.transact(ctx, "set password", func(ctx context.Context, c *conn) error {
		changed, err := c.exec(ctx, set, id(user), old, hash)
		if err != nil {
			return err
		}
		if changed == 0 {
			return booking.NotFound("user")
		}
		_, err = c.exec(ctx, revokeUser, id(user))
		return err
	})
}

// SetDisabled implements booking.Users.
func (db *DB) SetDisabled(ctx context.Context, user uuid.UUID, disabled bool) (booking.User, error) {
	return db.changeUser(ctx, "disable user", user, persistence.SetDisabled(disabled))
}

// DeleteUser implements booking.Users.
func (db *DB) DeleteUser(ctx context.Context, user uuid.UUID, at time.Time) error {
	_, err := db.changeUser(ctx, "delete user", user, persistence.DeleteUser(at))
	return err
}

// changeUser changes a user, and revokes the tokens of one that is disabled then. It locks the user
// and every enabled admin, so that of two admins who disable each other, one stays.
func (db *DB) changeUser(
	ctx context.Context, operation string, user uuid.UUID, change func(*booking.User) error,
) (changed booking.User, err error) {
	const (
		lock = `
			SELECT ` + userColumns + ` FROM users WHERE id = $1 OR (is_admin AND NOT disabled)
			ORDER BY id FOR NO KEY UPDATE`
		update = `
			UPDATE users SET username = $2, email = $3, password_hash = $4, is_admin = $5, disabled = $6,
				deleted_at = $7, username_folded = $8, email_folded = $9
			WHERE id = $1`
	)
	err = db.transact(ctx, operation, func(ctx context.Context, c *conn) error {
		locked, err := all(ctx, c, scanUser, lock, id(user))
		if err != nil {
			return err
		}
		if changed, err = persistence.ChangeUser(locked, user, change); err != nil {
			return err
		}
		username, email := persistence.UserKeys(&changed)
		if _, err := c.exec(ctx, update, id(user), changed.Username, changed.Email, changed.PasswordHash,
			changed.IsAdmin, changed.Disabled, optional(changed.DeletedAt), username, email); err != nil {
			return err
		}
		if changed.Disabled {
			_, err = c.exec(ctx, revokeUser, id(user))
		}
		return err
	})
	return changed, err
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
	var deleted *time.Time
	err = r.Scan((*[16]byte)(&u.ID), &u.Username, &u.Email, &u.PasswordHash, &u.IsAdmin, &u.Disabled, &u.CreatedAt, &deleted)
	u.CreatedAt, u.DeletedAt = fromTime(u.CreatedAt), fromOptional(deleted)
	return u, err
}
