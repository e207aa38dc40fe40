package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// A token is revoked by deleting its row, because an unknown token is refused.
const revokeFamily = `DELETE FROM refresh_tokens WHERE user_id = ? AND family = ?`

// SaveRefreshToken implements booking.Users.
func (db *DB) SaveRefreshToken(ctx context.Context, token booking.RefreshToken) error {
	return db.write(ctx, "save refresh token", func(ctx context.Context, c *conn) error {
		if err := purgeTokens(ctx, c, db.options.Now()); err != nil {
			return err
		}
		return insertToken(ctx, c, token)
	})
}

// RotateRefreshToken implements booking.Users. A refusal does not roll back the transaction, so
// that the revocation of the family is committed.
func (db *DB) RotateRefreshToken(ctx context.Context, used uuid.UUID, next booking.RefreshToken, now time.Time) error {
	var refused error
	err := db.write(ctx, "rotate refresh token", func(ctx context.Context, c *conn) (err error) {
		refused, err = rotate(ctx, c, used, next, now)
		if err != nil {
			return err
		}
		return purgeTokens(ctx, c, now)
	})
	if err != nil {
		return err
	}
	return refused
}

// RevokeFamily implements booking.Users.
func (db *DB) RevokeFamily(ctx context.Context, user, family uuid.UUID) error {
	return db.write(ctx, "revoke family", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, revokeFamily, user[:], family[:])
		return err
	})
}

// rotate marks a token as used and records the next, with the family and user of the used
// one.
func rotate(
	ctx context.Context, c *conn, used uuid.UUID, next booking.RefreshToken, now time.Time,
) (refused, err error) {
	const (
		find = `
			SELECT t.id, user_id, family, expires_at, spent_at, disabled
			FROM refresh_tokens t JOIN users ON users.id = user_id WHERE t.id = ?`
		mark = `UPDATE refresh_tokens SET spent_at = ?2 WHERE id = ?1`
	)
	old, err := first(ctx, c, scanToken, find, used[:])
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		return persistence.TokenRefused(), nil
	case err != nil:
		return nil, err
	case !old.usedAt.IsZero():
		_, err := c.exec(ctx, revokeFamily, old.User[:], old.Family[:])
		return persistence.TokenRefused(), err
	case old.disabled, !now.Before(old.ExpiresAt):
		return persistence.TokenRefused(), nil
	}
	if _, err := c.exec(ctx, mark, used[:], micros(now)); err != nil {
		return nil, err
	}
	next.User, next.Family = old.User, old.Family
	return nil, insertToken(ctx, c, next)
}

func insertToken(ctx context.Context, c *conn, token booking.RefreshToken) error {
	const insert = `INSERT INTO refresh_tokens (id, user_id, family, expires_at) VALUES (?, ?, ?, ?)`
	_, err := c.exec(ctx, insert, token.ID[:], token.User[:], token.Family[:], micros(token.ExpiresAt))
	return err
}

// purgeTokens deletes expired tokens.
func purgeTokens(ctx context.Context, c *conn, now time.Time) error {
	const purge = `
		DELETE FROM refresh_tokens WHERE id IN
			(SELECT id FROM refresh_tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
	_, err := c.exec(ctx, purge, micros(now), purgeLimit)
	return err
}

// storedToken is a token with the time when it was used (zero: not used).
type storedToken struct {
	booking.RefreshToken
	usedAt   time.Time
	disabled bool // its user
}

func scanToken(r row) (t storedToken, err error) {
	var (
		expires int64
		used    *int64
	)
	err = r.Scan(&t.ID, &t.User, &t.Family, &expires, &used, &t.disabled)
	t.ExpiresAt, t.usedAt = fromMicros(expires), fromOptional(used)
	return t, err
}
