package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// A token is revoked by deleting its row, because an unknown token is refused.
	revokeFamily = `DELETE FROM refresh_tokens WHERE user_id = $1 AND family = $2`

	// insertToken also deletes tokens that have expired by the server's clock. It skips rows
	// that a concurrent purge has locked.
	insertToken = `
		WITH purged AS (
			DELETE FROM refresh_tokens WHERE id IN (
				SELECT id FROM refresh_tokens WHERE expires_at <= now()
				ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED))
		INSERT INTO refresh_tokens (id, user_id, family, expires_at) VALUES ($1, $2, $3, $4)`
)

// SaveRefreshToken implements booking.Users.
func (db *DB) SaveRefreshToken(ctx context.Context, token booking.RefreshToken) error {
	return db.write(ctx, "save refresh token", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, insertToken, id(token.ID), id(token.User), id(token.Family), token.ExpiresAt)
		return err
	})
}

// RotateRefreshToken implements booking.Users. A refusal does not roll back the transaction, so
// that the revocation of the family is committed.
func (db *DB) RotateRefreshToken(
	ctx context.Context, used uuid.UUID, next booking.RefreshToken,
) (token booking.RefreshToken, err error) {
	refused := false
	err = db.transact(ctx, "rotate refresh token", func(ctx context.Context, c *conn) (err error) {
		token, refused, err = rotate(ctx, c, used, next)
		return err
	})
	if err == nil && refused {
		err = persistence.TokenRefused()
	}
	return token, err
}

// RevokeFamily implements booking.Users.
func (db *DB) RevokeFamily(ctx context.Context, user, family uuid.UUID) error {
	const lock = `SELECT true FROM users WHERE id = $1 FOR NO KEY UPDATE`
	return db.transact(ctx, "revoke family", func(ctx context.Context, c *conn) error {
		_, err := first(ctx, c, scalar[bool], lock, id(user))
		if errors.Is(err, persistence.ErrNotFound) {
			return nil // an unknown user has no tokens
		}
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, revokeFamily, id(user), id(family))
		return err
	})
}

// rotate marks a token as used and records the next, with the family and user of the used one, or
// returns its successor again.
//
// It locks the user first: a concurrent revocation would not see the next token and would not
// delete it, and a concurrent rotation, of any process, must see this one.
func rotate(
	ctx context.Context, c *conn, used uuid.UUID, next booking.RefreshToken,
) (token booking.RefreshToken, refused bool, err error) {
	const (
		lock = `
			SELECT true FROM users WHERE id = (SELECT user_id FROM refresh_tokens WHERE id = $1)
			FOR NO KEY UPDATE`
		find = `
			SELECT t.id, t.user_id, t.family, t.expires_at, t.spent_at, s.id, s.expires_at, u.disabled
			FROM refresh_tokens t JOIN users u ON u.id = t.user_id
				LEFT JOIN refresh_tokens s ON s.id = t.successor AND s.spent_at IS NULL
			WHERE t.id = $1`
		mark = `UPDATE refresh_tokens SET spent_at = $2, successor = $3 WHERE id = $1`
	)
	_, err = first(ctx, c, scalar[bool], lock, id(used))
	var old persistence.StoredToken
	if err == nil {
		old, err = first(ctx, c, scanToken, find, id(used))
	}
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
		_, err := c.exec(ctx, revokeFamily, id(old.User), id(old.Family))
		return token, true, err
	case persistence.Repeat:
		return *old.Successor, false, nil
	}
	if _, err := c.exec(ctx, mark, id(used), next.IssuedAt, id(next.ID)); err != nil {
		return token, false, err
	}
	next.User, next.Family = old.User, old.Family
	_, err = c.exec(ctx, insertToken, id(next.ID), id(next.User), id(next.Family), next.ExpiresAt)
	return next, false, err
}

func scanToken(r row) (t persistence.StoredToken, err error) {
	var (
		used, expires *time.Time
		successor     *[16]byte
	)
	err = r.Scan((*[16]byte)(&t.ID), (*[16]byte)(&t.User), (*[16]byte)(&t.Family), &t.ExpiresAt, &used, &successor,
		&expires, &t.Disabled)
	t.ExpiresAt, t.UsedAt = fromTime(t.ExpiresAt), fromOptional(used)
	if successor != nil {
		t.Successor = &booking.RefreshToken{
			ID: *successor, Family: t.Family, User: t.User, IssuedAt: t.UsedAt, ExpiresAt: fromOptional(expires),
		}
	}
	return t, err
}
