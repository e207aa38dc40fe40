package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	soldColumns       = `id, train_id, user_id, legs, seats, booked_at`
	bookingColumns    = soldColumns + `, cancelled_at, cancelled_by`
	bookingRowColumns = bookingColumns + `, epoch, train_revision`
)

// cancellation sets what is known of a cancelled booking.
const cancellation = `
	UPDATE bookings SET cancelled_at = ?2, cancelled_by = ?3,
		train_revision = (SELECT revision FROM trains WHERE id = bookings.train_id)`

// CancelBooking implements persistence.Bookings.
func (db *DB) CancelBooking(
	ctx context.Context, guard persistence.Guard, id uuid.UUID, at time.Time, by booking.Canceller,
) error {
	return db.write(ctx, "cancel booking", func(ctx context.Context, c *conn) error {
		if err := checkGuard(ctx, c, guard); err != nil {
			return err
		}
		b, err := first(ctx, c, scanBooking, findBookingOfTrain, id[:], guard.Train[:])
		if err != nil || !b.CancelledAt.IsZero() {
			return err
		}
		return cancel(ctx, c, b, at, by)
	})
}

const findBookingOfTrain = `SELECT ` + bookingColumns + ` FROM bookings WHERE id = ? AND train_id = ?`

// cancel cancels a live booking.
func cancel(ctx context.Context, c *conn, b booking.Booking, at time.Time, by booking.Canceller) error {
	const (
		cancel = cancellation + ` WHERE id = ?1`
		free   = `
			UPDATE seats SET legs = legs & ~?2
			WHERE train_id = ?1 AND seat_number IN (SELECT value FROM json_each(?3))`
	)
	seats, err := persistence.EncodeList(b.Seats)
	if err != nil {
		return err
	}
	if _, err := c.exec(ctx, keepTrain, b.Train[:]); err != nil {
		return err
	}
	if _, err := c.exec(ctx, cancel, b.ID[:], micros(at), string(by)); err != nil {
		return err
	}
	_, err = c.exec(ctx, free, b.Train[:], persistence.EncodeLegs(b.Legs), seats)
	return err
}

// CancelSeats implements persistence.Bookings.
func (db *DB) CancelSeats(
	ctx context.Context, guard persistence.Guard, id uuid.UUID, seats []int, at time.Time, by booking.Canceller,
) error {
	return db.write(ctx, "cancel seats", func(ctx context.Context, c *conn) error {
		if err := checkGuard(ctx, c, guard); err != nil {
			return err
		}
		b, err := first(ctx, c, scanBooking, findBookingOfTrain, id[:], guard.Train[:])
		if err != nil {
			return err
		}
		part, rest, ok := persistence.SplitBooking(b, seats)
		if !ok {
			_, err := first(ctx, c, scanBooking, findBookingOfTrain, part.ID[:], guard.Train[:])
			if errors.Is(err, persistence.ErrNotFound) {
				err = persistence.ErrConflict
			}
			return err // nil: it was cancelled before
		}
		if err := split(ctx, c, part, rest); err != nil {
			return err
		}
		return cancel(ctx, c, part, at, by)
	})
}

