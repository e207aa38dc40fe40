package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const bookingColumns = `id, train_id, user_id, legs, seats, booked_at, cancelled_at`

// CancelBooking implements persistence.Bookings. It locks the seats in the same order as Book. The
// condition on cancelled_at is not IS NULL: with that, the plan may read all live bookings of the
// train in bookings_of_train.
func (db *DB) CancelBooking(ctx context.Context, guard persistence.Guard, bookingID uuid.UUID, at time.Time) error {
	const cancel = `
		WITH g AS MATERIALIZED (
			SELECT epoch, owner, deleted_at FROM trains WHERE id = $1 FOR SHARE NOWAIT),
		checked AS MATERIALIZED (
			SELECT coalesce(` + guardResult + `, CASE
				WHEN EXISTS (SELECT 1 FROM bookings WHERE train_id = $1 AND id = $4)
				THEN 'done' ELSE 'not_found' END) AS result
			FROM g),
		cancelled AS (
			UPDATE bookings SET cancelled_at = $5
			WHERE train_id = $1 AND id = $4 AND coalesce(cancelled_at, 'infinity') = 'infinity'
				AND (SELECT result FROM checked) = 'done'
			RETURNING legs, seats),
		locked AS MATERIALIZED (
			SELECT seat_number FROM seats
			WHERE train_id = $1 AND seat_number = ANY ((SELECT seats FROM cancelled)::int[])
			ORDER BY seat_number FOR UPDATE),
		freed AS (
			UPDATE seats SET legs = seats.legs & ~(SELECT legs FROM cancelled)
			FROM locked WHERE seats.train_id = $1 AND seats.seat_number = locked.seat_number)
		SELECT result FROM checked`
	return db.guarded(ctx, "cancel booking", cancel, guard, id(bookingID), at)
}

const findBooking = `SELECT ` + bookingColumns + ` FROM bookings WHERE id = $1`

// FindBooking implements persistence.Bookings.
func (db *DB) FindBooking(ctx context.Context, bookingID uuid.UUID) (b booking.Booking, err error) {
	err = db.readAhead(ctx, "find booking", func(ctx context.Context, c *conn) error {
		b, err = first(ctx, c, scanBooking, findBooking, id(bookingID))
		return err
	})
	return b, err
}

// CancelledBookings implements persistence.Bookings. The bookings are those at the end of an
// index, so the others are not read.
func (db *DB) CancelledBookings(
	ctx context.Context, train booking.TrainID, user uuid.UUID,
) (bookings []booking.Booking, err error) {
	const find = `
		SELECT ` + bookingColumns + ` FROM bookings
		WHERE train_id = $1 AND user_id = $2 AND cancelled_at IS NOT NULL
		ORDER BY cancelled_at DESC, id DESC LIMIT $3`
	err = db.readAhead(ctx, "cancelled bookings", func(ctx context.Context, c *conn) error {
		bookings, err = all(ctx, c, scanBooking, find, id(train), id(user), persistence.MaxHistory)
		return err
	})
	return bookings, err
}

// SeatLegs implements persistence.Bookings.
func (db *DB) SeatLegs(ctx context.Context, trains []booking.TrainID) (seats []map[int]booking.Legs, err error) {
	err = db.read(ctx, "seat legs", func(ctx context.Context, c *conn) error {
		seats, err = seatsOf(ctx, c, trains)
		return err
	})
	return seats, err
}

// seatsOf returns the legs on which the seats of each train are booked. Its subquery for each train always uses the index; a
// join might read the whole table. It returns a row for each train, since a row for each seat takes
// longer to send and to scan.
func seatsOf(ctx context.Context, c *conn, trains []booking.TrainID) ([]map[int]booking.Legs, error) {
	const find = `
		SELECT s.numbers, s.sets
		FROM unnest($1::uuid[]) WITH ORDINALITY AS r (train_id, n)
			CROSS JOIN LATERAL (
				SELECT array_agg(seat_number) AS numbers, array_agg(legs) AS sets
				FROM seats WHERE train_id = r.train_id AND legs <> 0) AS s
		ORDER BY r.n`
	return all(ctx, c, scanSeats, find, column(trains, id))
}

func scanSeats(r row) (map[int]booking.Legs, error) {
	var (
		numbers []int32
		sets    []int64
	)
	err := r.Scan(&numbers, &sets)
	seats := make(map[int]booking.Legs, len(numbers))
	for i, number := range numbers {
		seats[int(number)] = persistence.DecodeLegs(sets[i])
	}
	return seats, err
}

