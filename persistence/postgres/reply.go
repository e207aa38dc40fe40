package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// FindReply implements booking.Replies.
func (db *DB) FindReply(ctx context.Context, user uuid.UUID, key string, now time.Time) (reply booking.Reply, err error) {
	const find = `
		SELECT request_hash, status, location, body, expires_at FROM idempotency_keys
		WHERE user_id = $1 AND key = $2 AND expires_at > $3`
	err = db.read(ctx, "find reply", func(ctx context.Context, c *conn) error {
		reply, err = first(ctx, c, scanReply, find, id(user), []byte(key), now)
		if errors.Is(err, persistence.ErrNotFound) {
			return booking.NotFound("reply")
		}
		return err
	})
	return reply, err
}

// SaveReply implements booking.Replies. It also deletes expired replies, except that of the key,
// which it replaces: one statement cannot do both to a row. It skips rows that a concurrent purge
// has locked.
func (db *DB) SaveReply(ctx context.Context, user uuid.UUID, key string, reply booking.Reply, now time.Time) error {
	const save = `
		WITH purged AS (
			DELETE FROM idempotency_keys WHERE (user_id, key) IN (
				SELECT user_id, key FROM idempotency_keys
				WHERE expires_at <= $8 AND (user_id, key) <> ($1, $2)
				ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED))
		INSERT INTO idempotency_keys (user_id, key, request_hash, status, location, body, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (user_id, key) DO UPDATE SET
			request_hash = excluded.request_hash, status = excluded.status,
			location = excluded.location, body = excluded.body, expires_at = excluded.expires_at
		WHERE idempotency_keys.expires_at <= $8`
	body := append([]byte{}, reply.Body...) // a nil slice would be null
	return db.write(ctx, "save reply", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, save, id(user), []byte(key), reply.RequestHash[:], reply.Status, []byte(reply.Location), body,
			reply.ExpiresAt, now)
		return err
	})
}

func scanReply(r row) (reply booking.Reply, err error) {
	var hash, location []byte
	err = r.Scan(&hash, &reply.Status, &location, &reply.Body, &reply.ExpiresAt)
	copy(reply.RequestHash[:], hash)
	reply.Location = string(location)
	reply.ExpiresAt = fromTime(reply.ExpiresAt)
	return reply, err
}