// split makes some seats of a booking a booking of their own.
func split(ctx context.Context, c *conn, part, rest booking.Booking) error {
	const (
		keep = `UPDATE bookings SET seats = ?2 WHERE id = ?1`
		add  = `
			INSERT INTO bookings (` + soldColumns + `, epoch)
			SELECT ?1, train_id, user_id, legs, ?2, booked_at, epoch FROM bookings WHERE id = ?3`
	)
	keptSeats, err := persistence.EncodeList(rest.Seats)
	if err != nil {
		return err
	}
	partSeats, err := persistence.EncodeList(part.Seats)
	if err != nil {
		return err
	}
	if _, err := c.exec(ctx, keep, rest.ID[:], keptSeats); err != nil {
		return err
	}
	_, err = c.exec(ctx, add, part.ID[:], partSeats, rest.ID[:])
	return err
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

const findBookings = `SELECT ` + bookingColumns + ` FROM bookings WHERE id IN (SELECT unhex(value) FROM json_each(?))`

// FindBookings implements persistence.Bookings.
func (db *DB) FindBookings(ctx context.Context, ids []uuid.UUID) (bookings []booking.Booking, err error) {
	list, err := idList(ids)
	if err != nil {
		return nil, db.wrap("find bookings", err)
	}
	err = db.read(ctx, "find bookings", func(ctx context.Context, c *conn) error {
		bookings, err = all(ctx, c, scanBooking, findBookings, list)
		return err
	})
	return bookings, err
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
		return nil, db.wrap("seat legs", err)
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

// FindBookedTrain implements persistence.Bookings.
func (db *DB) FindBookedTrain(ctx context.Context, id uuid.UUID) (booked booking.BookedTrain, err error) {
	const find = `SELECT ` + bookingRowColumns + ` FROM bookings WHERE id = ?`
	err = db.read(ctx, "find booked train", func(ctx context.Context, c *conn) error {
		b, err := first(ctx, c, scanBookingRow, find, id[:])
		if err != nil {
			return err
		}
		with, err := withTrains(ctx, c, []persistence.BookingRow{b})
		if err != nil {
			return err
		}
		booked = with[0]
		return nil
	})
	return booked, err
}

// The parts of the queries of UserBookings and TrainBookings: whose bookings, in which state and order.
const (
	findOfUser  = `SELECT ` + bookingRowColumns + ` FROM bookings WHERE user_id = ?`
	findOfTrain = `SELECT ` + bookingRowColumns + ` FROM bookings WHERE train_id = ?`
	isConfirmed = ` AND cancelled_at IS NULL`
	isCancelled = ` AND cancelled_at IS NOT NULL`
	oldestFirst = ` AND (booked_at, id) > (?, ?) ORDER BY booked_at, id LIMIT ?`
	newestFirst = ` AND (booked_at, id) < (?, ?) ORDER BY booked_at DESC, id DESC LIMIT ?`
)

// UserBookings implements persistence.Bookings.
func (db *DB) UserBookings(
	ctx context.Context, user uuid.UUID, request booking.PageRequest,
) (booked booking.Page[booking.BookedTrain], err error) {
	err = db.read(ctx, "user bookings", func(ctx context.Context, c *conn) error {
		booked, err = bookingPage(ctx, c, request, findOfUser, user[:])
		return err
	})
	return booked, err
}

// TrainBookings implements persistence.Bookings.
func (db *DB) TrainBookings(
	ctx context.Context, id booking.TrainID, request booking.PageRequest,
) (booked booking.Page[booking.BookedTrain], err error) {
	err = db.read(ctx, "train bookings", func(ctx context.Context, c *conn) error {
		booked, err = bookingPage(ctx, c, request, findOfTrain, id[:])
		if err == nil && len(booked.Items) == 0 {
			_, err = first(ctx, c, new(trainScanner).scan, findTrain, id[:])
		}
		return err
	})
	return booked, err
}

// bookingPage reads one page of the bookings of a user or a train.
func bookingPage(
	ctx context.Context, c *conn, request booking.PageRequest, find string, of []byte,
) (booked booking.Page[booking.BookedTrain], err error) {
	rows, err := page(ctx, c, request, scanBookingRow, persistence.BookingCursor, find+inState(request), of)
	if err != nil {
		return booked, err
	}
	booked.Next = rows.Next
	booked.Items, err = withTrains(ctx, c, rows.Items)
	return booked, err
}

// inState returns the rest of a query for the bookings of a request.
func inState(request booking.PageRequest) string {
	state, order := isConfirmed, oldestFirst
	if request.Cancelled {
		state = isCancelled
	}
	if request.NewestFirst {
		order = newestFirst
	}
	return state + order
}

const (
	// findTrain finds a train, which may be deleted.
	findTrain       = `SELECT ` + trainColumns + ` FROM trains WHERE id = ?`
	findFormerTrain = `SELECT ` + formerTrainColumns + ` FROM former_trains WHERE train_id = ? AND revision = ?`
)

// withTrains returns bookings with their trains in the same order. It reads each train once, in the snapshot
// of the bookings.
func withTrains(ctx context.Context, c *conn, rows []persistence.BookingRow) ([]booking.BookedTrain, error) {
	trains := map[persistence.TrainVersion]*booking.Train{}
	for i := range rows {
		version := rows[i].TrainVersion()
		if trains[version] != nil {
			continue
		}
		find, args := findTrain, []any{version.ID[:]}
		if version.Revision != 0 {
			find, args = findFormerTrain, append(args, version.Revision)
		}
		on, err := first(ctx, c, new(trainScanner).scan, find, args...)
		if err != nil {
			return nil, err
		}
		trains[version] = &on
	}
	return persistence.WithTrains(rows, trains)
}

func scanBooking(r row) (b booking.Booking, err error) {
	err = scanBookingAnd(r, &b)
	return b, err
}

func scanBookingRow(r row) (b persistence.BookingRow, err error) {
	var revision *int64
	err = scanBookingAnd(r, &b.Booking, &b.Epoch, &revision)
	if revision != nil {
		b.TrainRevision = *revision
	}
	return b, err
}

// scanBookingAnd scans bookingColumns, and more columns after them.
func scanBookingAnd(r row, b *booking.Booking, more ...any) (err error) {
	var (
		set, booked int64
		cancelled   *int64
		by          *string
		seats       string
	)
	columns := []any{&b.ID, trainID(&b.Train), &b.User, &set, &seats, &booked, &cancelled, &by}
	if err := r.Scan(append(columns, more...)...); err != nil {
		return err
	}
	b.Legs, b.BookedAt, b.CancelledAt = persistence.DecodeLegs(set), fromMicros(booked), fromOptional(cancelled)
	if by != nil {
		b.CancelledBy = booking.Canceller(*by)
	}
	b.Seats, err = persistence.DecodeList[int](seats)
	return err
}
