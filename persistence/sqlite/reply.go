package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const reservationColumns = `request_hash, status, location, body, expires_at, reserved_by, reserved_until`

// ReserveKey implements booking.Replies. It waits for no sync: what the request then writes is
// synced, and is not more durable than the reservation.
func (db *DB) ReserveKey(
	ctx context.Context, user uuid.UUID, key string, wanted booking.Reservation, now time.Time,
) (reserved booking.Reservation, err error) {
	const (
		purge = `
			DELETE FROM idempotency_keys WHERE rowid IN
				(SELECT rowid FROM idempotency_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
		reserve = `
			INSERT INTO idempotency_keys AS stored
				(user_id, key, request_hash, location, body, expires_at, reserved_by, reserved_until)
			VALUES (?1, ?2, ?3, '', x'', ?4, ?5, ?6)
			ON CONFLICT (user_id, key) DO UPDATE SET
				request_hash = excluded.request_hash, status = NULL, location = '', body = x'',
				expires_at = CASE WHEN stored.expires_at <= ?7 THEN excluded.expires_at ELSE stored.expires_at END,
				reserved_by = excluded.reserved_by, reserved_until = excluded.reserved_until
			WHERE stored.expires_at <= ?7 OR (stored.status IS NULL AND stored.request_hash = excluded.request_hash
				AND coalesce(stored.reserved_until <= ?7, true))
			RETURNING ` + reservationColumns
		find = `SELECT ` + reservationColumns + ` FROM idempotency_keys WHERE user_id = ? AND key = ?`
	)
	err = db.writeLazily(ctx, "reserve key", func(ctx context.Context, c *conn) error {
		if _, err := c.exec(ctx, purge, micros(now), purgeLimit); err != nil {
			return err
		}
		reserved, err = first(ctx, c, scanReservation, reserve, user[:], key, wanted.RequestHash[:],
			micros(wanted.ExpiresAt), wanted.ID[:], micros(wanted.Until), micros(now))
		if errors.Is(err, persistence.ErrNotFound) {
			reserved, err = first(ctx, c, scanReservation, find, user[:], key)
		}
		return err
	})
	return reserved, err
}

// ReleaseKey implements booking.Replies.
func (db *DB) ReleaseKey(
	ctx context.Context, user uuid.UUID, key string, attempt uuid.UUID, reply *booking.Reply,
) error {
	const (
		end = `
			UPDATE idempotency_keys SET reserved_by = NULL, reserved_until = NULL
			WHERE user_id = ?1 AND key = ?2 AND reserved_by = ?3`
		save = `
			UPDATE idempotency_keys
			SET reserved_by = NULL, reserved_until = NULL, status = ?4, location = ?5, body = ?6
			WHERE user_id = ?1 AND key = ?2 AND reserved_by = ?3`
	)
	if reply == nil {
		return db.writeLazily(ctx, "release key", func(ctx context.Context, c *conn) error {
			_, err := c.exec(ctx, end, user[:], key, attempt[:])
			return err
		})
	}
	body := append([]byte{}, reply.Body...) // a nil slice would be NULL
	return db.write(ctx, "release key", func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, save, user[:], key, attempt[:], reply.Status, reply.Location, body)
		return err
	})
}

func scanReservation(r row) (reserved booking.Reservation, err error) {
	var (
		hash, attempt []byte
		reply         booking.Reply
		status, until *int64
		expires       int64
	)
	err = r.Scan(&hash, &status, &reply.Location, &reply.Body, &expires, &attempt, &until)
	copy(reserved.RequestHash[:], hash)
	copy(reserved.ID[:], attempt)
	reserved.ExpiresAt, reserved.Until = fromMicros(expires), fromOptional(until)
	if status != nil {
		reply.Status = int(*status)
		reserved.Reply = &reply
	}
	return reserved, err
}
