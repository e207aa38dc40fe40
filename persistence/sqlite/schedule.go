package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// The columns end with the definition, and then whether the schedule is deleted.
const (
	scheduleColumns = `id, created_at, updated_at, definition, revision, defined, cancelled, deleted_at, deletion`
	formerColumns   = `schedule_id, created_at, updated_at, definition, defined, deleted`
)

const findSchedule = `SELECT ` + scheduleColumns + ` FROM schedules WHERE id = ?`

// CreateSchedule implements persistence.Schedules.
func (db *DB) CreateSchedule(ctx context.Context, schedule booking.Schedule) error {
	return db.write(ctx, "create schedule", func(ctx context.Context, c *conn) error {
		before, err := first(ctx, c, scanSchedule, findSchedule, schedule.ID[:])
		switch {
		case err == nil && before.Deletion == nil:
			return persistence.ErrExists
		case err != nil && !errors.Is(err, persistence.ErrNotFound):
			return err
		}
		above, upTo := persistence.DepartureBounds(schedule.ID)
		taken, err := first(ctx, c, scalar[bool], findOwnTrain, above[:], upTo[:])
		if err != nil {
			return err
		}
		if taken {
			return persistence.ErrConflict
		}
		return define(ctx, c, &schedule, `
			INSERT INTO schedules (id, definition, created_at, updated_at, retires_at, revision, defined)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
			ON CONFLICT (id) DO UPDATE SET
				definition = excluded.definition, created_at = excluded.created_at, updated_at = excluded.updated_at,
				retires_at = excluded.retires_at, revision = excluded.revision, defined = excluded.defined,
				cancelled = '[]', deleted_at = NULL, deletion = NULL`)
	})
}

// findOwnTrain finds a train that has the id of a departure and follows no schedule.
const findOwnTrain = `
	SELECT EXISTS (SELECT 1 FROM trains WHERE id > ? AND id <= ? AND deleted_at IS NULL AND +follows = 0)`

// ChangeSchedule implements persistence.Schedules.
func (db *DB) ChangeSchedule(ctx context.Context, revision int64, schedule booking.Schedule) error {
	return db.write(ctx, "change schedule", func(ctx context.Context, c *conn) error {
		before, err := liveSchedule(ctx, c, schedule.ID, revision)
		if err != nil {
			return err
		}
		schedule.CreatedAt = before.CreatedAt
		return define(ctx, c, &schedule, `
			UPDATE schedules SET definition = ?2, created_at = ?3, updated_at = ?4, retires_at = ?5, revision = ?6, defined = ?6
			WHERE id = ?1`)
	})
}

// liveSchedule returns a schedule that is not deleted and has a revision. Errors: ErrNotFound, ErrStale.
func liveSchedule(
	ctx context.Context, c *conn, id booking.ScheduleID, revision int64,
) (schedule persistence.StoredSchedule, err error) {
	schedule, err = first(ctx, c, scanSchedule, findSchedule, id[:])
	switch {
	case err == nil && schedule.Deletion != nil:
		err = persistence.ErrNotFound
	case err == nil && schedule.Revision != revision:
		err = persistence.ErrStale
	}
	return schedule, err
}

// define gives a schedule a definition at the next revision, and keeps the one before.
func define(ctx context.Context, c *conn, schedule *booking.Schedule, write string) error {
	definition, err := persistence.EncodeSchedule(schedule)
	if err != nil {
		return err
	}
	if _, err := c.exec(ctx, keepSchedule, schedule.ID[:]); err != nil {
		return err
	}
	revision, err := nextRevision(ctx, c)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, write, schedule.ID[:], definition, micros(schedule.CreatedAt), micros(schedule.UpdatedAt),
		micros(persistence.EncodeScheduleRetirement(schedule)), revision)
	return err
}

// keepSchedule keeps a schedule as it is now.
const keepSchedule = `
	INSERT INTO former_schedules (` + formerColumns + `)
	SELECT id, created_at, updated_at, definition, defined, deleted_at IS NOT NULL FROM schedules WHERE id = ?`

// DeleteSchedule implements persistence.Schedules.
func (db *DB) DeleteSchedule(
	ctx context.Context, revision int64, id booking.ScheduleID, deletion persistence.ScheduleDeletion,
) error {
	const mark = `UPDATE schedules SET deleted_at = ?2, deletion = ?3, revision = ?4, defined = ?4 WHERE id = ?1`
	return db.write(ctx, "delete schedule", func(ctx context.Context, c *conn) error {
		if _, err := liveSchedule(ctx, c, id, revision); err != nil {
			return err
		}
		booked, err := bookedDepartures(ctx, c, []booking.ScheduleID{id}, deletion.At)
		if err != nil {
			return err
		}
		if booked[0] > 0 && deletion.Mode == booking.RefuseBooked {
			return persistence.ErrConflict
		}
		if _, err := c.exec(ctx, keepSchedule, id[:]); err != nil {
			return err
		}
		next, err := nextRevision(ctx, c)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, mark, id[:], micros(deletion.At), int(deletion.Mode), next)
		return err
	})
}

