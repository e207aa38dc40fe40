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
func (db *DB) RotateRefreshToken(
	ctx context.Context, used uuid.UUID, next booking.RefreshToken,
) (token booking.RefreshToken, err error) {
	refused := false
	err = db.write(ctx, "rotate refresh token", func(ctx context.Context, c *conn) (err error) {
		token, refused, err = rotate(ctx, c, used, next)
		if err != nil {
			return err
		}
		return purgeTokens(ctx, c, next.IssuedAt)
	})
	if err == nil && refused {
		err = persistence.TokenRefused()
	}
	return token, err
}

// RevokeFamily implements booking.Users.
func (db *DB) RevokeFamily(ctx context.Context, user, family uuid.UUID) error {
	return db.write(ctx, "revoke family", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, revokeFamily, user[:], family[:])
		return err
	})
}

// rotate marks a token as used and records the next, with the family and user of the used one, or
// returns its successor again.
func rotate(
	ctx context.Context, c *conn, used uuid.UUID, next booking.RefreshToken,
) (token booking.RefreshToken, refused bool, err error) {
	const (
		find = `
			SELECT t.id, t.user_id, t.family, t.expires_at, t.spent_at, s.id, s.expires_at, u.disabled
			FROM refresh_tokens t JOIN users u ON u.id = t.user_id
				LEFT JOIN refresh_tokens s ON s.id = t.successor AND s.spent_at IS NULL
			WHERE t.id = ?`
		mark = `UPDATE refresh_tokens SET spent_at = ?2, successor = ?3 WHERE id = ?1`
	)
	old, err := first(ctx, c, scanToken, find, used[:])
	if errors.Is(err, persistence.ErrNotFound) {
		return token, true, nil
	}
	if err != nil {
		return token, false, err
	}
	switch old.Rotation(next.IssuedAt) {
	case persistence.Refuse:
		return token, true, nil
	case persistence.RefuseFamily:
		_, err := c.exec(ctx, revokeFamily, old.User[:], old.Family[:])
		return token, true, err
	case persistence.Repeat:
		return *old.Successor, false, nil
	}
	if _, err := c.exec(ctx, mark, used[:], micros(next.IssuedAt), next.ID[:]); err != nil {
		return token, false, err
	}
	next.User, next.Family = old.User, old.Family
	return next, false, insertToken(ctx, c, next)
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

func scanToken(r row) (t persistence.StoredToken, err error) {
	var (
		expires                int64
		used, successorExpires *int64
		successor              uuid.NullUUID
	)
	err = r.Scan(&t.ID, &t.User, &t.Family, &expires, &used, &successor, &successorExpires, &t.Disabled)
	t.ExpiresAt, t.UsedAt = fromMicros(expires), fromOptional(used)
	if successor.Valid {
		t.Successor = &booking.RefreshToken{
			ID: successor.UUID, Family: t.Family, User: t.User, IssuedAt: t.UsedAt, ExpiresAt: fromOptional(successorExpires),
		}
	}
	return t, err
}
