package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func importUsers(ctx context.Context, c *conn, rows persistence.Rows) error {
	const upsert = `
		INSERT INTO users AS stored (` + userColumns + `, username_folded, email_folded)
		SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::timestamptz[],
			$8::timestamptz[], $9::text[], $10::text[])
		ON CONFLICT (id) DO UPDATE SET
			username = excluded.username, email = excluded.email, password_hash = excluded.password_hash,
			is_admin = excluded.is_admin, disabled = excluded.disabled, created_at = excluded.created_at,
			deleted_at = excluded.deleted_at, username_folded = excluded.username_folded, email_folded = excluded.email_folded
		WHERE (stored.username, stored.email, stored.password_hash, stored.is_admin, stored.disabled, stored.created_at, stored.deleted_at)
			IS DISTINCT FROM (excluded.username, excluded.email, excluded.password_hash, excluded.is_admin, excluded.disabled,
				excluded.created_at, excluded.deleted_at)`
	all := rows.Users
	names, emails := make([]string, len(all)), make([]string, len(all))
	for i := range all {
		names[i], emails[i] = persistence.UserKeys(&all[i])
	}
	return importInto(ctx, c, upsert, len(all),
		column(all, func(u booking.User) [16]byte { return id(u.ID) }),
		column(all, func(u booking.User) string { return u.Username }),
		column(all, func(u booking.User) string { return u.Email }),
		column(all, func(u booking.User) string { return u.PasswordHash }),
		column(all, func(u booking.User) bool { return u.IsAdmin }),
		column(all, func(u booking.User) bool { return u.Disabled }),
		column(all, func(u booking.User) time.Time { return u.CreatedAt }),
		column(all, func(u booking.User) *time.Time { return optional(u.DeletedAt) }),
		names, emails)
}

// importTrains also deletes the seats of trains whose epoch has changed since an earlier import,
// since the seats of a deleted train are not exported.
func importTrains(ctx context.Context, c *conn, rows persistence.Rows) error {
	const deleteSeats = `
		DELETE FROM seats USING trains t, unnest($1::uuid[], $2::bigint[]) AS r (id, epoch)
		WHERE t.id = r.id AND t.epoch <> r.epoch AND seats.train_id = t.id`
	const upsert = `
		WITH next AS (
			UPDATE catalogue SET revision = revision + cardinality($1::uuid[]) RETURNING revision)
		INSERT INTO trains AS stored (` + trainColumns + `, epoch, deleted_at, retires_at, revision)
		SELECT id, name, capacity, on_sale, created_at, updated_at, stops::json, sales_open_at, follows, epoch, deleted_at,
			retires_at, (SELECT revision FROM next) - cardinality($1) + n
		FROM unnest($1, $2::text[], $3::int[], $4::bool[], $5::timestamptz[], $6::timestamptz[],
			$7::text[], $8::timestamptz[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[]) WITH ORDINALITY
			AS r (` + trainColumns + `, epoch, deleted_at, retires_at, n)
		ON CONFLICT (id) DO UPDATE SET
			owner = NULL, name = excluded.name, capacity = excluded.capacity, on_sale = excluded.on_sale,
			created_at = excluded.created_at, updated_at = excluded.updated_at, stops = excluded.stops,
			sales_open_at = excluded.sales_open_at, follows = excluded.follows, epoch = excluded.epoch, deleted_at = excluded.deleted_at,
			retires_at = excluded.retires_at, revision = excluded.revision
		WHERE (stored.name, stored.capacity, stored.on_sale, stored.created_at, stored.updated_at, stored.stops::text,
				stored.sales_open_at, stored.follows, stored.epoch, stored.deleted_at)
			IS DISTINCT FROM (excluded.name, excluded.capacity, excluded.on_sale, excluded.created_at, excluded.updated_at,
				excluded.stops::text, excluded.sales_open_at, excluded.follows, excluded.epoch, excluded.deleted_at)`
	all := rows.Trains
	columns, err := trainColumnsOf(column(all, func(t persistence.TrainRow) booking.Train { return t.Train }))
	if err != nil {
		return err
	}
	epochs := column(all, func(t persistence.TrainRow) int64 { return t.Epoch })
	if err := importInto(ctx, c, deleteSeats, len(all), columns[0], epochs); err != nil {
		return err
	}
	return importInto(ctx, c, upsert, len(all), append(columns,
		epochs,
		column(all, func(t persistence.TrainRow) *time.Time { return optional(t.DeletedAt) }),
		column(all, func(t persistence.TrainRow) time.Time { return persistence.EncodeRetirement(&t.Train) }))...)
}

