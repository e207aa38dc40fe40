package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const bookingColumns = `id, train_id, user_id, legs, seats, booked_at, cancelled_at`

// CancelBooking implements persistence.Bookings.
func (db *DB) CancelBooking(ctx context.Context, guard persistence.Guard, id uuid.UUID, at time.Time) error {
	const (
		find   = `SELECT ` + bookingColumns + ` FROM bookings WHERE id = ? AND train_id = ?`
		cancel = `UPDATE bookings SET cancelled_at = ?2 WHERE id = ?1`
		free   = `
			UPDATE seats SET legs = legs & ~?2
			WHERE train_id = ?1 AND seat_number IN (SELECT value FROM json_each(?3))`
	)
	return db.write(ctx, "cancel booking", func(ctx context.Context, c *conn) error {
		if err := checkGuard(ctx, c, guard); err != nil {
			return err
		}
		b, err := first(ctx, c, scanBooking, find, id[:], guard.Train[:])
		if err != nil || !b.CancelledAt.IsZero() {
			return err
		}
		seats, err := persistence.EncodeList(b.Seats)
		if err != nil {
			return err
		}
		if _, err := c.exec(ctx, cancel, id[:], micros(at)); err != nil {
			return err
		}
		_, err = c.exec(ctx, free, guard.Train[:], persistence.EncodeLegs(b.Legs), seats)
		return err
	})
}

const findBooking = `SELECT ` + bookingColumns + ` FROM bookings WHERE id = ?`

// FindBooking implements persistence.Bookings.
func (db *DB) FindBooking(ctx context.Context, id uuid.UUID) (b booking.Booking, err error) {
	err = db.read(ctx, "find booking", func(ctx context.Context, c *conn) error {
		b, err = first(ctx, c, scanBooking, findBooking, id[:])
		return err
	})
	return b, err
}

// findCancelledOfUser is the query of CancelledBookings. The bookings are those at the end of an
// index, so the others are not read.
const findCancelledOfUser = `
	SELECT ` + bookingColumns + ` FROM bookings
	WHERE train_id = ? AND user_id = ? AND cancelled_at IS NOT NULL
	ORDER BY cancelled_at DESC, id DESC LIMIT ?`

// CancelledBookings implements persistence.Bookings.
func (db *DB) CancelledBookings(
	ctx context.Context, train booking.TrainID, user uuid.UUID,
) (bookings []booking.Booking, err error) {
	err = db.read(ctx, "cancelled bookings", func(ctx context.Context, c *conn) error {
		bookings, err = all(ctx, c, scanBooking, findCancelledOfUser, train[:], user[:], persistence.MaxHistory)
		return err
	})
	return bookings, err
}

// findSeatsOf is the query of SeatLegs. It returns a row for each train, as JSON, which takes a third
// the time of a row for each seat.
const findSeatsOf = `
	SELECT (SELECT json_group_object(seat_number, legs) FROM seats WHERE train_id = r.train_id AND legs <> 0)
	FROM ` + listed + ` AS r ORDER BY place`

// SeatLegs implements persistence.Bookings.
func (db *DB) SeatLegs(ctx context.Context, trains []booking.TrainID) (seats []map[int]booking.Legs, err error) {
	list, err := idList(trains)
	if err != nil {
		return nil, wrap("seat legs", err)
	}
	err = db.read(ctx, "seat legs", func(ctx context.Context, c *conn) error {
		seats, err = all(ctx, c, scanSeats, findSeatsOf, list)
		return err
	})
	return seats, err
}

func scanSeats(r row) (seats map[int]booking.Legs, err error) {
	var object []byte
	if err := r.Scan(&object); err != nil {
		return nil, err
	}
	err = json.Unmarshal(object, &seats)
	return seats, err
}

// FindUserBooking implements persistence.Bookings.
func (db *DB) FindUserBooking(ctx context.Context, user, id uuid.UUID) (booked booking.BookedTrain, err error) {
	err = db.read(ctx, "find user booking", func(ctx context.Context, c *conn) error {
		b, err := first(ctx, c, scanBooking, findBooking, id[:])
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

// The queries of UserBookings.
const (
	findOldestOfUser = `
		SELECT ` + bookingColumns + ` FROM bookings
		WHERE user_id = ? AND cancelled_at IS NULL AND (booked_at, id) > (?, ?)
		ORDER BY booked_at, id LIMIT ?`
	findNewestOfUser = `
		SELECT ` + bookingColumns + ` FROM bookings
		WHERE user_id = ? AND cancelled_at IS NULL AND (booked_at, id) < (?, ?)
		ORDER BY booked_at DESC, id DESC LIMIT ?`
)

// UserBookings implements persistence.Bookings. The bookings of a train share one Train.
func (db *DB) UserBookings(
	ctx context.Context, user uuid.UUID, request booking.PageRequest,
) (booked booking.Page[booking.BookedTrain], err error) {
	find := findOldestOfUser
	if request.NewestFirst {
		find = findNewestOfUser
	}
	err = db.read(ctx, "user bookings", func(ctx context.Context, c *conn) error {
		bookings, err := page(ctx, c, request, scanBooking, bookingCursor, find, user[:])
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
// reads each train once, in the snapshot of the bookings. A foreign key makes sure that every
// booking has its train.
func withTrains(ctx context.Context, c *conn, bookings []booking.Booking) ([]booking.BookedTrain, error) {
	const find = `SELECT ` + trainColumns + ` FROM trains WHERE id = ?`
	trains := map[booking.TrainID]*booking.Train{}
	var booked []booking.BookedTrain
	for _, b := range bookings {
		if trains[b.Train] == nil {
			on, err := first(ctx, c, new(trainScanner).scan, find, b.Train[:])
			if err != nil {
				return nil, err
			}
			trains[b.Train] = &on
		}
		booked = append(booked, booking.BookedTrain{Booking: b, On: trains[b.Train]})
	}
	return booked, nil
}

// TrainBookings implements persistence.Bookings.
func (db *DB) TrainBookings(
	ctx context.Context, id booking.TrainID, request booking.PageRequest,
) (bookings booking.Page[booking.Booking], err error) {
	const find = `
		SELECT ` + bookingColumns + ` FROM bookings
		WHERE train_id = ? AND cancelled_at IS NULL AND (booked_at, id) > (?, ?)
		ORDER BY booked_at, id LIMIT ?`
	err = db.read(ctx, "train bookings", func(ctx context.Context, c *conn) error {
		bookings, err = page(ctx, c, request, scanBooking, bookingCursor, find, id[:])
		return err
	})
	return bookings, err
}

func bookingCursor(b booking.Booking) booking.Cursor {
	return booking.Cursor{At: b.BookedAt, ID: b.ID}
}

func scanBooking(r row) (b booking.Booking, err error) {
	var (
		set, booked int64
		cancelled   *int64
		seats       string
	)
	if err := r.Scan(&b.ID, trainID(&b.Train), &b.User, &set, &seats, &booked, &cancelled); err != nil {
		return b, err
	}
	b.Legs, b.BookedAt, b.CancelledAt = persistence.DecodeLegs(set), fromMicros(booked), fromOptional(cancelled)
	b.Seats, err = persistence.DecodeList[int](seats)
	return b, err
}
