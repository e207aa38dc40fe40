package postgres

import (
	"context"
	"fmt"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ExchangeBooking implements persistence.Bookings. It is one statement, like a sale and a cancellation:
// a process that is frozen inside a transaction would block the adoption of both trains.
//
// On one train the old and the new booking may have the same seat, and a statement can change a row
// only once. So a change of a seat has both the legs to free and those to take. If a seat is not
// free, or the id of the booking was written concurrently, the division by zero undoes everything.
//
// Of the old train the row is locked, as by CancelBooking, so that it is not changed or deleted
// meanwhile, but its owner is not compared. No lock of a train is waited for. Then the old booking is
// locked, as by CancelBooking, and then all seats in the order of Book, so that no two statements deadlock.
func (db *DB) ExchangeBooking(ctx context.Context, x persistence.Exchange) error {
	const exchange = `
		WITH trains_locked AS MATERIALIZED (
			SELECT ` + trainColumns + `, revision, epoch, owner, deleted_at FROM trains
			WHERE id IN ($1, $4) ORDER BY id FOR SHARE NOWAIT),
		checked AS MATERIALIZED (
			SELECT coalesce(` + guardResult + `, (
				SELECT CASE WHEN b.cancelled_at IS NULL AND EXISTS (
						SELECT 1 FROM bookings
						WHERE train_id = $4 AND id = $5 AND user_id = $6
							AND coalesce(cancelled_at, 'infinity') <> 'infinity')
					THEN 'done' ELSE 'conflict' END
				FROM bookings b WHERE b.train_id = $1 AND b.id = $7)) AS result
			FROM trains_locked g WHERE g.id = $1),
		g AS (SELECT * FROM trains_locked WHERE id = $4),
		cancelled AS (
			UPDATE bookings SET cancelled_at = $8, cancelled_by = $9, train_revision = (SELECT revision FROM g)
			WHERE train_id = $4 AND id = $5 AND user_id = $6 AND coalesce(cancelled_at, 'infinity') = 'infinity'
				AND (SELECT result IS NULL FROM checked)
			RETURNING legs, seats),
		kept AS (` + keepTrain + `),
		change AS MATERIALIZED (
			SELECT train_id, seat_number, bit_or(freed) AS freed, bit_or(taken) AS taken FROM (
				SELECT $4::uuid AS train_id, unnest(seats) AS seat_number, legs AS freed, 0::bigint AS taken FROM cancelled
				UNION ALL
				SELECT $1, unnest($11::int[]), 0, $10 FROM cancelled) AS parts
			GROUP BY train_id, seat_number),
		seated AS (
			INSERT INTO seats (train_id, seat_number, legs)
			SELECT train_id, seat_number, taken FROM change ORDER BY train_id, seat_number
			ON CONFLICT (train_id, seat_number) DO UPDATE SET legs = seats.legs & ~(` + freedLegs + `) | excluded.legs
				WHERE seats.legs & ~(` + freedLegs + `) & excluded.legs = 0
			RETURNING 1),
		recorded AS (
			INSERT INTO bookings (` + soldColumns + `, epoch)
			SELECT $7, $1, $6, $10, $11, $8, $2 FROM cancelled
			WHERE (SELECT count(*) FROM seated) = (SELECT count(*) FROM change)
			ON CONFLICT DO NOTHING
			RETURNING 1)
		SELECT CASE
			WHEN result IS NOT NULL THEN result
			WHEN NOT EXISTS (SELECT 1 FROM cancelled) THEN 'not_live'
			WHEN 1 / (SELECT count(*) FROM recorded) = 1 THEN 'done' END
		FROM checked`
	b := x.Booking
	err := db.guarded(ctx, "exchange booking", exchange, x.Guard, id(x.OldTrain), id(x.Old), id(b.User),
		id(b.ID), b.BookedAt, booking.ByPassenger, persistence.EncodeLegs(b.Legs), b.Seats)
	if codeOf(err) == divisionByZero {
		return fmt.Errorf("%w: %w", persistence.ErrConflict, err)
	}
	return err
}

// freedLegs are the legs to free of the seat that an upsert of the part named change meets.
const freedLegs = `SELECT freed FROM change c WHERE c.train_id = excluded.train_id AND c.seat_number = excluded.seat_number`