// FindUserBooking implements persistence.Bookings.
func (db *DB) FindUserBooking(ctx context.Context, user, bookingID uuid.UUID) (booked booking.BookedTrain, err error) {
	err = db.snapshot(ctx, "find user booking", func(ctx context.Context, c *conn) error {
		b, err := first(ctx, c, scanBooking, findBooking, id(bookingID))
		switch {
		case err != nil:
			return err
		case b.User != user || !b.CancelledAt.IsZero():
			return persistence.ErrNotFound
		}
		with, err := withTrains(ctx, c, []booking.Booking{b})
		if err != nil {
			return err
		}
		booked = with[0]
		return nil
	})
	return booked, err
}

// UserBookings implements persistence.Bookings. The bookings of a train share one Train.
func (db *DB) UserBookings(
	ctx context.Context, user uuid.UUID, request booking.PageRequest,
) (booked booking.Page[booking.BookedTrain], err error) {
	const (
		oldest = `
			SELECT ` + bookingColumns + ` FROM bookings
			WHERE user_id = $4 AND cancelled_at IS NULL AND (booked_at, id) > ($1, $2)
			ORDER BY booked_at, id LIMIT $3`
		newest = `
			SELECT ` + bookingColumns + ` FROM bookings
			WHERE user_id = $4 AND cancelled_at IS NULL AND (booked_at, id) < ($1, $2)
			ORDER BY booked_at DESC, id DESC LIMIT $3`
	)
	find := oldest
	if request.NewestFirst {
		find = newest
	}
	err = db.snapshot(ctx, "user bookings", func(ctx context.Context, c *conn) error {
		bookings, err := page(ctx, c, request, scanBooking, bookingCursor, find, id(user))
		if err != nil {
			return err
		}
		booked.Next = bookings.Next
		booked.Items, err = withTrains(ctx, c, bookings.Items)
		return err
	})
	return booked, err
}

// withTrains returns bookings with their trains, including deleted ones, in the same order. It
// needs the snapshot of the bookings: in a later one, a train may have fewer stops.
func withTrains(ctx context.Context, c *conn, bookings []booking.Booking) ([]booking.BookedTrain, error) {
	const find = `SELECT ` + trainColumns + ` FROM trains WHERE id = ANY ($1::uuid[])`
	if len(bookings) == 0 {
		return nil, nil
	}
	trains := map[booking.TrainID]*booking.Train{}
	var ids [][16]byte
	for _, b := range bookings {
		if _, added := trains[b.Train]; !added {
			trains[b.Train], ids = nil, append(ids, id(b.Train))
		}
	}
	found, err := all(ctx, c, new(trainScanner).scan, find, ids)
	if err != nil {
		return nil, err
	}
	for i := range found {
		trains[found[i].ID] = &found[i]
	}
	booked := make([]booking.BookedTrain, len(bookings))
	for i, b := range bookings {
		if trains[b.Train] == nil { // somebody changed the tables by hand
			return nil, fmt.Errorf("booking %s is of the train %s, which is not stored", b.ID, b.Train)
		}
		booked[i] = booking.BookedTrain{Booking: b, On: trains[b.Train]}
	}
	return booked, nil
}

// TrainBookings implements persistence.Bookings.
func (db *DB) TrainBookings(
	ctx context.Context, train booking.TrainID, request booking.PageRequest,
) (bookings booking.Page[booking.Booking], err error) {
	const find = `
		SELECT ` + bookingColumns + ` FROM bookings
		WHERE train_id = $4 AND cancelled_at IS NULL AND (booked_at, id) > ($1, $2)
		ORDER BY booked_at, id LIMIT $3`
	err = db.read(ctx, "train bookings", func(ctx context.Context, c *conn) error {
		bookings, err = page(ctx, c, request, scanBooking, bookingCursor, find, id(train))
		return err
	})
	return bookings, err
}

func bookingCursor(b booking.Booking) booking.Cursor {
	return booking.Cursor{At: b.BookedAt, ID: b.ID}
}

func scanBooking(r row) (b booking.Booking, err error) {
	var (
		set       int64
		cancelled *time.Time
	)
	err = r.Scan((*[16]byte)(&b.ID), (*[16]byte)(&b.Train), (*[16]byte)(&b.User), &set, &b.Seats, &b.BookedAt, &cancelled)
	b.Legs, b.BookedAt, b.CancelledAt = persistence.DecodeLegs(set), fromTime(b.BookedAt), fromOptional(cancelled)
	return b, err
}