// importFormerTrains skips those that are there, since they never change. Revisions of another store are
// negative here, so that they differ from those that this one gives its trains.
func importFormerTrains(ctx context.Context, c *conn, rows persistence.Rows) error {
	const insert = `
		INSERT INTO former_trains (` + formerTrainColumns + `, revision)
		SELECT id, name, capacity, on_sale, created_at, updated_at, stops::json, sales_open_at, follows, -revision
		FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bool[], $5::timestamptz[], $6::timestamptz[], $7::text[],
			$8::timestamptz[], $9::bigint[], $10::bigint[])
			AS r (` + trainColumns + `, revision)
		ON CONFLICT DO NOTHING`
	all := rows.FormerTrains
	columns, err := trainColumnsOf(column(all, func(t persistence.FormerTrain) booking.Train { return t.Train }))
	if err != nil {
		return err
	}
	revisions := column(all, func(t persistence.FormerTrain) int64 { return t.Revision })
	return importInto(ctx, c, insert, len(all), append(columns, revisions)...)
}

// trainColumnsOf returns the values of trainColumns.
func trainColumnsOf(trains []booking.Train) ([]any, error) {
	stops := make([]string, len(trains))
	for i := range trains {
		var err error
		if stops[i], err = persistence.EncodeList(trains[i].Stops); err != nil {
			return nil, err
		}
	}
	return []any{
		column(trains, func(t booking.Train) [16]byte { return id(t.ID) }),
		column(trains, func(t booking.Train) string { return t.Name }),
		column(trains, func(t booking.Train) int { return t.Capacity }),
		column(trains, func(t booking.Train) bool { return t.OnSale }),
		column(trains, func(t booking.Train) time.Time { return t.CreatedAt }),
		column(trains, func(t booking.Train) time.Time { return t.UpdatedAt }),
		stops,
		column(trains, func(t booking.Train) *time.Time { return optional(t.SalesOpenAt) }),
		column(trains, func(t booking.Train) int64 { return t.Follows }),
	}, nil
}

func importSeats(ctx context.Context, c *conn, rows persistence.Rows) error {
	const upsert = `
		INSERT INTO seats AS stored (train_id, seat_number, legs)
		SELECT * FROM unnest($1::uuid[], $2::int[], $3::bigint[])
		ON CONFLICT (train_id, seat_number) DO UPDATE SET legs = excluded.legs WHERE stored.legs <> excluded.legs`
	all := rows.Seats
	return importInto(ctx, c, upsert, len(all),
		column(all, func(s persistence.SeatRow) [16]byte { return id(s.Train) }),
		column(all, func(s persistence.SeatRow) int { return s.Number }),
		column(all, func(s persistence.SeatRow) int64 { return persistence.EncodeLegs(s.Legs) }))
}

