package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const reservationColumns = `request_hash, status, location, body, expires_at, reserved_by, reserved_until`

// ReserveKey implements booking.Replies. It deletes expired reservations, except that of the key,
// which it replaces: one statement cannot do both to a row. It skips rows that a concurrent purge
// has locked.
//
// It needs a second statement to return a reservation that it did not make, and starts over if
// that was deleted in between.
func (db *DB) ReserveKey(
	ctx context.Context, user uuid.UUID, key string, wanted booking.Reservation, now time.Time,
) (reserved booking.Reservation, err error) {
	const (
		reserve = `
			WITH purged AS (
				DELETE FROM idempotency_keys WHERE (user_id, key) IN (
					SELECT user_id, key FROM idempotency_keys
					WHERE expires_at <= $7 AND (user_id, key) <> ($1, $2)
					ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED))
			INSERT INTO idempotency_keys AS stored
				(user_id, key, request_hash, location, body, expires_at, reserved_by, reserved_until)
			VALUES ($1, $2, $3, '', '', $4, $5, $6)
			ON CONFLICT (user_id, key) DO UPDATE SET
				request_hash = excluded.request_hash, status = NULL, location = '', body = '',
				expires_at = CASE WHEN stored.expires_at <= $7 THEN excluded.expires_at ELSE stored.expires_at END,
				reserved_by = excluded.reserved_by, reserved_until = excluded.reserved_until
			WHERE stored.expires_at <= $7 OR (stored.status IS NULL AND stored.request_hash = excluded.request_hash
				AND coalesce(stored.reserved_until <= $7, true))
			RETURNING ` + reservationColumns
		find = `SELECT ` + reservationColumns + ` FROM idempotency_keys WHERE user_id = $1 AND key = $2`
	)
	err = db.adopt(ctx, "reserve key", func(ctx context.Context, c *conn) error {
		for {
			reserved, err = first(ctx, c, scanReservation, reserve, id(user), []byte(key), wanted.RequestHash[:],
				wanted.ExpiresAt, id(wanted.ID), wanted.Until, now)
			if !errors.Is(err, persistence.ErrNotFound) {
				return err
			}
			reserved, err = first(ctx, c, scanReservation, find, id(user), []byte(key))
			if !errors.Is(err, persistence.ErrNotFound) {
				return err
			}
		}
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
			WHERE user_id = $1 AND key = $2 AND reserved_by = $3`
		save = `
			UPDATE idempotency_keys
			SET reserved_by = NULL, reserved_until = NULL, status = $4, location = $5, body = $6
			WHERE user_id = $1 AND key = $2 AND reserved_by = $3`
	)
	return db.adopt(ctx, "release key", func(ctx context.Context, c *conn) (err error) {
		if reply == nil {
			_, err = c.exec(ctx, end, id(user), []byte(key), id(attempt))
			return err
		}
		body := append([]byte{}, reply.Body...) // a nil slice would be null
		_, err = c.exec(ctx, save, id(user), []byte(key), id(attempt), reply.Status, []byte(reply.Location), body)
		return err
	})
}

func scanReservation(r row) (reserved booking.Reservation, err error) {
	var (
		hash, location, body []byte
		status               *int
		attempt              *[16]byte
		until                *time.Time
	)
	err = r.Scan(&hash, &status, &location, &body, &reserved.ExpiresAt, &attempt, &until)
	copy(reserved.RequestHash[:], hash)
	reserved.ExpiresAt, reserved.Until = fromTime(reserved.ExpiresAt), fromOptional(until)
	if attempt != nil {
		reserved.ID = *attempt
	}
	if status != nil {
		reserved.Reply = &booking.Reply{Status: *status, Location: string(location), Body: body}
	}
	return reserved, err
}
