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
func (db *DB) RotateRefreshToken(ctx context.Context, used uuid.UUID, next booking.RefreshToken, now time.Time) error {
	var refused error
	err := db.transact(ctx, "rotate refresh token", func(ctx context.Context, c *conn) (err error) {
		refused, err = rotate(ctx, c, used, next, now)
		return err
	})
	if err != nil {
		return err
	}
	return refused
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

// rotate marks a token as used and records the next, with the family and user of the used
// one.
//
// It locks the user first, because a concurrent revocation would not see the next token and
// would not delete it.
func rotate(
	ctx context.Context, c *conn, used uuid.UUID, next booking.RefreshToken, now time.Time,
) (refused, err error) {
	const (
		lock = `
			SELECT disabled FROM users WHERE id = (SELECT user_id FROM refresh_tokens WHERE id = $1)
			FOR NO KEY UPDATE`
		find = `SELECT id, user_id, family, expires_at, spent_at FROM refresh_tokens WHERE id = $1`
		mark = `UPDATE refresh_tokens SET spent_at = $2 WHERE id = $1`
	)
	disabled, err := first(ctx, c, scalar[bool], lock, id(used))
	var old storedToken
	if err == nil {
		old, err = first(ctx, c, scanToken, find, id(used))
	}
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		return persistence.TokenRefused(), nil
	case err != nil:
		return nil, err
	case !old.usedAt.IsZero():
		_, err := c.exec(ctx, revokeFamily, id(old.User), id(old.Family))
		return persistence.TokenRefused(), err
	case disabled, !now.Before(old.ExpiresAt):
		return persistence.TokenRefused(), nil
	}
	if _, err := c.exec(ctx, mark, id(used), now); err != nil {
		return nil, err
	}
	_, err = c.exec(ctx, insertToken, id(next.ID), id(old.User), id(old.Family), next.ExpiresAt)
	return nil, err
}

// storedToken is a token with the time when it was used (zero: not used).
type storedToken struct {
	booking.RefreshToken
	usedAt time.Time
}

func scanToken(r row) (t storedToken, err error) {
	var used *time.Time
	err = r.Scan((*[16]byte)(&t.ID), (*[16]byte)(&t.User), (*[16]byte)(&t.Family), &t.ExpiresAt, &used)
	t.ExpiresAt, t.usedAt = fromTime(t.ExpiresAt), fromOptional(used)
	return t, err
}
