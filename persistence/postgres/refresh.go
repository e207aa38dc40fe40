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
	// A token is revoked by removing its row: what is unknown is refused.
	revokeFamily = `DELETE FROM refresh_tokens WHERE user_id = $1 AND family = $2`

	// With a token that is added go some that have expired, by the server's clock, and are
	// refused for that alone. Others who purge are not waited for.
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

// RotateRefreshToken implements booking.Users. The refusal of a token is not an error
// of the transaction, so that the revocation of its family is committed.
func (db *DB) RotateRefreshToken(ctx context.Context, spent uuid.UUID, next booking.RefreshToken, now time.Time) error {
	var refused error
	err := db.transact(ctx, "rotate refresh token", func(ctx context.Context, c *conn) (err error) {
		refused, err = rotate(ctx, c, spent, next, now)
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
			return nil // who has no tokens
		}
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, revokeFamily, id(user), id(family))
		return err
	})
}

// rotate spends a token and records the next. The next one's family and user are those
// of the token that is spent, whatever it says itself.
//
// It locks the user first. A revocation removes the tokens that it sees: one that ran
// beside a rotation would miss the token which that is about to add.
func rotate(
	ctx context.Context, c *conn, spent uuid.UUID, next booking.RefreshToken, now time.Time,
) (refused, err error) {
	const (
		lock = `
			SELECT true FROM users WHERE id = (SELECT user_id FROM refresh_tokens WHERE id = $1)
			FOR NO KEY UPDATE`
		find  = `SELECT id, user_id, family, expires_at, spent_at FROM refresh_tokens WHERE id = $1`
		spend = `UPDATE refresh_tokens SET spent_at = $2 WHERE id = $1`
	)
	_, err = first(ctx, c, scalar[bool], lock, id(spent))
	var old storedToken
	if err == nil {
		old, err = first(ctx, c, scanToken, find, id(spent))
	}
	switch {
	case errors.Is(err, persistence.ErrNotFound):
		return unauthenticated(), nil
	case err != nil:
		return nil, err
	case !old.spentAt.IsZero():
		_, err := c.exec(ctx, revokeFamily, id(old.User), id(old.Family))
		return unauthenticated(), err
	case !now.Before(old.ExpiresAt):
		return unauthenticated(), nil
	}
	if _, err := c.exec(ctx, spend, id(spent), now); err != nil {
		return nil, err
	}
	_, err = c.exec(ctx, insertToken, id(next.ID), id(old.User), id(old.Family), next.ExpiresAt)
	return nil, err
}

// storedToken is a token with when it was spent (zero: it was not).
type storedToken struct {
	booking.RefreshToken
	spentAt time.Time
}

func scanToken(r row) (t storedToken, err error) {
	var spent *time.Time
	err = r.Scan((*[16]byte)(&t.ID), (*[16]byte)(&t.User), (*[16]byte)(&t.Family), &t.ExpiresAt, &spent)
	t.ExpiresAt, t.spentAt = fromTime(t.ExpiresAt), fromOptional(spent)
	return t, err
}

func unauthenticated() error {
	return &booking.Error{Code: booking.CodeUnauthenticated, Message: "The refresh token is not valid"}
}