// FindSchedule implements persistence.Schedules.
func (db *DB) FindSchedule(ctx context.Context, id booking.ScheduleID) (schedule persistence.StoredSchedule, err error) {
	err = db.read(ctx, "find schedule", func(ctx context.Context, c *conn) error {
		schedule, err = first(ctx, c, scanSchedule, findSchedule, id[:])
		return err
	})
	return schedule, err
}

// findFormerSchedule finds what a schedule was from a revision on, or is.
const findFormerSchedule = `
	SELECT ` + formerColumns + ` FROM former_schedules WHERE schedule_id = ?1 AND defined = ?2
	UNION ALL
	SELECT id, created_at, updated_at, definition, defined, deleted_at IS NOT NULL FROM schedules
	WHERE id = ?1 AND defined = ?2`

// FormerSchedule implements persistence.Schedules.
func (db *DB) FormerSchedule(
	ctx context.Context, id booking.ScheduleID, defined int64,
) (schedule booking.Schedule, err error) {
	err = db.read(ctx, "former schedule", func(ctx context.Context, c *conn) error {
		former, err := first(ctx, c, scanFormerSchedule, findFormerSchedule, id[:], defined)
		schedule = former.AsItRan()
		return err
	})
	return schedule, err
}

// The queries for many schedules.
const (
	listSchedules = `
		SELECT ` + scheduleColumns + ` FROM schedules WHERE id > ? AND retires_at > ? ORDER BY id LIMIT ?`
	changedSchedules = `
		SELECT ` + scheduleColumns + ` FROM schedules WHERE revision > ? ORDER BY revision LIMIT ?`
	// countBooked counts the departures of schedules. They are few among all trains that are not retired, so
	// they are not found by trains_by_retirement.
	countBooked = `
		SELECT (
			SELECT count(*) FROM trains
			WHERE id > unhex(value) AND id <= unhex(substr(value, 1, 24) || 'ffffffff') AND +retires_at > ?2
				AND deleted_at IS NULL
				AND EXISTS (SELECT 1 FROM bookings WHERE train_id = trains.id AND cancelled_at IS NULL))
		FROM json_each(?1) ORDER BY key`
)

// ListSchedules implements persistence.Schedules.
func (db *DB) ListSchedules(
	ctx context.Context, retire time.Time, after booking.ScheduleID, limit int,
) (schedules []persistence.StoredSchedule, err error) {
	err = db.read(ctx, "list schedules", func(ctx context.Context, c *conn) error {
		schedules, err = all(ctx, c, scanSchedule, listSchedules, after[:], micros(retire), limit)
		return err
	})
	return schedules, err
}

// ChangedSchedules implements persistence.Schedules.
func (db *DB) ChangedSchedules(
	ctx context.Context, after int64, limit int,
) (schedules []persistence.StoredSchedule, err error) {
	err = db.read(ctx, "changed schedules", func(ctx context.Context, c *conn) error {
		schedules, err = all(ctx, c, scanSchedule, changedSchedules, after, limit)
		return err
	})
	return schedules, err
}

// BookedDepartures implements persistence.Schedules.
func (db *DB) BookedDepartures(
	ctx context.Context, schedules []booking.ScheduleID, retire time.Time,
) (booked []int, err error) {
	err = db.read(ctx, "booked departures", func(ctx context.Context, c *conn) error {
		booked, err = bookedDepartures(ctx, c, schedules, retire)
		return err
	})
	return booked, err
}

func bookedDepartures(ctx context.Context, c *conn, schedules []booking.ScheduleID, retire time.Time) ([]int, error) {
	list, err := idList(schedules)
	if err != nil {
		return nil, err
	}
	return all(ctx, c, scalar[int], countBooked, list, micros(retire))
}

func scanSchedule(r row) (s persistence.StoredSchedule, err error) {
	var (
		cancelled         string
		deleted, deletion *int64
	)
	s.Schedule, err = scanDefinition(r, &s.Revision, &s.Defined, &cancelled, &deleted, &deletion)
	if err != nil {
		return s, err
	}
	if deleted != nil && deletion != nil {
		s.Deletion = &persistence.ScheduleDeletion{At: fromMicros(*deleted), Mode: booking.ScheduleDeletion(*deletion)}
	}
	days, err := persistence.DecodeList[int32](cancelled)
	s.Cancelled = persistence.DecodeDates(days)
	return s, err
}

func scanFormerSchedule(r row) (f persistence.FormerSchedule, err error) {
	f.Schedule, err = scanDefinition(r, &f.Defined, &f.Deleted)
	return f, err
}

// scanDefinition scans a schedule, and more columns after it.
func scanDefinition(r row, more ...any) (s booking.Schedule, err error) {
	var (
		id               uuid.UUID
		created, updated int64
		definition       string
	)
	if err := r.Scan(append([]any{&id, &created, &updated, &definition}, more...)...); err != nil {
		return s, err
	}
	s, err = persistence.DecodeSchedule(definition)
	s.ID, s.CreatedAt, s.UpdatedAt = booking.ScheduleID(id), fromMicros(created), fromMicros(updated)
	return s, err
}
