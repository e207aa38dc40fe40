package sqlite

import (
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// none sorts before every id.
var none = []byte{}

// users exports the deleted users first: another user may have the name of one by now, which is
// unique in the target too.
func (e export) users() error {
	const (
		deleted = `SELECT ` + userColumns + ` FROM users WHERE deleted_at IS NOT NULL AND id > ? ORDER BY id LIMIT ?`
		present = `SELECT ` + userColumns + ` FROM users WHERE deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?`
	)
	for _, find := range []string{deleted, present} {
		err := exportTable(e, persistence.TableUsers, scanUser,
			func(items []booking.User) persistence.Rows { return persistence.Rows{Users: items} },
			func(u booking.User) []any { return []any{u.ID[:]} }, find, none)
		if err != nil {
			return err
		}
	}
	return nil
}

func (e export) schedules() error {
	const find = `SELECT ` + scheduleColumns + ` FROM schedules WHERE id > ? ORDER BY id LIMIT ?`
	return exportTable(e, persistence.TableSchedules, scanSchedule,
		func(items []persistence.StoredSchedule) persistence.Rows { return persistence.Rows{Schedules: items} },
		func(s persistence.StoredSchedule) []any { return []any{s.ID[:]} }, find, none)
}

func (e export) formerSchedules() error {
	const find = `
		SELECT ` + formerColumns + ` FROM former_schedules
		WHERE (schedule_id, defined) > (?, ?) ORDER BY schedule_id, defined LIMIT ?`
	return exportTable(e, persistence.TableFormerSchedules, scanFormerSchedule,
		func(items []persistence.FormerSchedule) persistence.Rows {
			return persistence.Rows{FormerSchedules: items}
		},
		func(f persistence.FormerSchedule) []any { return []any{f.ID[:], f.Defined} }, find, none, 0)
}

func (e export) trains() error {
	const find = `
		SELECT ` + trainColumns + `, epoch, deleted_at FROM trains
		WHERE id > ? ORDER BY id LIMIT ?`
	return exportTable(e, persistence.TableTrains, scanTrainRow,
		func(items []persistence.TrainRow) persistence.Rows { return persistence.Rows{Trains: items} },
		func(t persistence.TrainRow) []any { return []any{t.ID[:]} }, find, none)
}

func (e export) formerTrains() error {
	const find = `
		SELECT ` + formerTrainColumns + `, revision FROM former_trains
		WHERE (train_id, revision) > (?, ?) ORDER BY train_id, revision LIMIT ?`
	var scanner trainScanner
	scan := func(r row) (t persistence.FormerTrain, err error) {
		err = scanner.scanAnd(r, &t.Train, &t.Revision)
		return t, err
	}
	return exportTable(e, persistence.TableFormerTrains, scan,
		func(items []persistence.FormerTrain) persistence.Rows { return persistence.Rows{FormerTrains: items} },
		func(t persistence.FormerTrain) []any { return []any{t.ID[:], t.Revision} }, find, none, 0)
}

func (e export) seats() error {
	const find = `
		SELECT train_id, seat_number, legs FROM seats
		WHERE (train_id, seat_number) > (?, ?) ORDER BY train_id, seat_number LIMIT ?`
	return exportTable(e, persistence.TableSeats, scanSeatRow,
		func(items []persistence.SeatRow) persistence.Rows { return persistence.Rows{Seats: items} },
		func(s persistence.SeatRow) []any { return []any{s.Train[:], s.Number} }, find, none, 0)
}

func (e export) bookings() error {
	const find = `
		SELECT ` + bookingRowColumns + ` FROM bookings
		WHERE id > ? ORDER BY id LIMIT ?`
	return exportTable(e, persistence.TableBookings, scanBookingRow,
		func(items []persistence.BookingRow) persistence.Rows { return persistence.Rows{Bookings: items} },
		func(b persistence.BookingRow) []any { return []any{b.ID[:]} }, find, none)
}

// replies omits those that have expired at now. No attempt is in flight.
func (e export) replies(now time.Time) error {
	const find = `
		SELECT request_hash, status, location, body, expires_at, NULL, NULL, user_id, key FROM idempotency_keys
		WHERE expires_at > ? AND (user_id, key) > (?, ?) ORDER BY user_id, key LIMIT ?`
	return exportTable(e, persistence.TableReplies, scanReplyRow,
		func(items []persistence.ReplyRow) persistence.Rows { return persistence.Rows{Replies: items} },
		func(r persistence.ReplyRow) []any { return []any{micros(now), r.User[:], r.Key} },
		find, micros(now), none, "")
}

// rowWith is a row with additional columns, which are scanned into more.
type rowWith struct {
	row
	more []any
}

func (r rowWith) Scan(dest ...any) error { return r.row.Scan(append(dest, r.more...)...) }

func scanTrainRow(r row) (t persistence.TrainRow, err error) {
	var deleted *int64
	t.Train, err = new(trainScanner).scan(rowWith{r, []any{&t.Epoch, &deleted}})
	t.DeletedAt = fromOptional(deleted)
	return t, err
}

func scanSeatRow(r row) (s persistence.SeatRow, err error) {
	var set int64
	err = r.Scan(trainID(&s.Train), &s.Number, &set)
	s.Legs = persistence.DecodeLegs(set)
	return s, err
}

func scanReplyRow(r row) (reply persistence.ReplyRow, err error) {
	reply.Reservation, err = scanReservation(rowWith{r, []any{&reply.User, &reply.Key}})
	return reply, err
}