// importBookings sends the seats of a booking as text, since the elements of an array of arrays
// must have the same length.
func importBookings(ctx context.Context, c *conn, rows persistence.Rows) error {
	const upsert = `
		INSERT INTO bookings AS stored (` + bookingRowColumns + `)
		SELECT id, train_id, user_id, legs, seats::int[], booked_at, cancelled_at, nullif(cancelled_by, ''), epoch, -nullif(train_revision, 0)
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[],
				$8::text[], $9::bigint[], $10::bigint[])
			AS r (` + bookingRowColumns + `)
		ON CONFLICT (train_id, id) DO UPDATE SET
			user_id = excluded.user_id, legs = excluded.legs, seats = excluded.seats, booked_at = excluded.booked_at,
			cancelled_at = excluded.cancelled_at, cancelled_by = excluded.cancelled_by, epoch = excluded.epoch,
			train_revision = excluded.train_revision
		WHERE (stored.user_id, stored.legs, stored.seats, stored.booked_at, stored.cancelled_at, stored.cancelled_by,
				stored.epoch, stored.train_revision)
			IS DISTINCT FROM (excluded.user_id, excluded.legs, excluded.seats, excluded.booked_at, excluded.cancelled_at,
				excluded.cancelled_by, excluded.epoch, excluded.train_revision)`
	all := rows.Bookings
	return importInto(ctx, c, upsert, len(all),
		column(all, func(b persistence.BookingRow) [16]byte { return id(b.ID) }),
		column(all, func(b persistence.BookingRow) [16]byte { return id(b.Train) }),
		column(all, func(b persistence.BookingRow) [16]byte { return id(b.User) }),
		column(all, func(b persistence.BookingRow) int64 { return persistence.EncodeLegs(b.Legs) }),
		column(all, func(b persistence.BookingRow) string { return array(b.Seats) }),
		column(all, func(b persistence.BookingRow) time.Time { return b.BookedAt }),
		column(all, func(b persistence.BookingRow) *time.Time { return optional(b.CancelledAt) }),
		column(all, func(b persistence.BookingRow) string { return string(b.CancelledBy) }),
		column(all, func(b persistence.BookingRow) int64 { return b.Epoch }),
		column(all, func(b persistence.BookingRow) int64 { return b.TrainRevision }))
}

func importReplies(ctx context.Context, c *conn, rows persistence.Rows) error {
	const upsert = `
		INSERT INTO idempotency_keys AS stored (user_id, key, request_hash, status, location, body, expires_at)
		SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::int[], $5::bytea[], $6::bytea[], $7::timestamptz[])
		ON CONFLICT (user_id, key) DO UPDATE SET
			request_hash = excluded.request_hash, status = excluded.status, location = excluded.location,
			body = excluded.body, expires_at = excluded.expires_at
		WHERE (stored.request_hash, stored.status, stored.location, stored.body, stored.expires_at) IS DISTINCT FROM
			(excluded.request_hash, excluded.status, excluded.location, excluded.body, excluded.expires_at)`
	all := rows.Replies
	statuses, locations, bodies := make([]*int, len(all)), make([][]byte, len(all)), make([][]byte, len(all))
	for i := range all {
		locations[i], bodies[i] = []byte{}, []byte{} // nil would be NULL
		if reply := all[i].Reply; reply != nil {
			statuses[i] = &reply.Status
			locations[i], bodies[i] = append(locations[i], reply.Location...), append(bodies[i], reply.Body...)
		}
	}
	return importInto(ctx, c, upsert, len(all),
		column(all, func(r persistence.ReplyRow) [16]byte { return id(r.User) }),
		column(all, func(r persistence.ReplyRow) []byte { return []byte(r.Key) }),
		column(all, func(r persistence.ReplyRow) []byte { return r.RequestHash[:] }),
		statuses, locations, bodies,
		column(all, func(r persistence.ReplyRow) time.Time { return r.ExpiresAt }))
}

// importInto runs a query for n rows, given by their columns.
func importInto(ctx context.Context, c *conn, query string, n int, columns ...any) error {
	if n == 0 {
		return nil
	}
	_, err := c.exec(ctx, query, columns...)
	return err
}

func column[R, T any](rows []R, value func(R) T) []T {
	values := make([]T, len(rows))
	for i := range rows {
		values[i] = value(rows[i])
	}
	return values
}

// optional encodes a time; the zero time is null.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// array returns a Postgres array literal.
func array[T int | int32](numbers []T) string {
	return "{" + strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), "[]") + "}"
}
