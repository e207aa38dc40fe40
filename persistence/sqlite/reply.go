package sqlite

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
		WHERE user_id = ? AND key = ? AND expires_at > ?`
	err = db.read(ctx, "find reply", func(ctx context.Context, c *conn) error {
		reply, err = first(ctx, c, scanReply, find, user[:], key, micros(now))
		if errors.Is(err, persistence.ErrNotFound) {
			return booking.NotFound("reply")
		}
		return err
	})
	return reply, err
}

// SaveReply implements booking.Replies.
func (db *DB) SaveReply(ctx context.Context, user uuid.UUID, key string, reply booking.Reply, now time.Time) error {
	const (
		purge = `
			DELETE FROM idempotency_keys WHERE rowid IN
				(SELECT rowid FROM idempotency_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
		save = `
			INSERT INTO idempotency_keys (user_id, key, request_hash, status, location, body, expires_at)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
			ON CONFLICT (user_id, key) DO UPDATE SET
				request_hash = excluded.request_hash, status = excluded.status,
				location = excluded.location, body = excluded.body, expires_at = excluded.expires_at
			WHERE idempotency_keys.expires_at <= ?8`
	)
	body := append([]byte{}, reply.Body...) // a nil slice would be NULL
	return db.write(ctx, "save reply", func(ctx context.Context, c *conn) error {
		if _, err := c.exec(ctx, purge, micros(now), purgeLimit); err != nil {
			return err
		}
		_, err := c.exec(ctx, save, user[:], key, reply.RequestHash[:], reply.Status, reply.Location, body,
			micros(reply.ExpiresAt), micros(now))
		return err
	})
}

func scanReply(r row) (reply booking.Reply, err error) {
	var (
		hash    []byte
		expires int64
	)
	err = r.Scan(&hash, &reply.Status, &reply.Location, &reply.Body, &expires)
	copy(reply.RequestHash[:], hash)
	reply.ExpiresAt = fromMicros(expires)
	return reply, err
}
