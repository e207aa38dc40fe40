package postgres

import (
	"context"
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

// keepTrain is the part of a statement that keeps a train as it is now, the row g, for the bookings that
// the part named cancelled has cancelled. The first one of a version of a train writes it.
const keepTrain = `
	INSERT INTO former_trains (` + formerTrainColumns + `, revision)
	SELECT ` + trainColumns + `, revision FROM g WHERE EXISTS (SELECT 1 FROM cancelled) ON CONFLICT DO NOTHING`

// CancelBooking implements persistence.Bookings. It locks the seats in the same order as Book. The
// condition on cancelled_at is not IS NULL: with that, the plan may read all live bookings of the
// train in bookings_of_train.
func (db *DB) CancelBooking(
	ctx context.Context, guard persistence.Guard, bookingID uuid.UUID, at time.Time, by booking.Canceller,
) error {
	const cancel = cancelling + `
			CASE WHEN EXISTS (SELECT 1 FROM bookings WHERE train_id = $1 AND id = $4)
				THEN 'done' ELSE 'not_found' END) AS result
			FROM g),
		cancelled AS (
			UPDATE bookings SET cancelled_at = $5, cancelled_by = $6, train_revision = (SELECT revision FROM g)
			WHERE train_id = $1 AND id = $4 AND coalesce(cancelled_at, 'infinity') = 'infinity'
				AND (SELECT result FROM checked) = 'done'
			RETURNING legs, seats)` + freeing + `
		SELECT result FROM checked`
	return db.guarded(ctx, "cancel booking", cancel, guard, id(bookingID), at, by)
}

// The first and the last part of a statement that cancels. The part named cancelled, between them, has
// the legs and seats to free.
const (
	cancelling = `
		WITH g AS MATERIALIZED (
			SELECT ` + trainColumns + `, revision, epoch, owner, deleted_at FROM trains WHERE id = $1 FOR SHARE NOWAIT),
		checked AS MATERIALIZED (
			SELECT coalesce(` + guardResult + `,`
	freeing = `,
		kept AS (` + keepTrain + `),
		locked AS MATERIALIZED (
			SELECT seat_number FROM seats
			WHERE train_id = $1 AND seat_number = ANY ((SELECT seats FROM cancelled)::int[])
			ORDER BY seat_number FOR UPDATE),
		freed AS (
			UPDATE seats SET legs = seats.legs & ~(SELECT legs FROM cancelled)
			FROM locked WHERE seats.train_id = $1 AND seats.seat_number = locked.seat_number)`
)

// CancelSeats implements persistence.Bookings. A cancellation of the same booking that commits first
// leaves fewer seats, which the update compares again.
func (db *DB) CancelSeats(
	ctx context.Context, guard persistence.Guard, bookingID uuid.UUID, seats []int, at time.Time, by booking.Canceller,
) error {
	const cancel = cancelling + `
			CASE WHEN EXISTS (SELECT 1 FROM bookings WHERE train_id = $1 AND id = $7) THEN 'done'
				WHEN NOT EXISTS (SELECT 1 FROM bookings WHERE train_id = $1 AND id = $4) THEN 'not_found' END) AS result
			FROM g),
		rest AS (
			UPDATE bookings SET seats = array(SELECT n FROM unnest(seats) AS n WHERE n <> ALL ($8::int[]) ORDER BY n)
			WHERE train_id = $1 AND id = $4 AND coalesce(cancelled_at, 'infinity') = 'infinity'
				AND seats @> $8 AND cardinality(seats) > cardinality($8) AND (SELECT result IS NULL FROM checked)
			RETURNING ` + soldColumns + `, epoch),
		cancelled AS (
			INSERT INTO bookings (` + bookingRowColumns + `)
			SELECT $7, train_id, user_id, legs, $8, booked_at, $5, $6, epoch, (SELECT revision FROM g) FROM rest
			RETURNING legs, seats)` + freeing + `
		SELECT coalesce(result, CASE WHEN EXISTS (SELECT 1 FROM cancelled) THEN 'done' ELSE 'conflict' END) FROM checked`
	return db.guarded(ctx, "cancel seats", cancel, guard, id(bookingID), at, by, id(booking.PartOf(bookingID, seats)), seats)
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

// FindBookings implements persistence.Bookings.
func (db *DB) FindBookings(ctx context.Context, ids []uuid.UUID) (bookings []booking.Booking, err error) {
	const find = `SELECT ` + bookingColumns + ` FROM bookings WHERE id = ANY ($1)`
	err = db.read(ctx, "find bookings", func(ctx context.Context, c *conn) error {
		bookings, err = all(ctx, c, scanBooking, find, column(ids, id))
		return err
	})
	return bookings, err
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

// FindBookedTrain implements persistence.Bookings.
func (db *DB) FindBookedTrain(ctx context.Context, bookingID uuid.UUID) (booked booking.BookedTrain, err error) {
	const find = `SELECT ` + bookingRowColumns + ` FROM bookings WHERE id = $1`
	err = db.snapshot(ctx, "find booked train", func(ctx context.Context, c *conn) error {
		b, err := first(ctx, c, scanBookingRow, find, id(bookingID))
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

// UserBookings implements persistence.Bookings.
func (db *DB) UserBookings(
	ctx context.Context, user uuid.UUID, request booking.PageRequest,
) (booked booking.Page[booking.BookedTrain], err error) {
	err = db.snapshot(ctx, "user bookings", func(ctx context.Context, c *conn) error {
		booked, err = bookingPage(ctx, c, request, "user_id", id(user))
		return err
	})
	return booked, err
}

// TrainBookings implements persistence.Bookings.
func (db *DB) TrainBookings(
	ctx context.Context, train booking.TrainID, request booking.PageRequest,
) (booked booking.Page[booking.BookedTrain], err error) {
	const exists = `SELECT true FROM trains WHERE id = $1`
	err = db.snapshot(ctx, "train bookings", func(ctx context.Context, c *conn) error {
		booked, err = bookingPage(ctx, c, request, "train_id", id(train))
		if err == nil && len(booked.Items) == 0 {
			_, err = first(ctx, c, scalar[bool], exists, id(train))
		}
		return err
	})
	return booked, err
}

// bookingPage reads one page of the bookings that have an id in a column.
func bookingPage(
	ctx context.Context, c *conn, request booking.PageRequest, column string, of [16]byte,
) (booked booking.Page[booking.BookedTrain], err error) {
	state, order := "IS NULL", "> ($1, $2) ORDER BY booked_at, id"
	if request.Cancelled {
		state = "IS NOT NULL"
	}
	if request.NewestFirst {
		order = "< ($1, $2) ORDER BY booked_at DESC, id DESC"
	}
	find := `
		SELECT ` + bookingRowColumns + ` FROM bookings
		WHERE ` + column + ` = $4 AND cancelled_at ` + state + ` AND (booked_at, id) ` + order + ` LIMIT $3`
	rows, err := page(ctx, c, request, scanBookingRow, persistence.BookingCursor, find, of)
	if err != nil {
		return booked, err
	}
	booked.Next = rows.Next
	booked.Items, err = withTrains(ctx, c, rows.Items)
	return booked, err
}

// withTrains returns bookings with their trains in the same order. It needs the snapshot of the bookings:
// in a later one, a train may have fewer stops. OFFSET keeps the subquery a subquery, as in LoadTrains.
func withTrains(ctx context.Context, c *conn, rows []persistence.BookingRow) ([]booking.BookedTrain, error) {
	const (
		present = `SELECT ` + trainColumns + ` FROM trains WHERE id = ANY ($1::uuid[])`
		former  = `
			SELECT t.* FROM unnest($1::uuid[], $2::bigint[]) AS r (id, revision) CROSS JOIN LATERAL (
				SELECT ` + formerTrainColumns + `, revision FROM former_trains
				WHERE train_id = r.id AND revision = r.revision OFFSET 0) AS t`
	)
	trains := map[persistence.TrainVersion]*booking.Train{}
	var presentIDs, formerIDs [][16]byte
	var revisions []int64
	for i := range rows {
		version := rows[i].TrainVersion()
		if _, added := trains[version]; added {
			continue
		}
		trains[version] = nil
		if version.Revision == 0 {
			presentIDs = append(presentIDs, id(version.ID))
		} else {
			formerIDs, revisions = append(formerIDs, id(version.ID)), append(revisions, version.Revision)
		}
	}
	if len(presentIDs) > 0 {
		found, err := all(ctx, c, new(trainScanner).scan, present, presentIDs)
		if err != nil {
			return nil, err
		}
		for i := range found {
			trains[persistence.TrainVersion{ID: found[i].ID}] = &found[i]
		}
	}
	if len(formerIDs) > 0 {
		found, err := all(ctx, c, new(trainScanner).scanFormer, former, formerIDs, revisions)
		if err != nil {
			return nil, err
		}
		for i := range found {
			trains[persistence.TrainVersion{ID: found[i].ID, Revision: found[i].Revision}] = &found[i].Train
		}
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

func (s *trainScanner) scanFormer(r row) (t persistence.FormerTrain, err error) {
	err = s.scanAnd(r, &t.Train, &t.Revision)
	return t, err
}

// scanBookingAnd scans bookingColumns, and more columns after them.
func scanBookingAnd(r row, b *booking.Booking, more ...any) error {
	var (
		set       int64
		cancelled *time.Time
		by        *booking.Canceller
	)
	columns := []any{
		(*[16]byte)(&b.ID), (*[16]byte)(&b.Train), (*[16]byte)(&b.User), &set, &b.Seats, &b.BookedAt, &cancelled, &by,
	}
	err := r.Scan(append(columns, more...)...)
	b.Legs, b.BookedAt, b.CancelledAt = persistence.DecodeLegs(set), fromTime(b.BookedAt), fromOptional(cancelled)
	if by != nil {
		b.CancelledBy = *by
	}
	return err
}
