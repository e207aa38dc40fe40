package postgres

import (
	"context"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	scheduleColumns = `id, created_at, updated_at, definition, revision, defined, cancelled, deleted_at, deletion`
	formerColumns   = `schedule_id, created_at, updated_at, definition, defined, deleted`
)

// The parts of a statement that changes the definition of a schedule, or deletes it. The part named s is
// its locked row, and checked has the result. A sale, or the adoption of a departure, waits for no lock.
const (
	lockSchedule = `
		WITH s AS MATERIALIZED (SELECT * FROM schedules WHERE id = $1 FOR NO KEY UPDATE),`
	// checkRevision compares the revision, the parameter $2. It is null if the schedule has it.
	checkRevision = `CASE WHEN deleted_at IS NOT NULL THEN 'not_found' WHEN revision <> $2 THEN 'stale' END`
	keepSchedule  = `
		kept AS (
			INSERT INTO former_schedules (` + formerColumns + `)
			SELECT id, created_at, updated_at, definition, defined, deleted_at IS NOT NULL FROM s
			WHERE (SELECT result FROM checked) = 'done'),
		next AS (` + nextRevision + `)`
)

// CreateSchedule implements persistence.Schedules. It looks for trains without a schedule after it has the
// row of the catalogue, see CreateTrain. A schedule that somebody else has created and deleted since the
// snapshot of the statement is left alone, since its definition is not kept.
func (db *DB) CreateSchedule(ctx context.Context, schedule booking.Schedule) error {
	const (
		create = lockSchedule + `
			checked AS MATERIALIZED (
				SELECT CASE WHEN EXISTS (SELECT 1 FROM s WHERE deleted_at IS NULL) THEN 'exists' ELSE 'done' END AS result),` +
			keepSchedule + `,
			created AS (
				INSERT INTO schedules (id, definition, created_at, updated_at, retires_at, revision, defined)
				SELECT $1, $2, $3, $4, $5, revision, revision FROM next
				ON CONFLICT (id) DO UPDATE SET
					definition = excluded.definition, created_at = excluded.created_at, updated_at = excluded.updated_at,
					retires_at = excluded.retires_at, revision = excluded.revision, defined = excluded.defined,
					cancelled = excluded.cancelled, deleted_at = NULL, deletion = NULL
				WHERE schedules.defined = (SELECT defined FROM s)
				RETURNING 1)
			SELECT CASE WHEN EXISTS (SELECT 1 FROM created) THEN 'done' ELSE 'exists' END`
		look = `
			SELECT 1 / (CASE WHEN EXISTS (
				SELECT 1 FROM trains WHERE id > $1 AND id <= $2 AND follows = 0 AND ` + notDeleted + `) THEN 0 ELSE 1 END)`
	)
	definition, err := persistence.EncodeSchedule(&schedule)
	if err != nil {
		return wrap("create schedule", err)
	}
	above, upTo := persistence.DepartureBounds(schedule.ID)
	return db.write(ctx, "create schedule", func(ctx context.Context, c *conn) error {
		return c.writeAndLook(ctx, persistence.ErrConflict,
			statement{create, []any{
				id(schedule.ID), definition, schedule.CreatedAt, schedule.UpdatedAt, persistence.EncodeScheduleRetirement(&schedule),
			}},
			statement{look, []any{id(above), id(upTo)}})
	})
}

// ChangeSchedule implements persistence.Schedules. Its lock waits for adoptions that create departures as
// the schedule was, and lets no later one do so.
func (db *DB) ChangeSchedule(ctx context.Context, revision int64, schedule booking.Schedule) error {
	const change = lockSchedule + `
		checked AS MATERIALIZED (SELECT coalesce(` + checkRevision + `, 'done') AS result FROM s),` + keepSchedule + `,
		changed AS (
			UPDATE schedules SET definition = $3, updated_at = $4, retires_at = $5,
				revision = (SELECT revision FROM next), defined = (SELECT revision FROM next)
			WHERE id = $1 AND (SELECT result FROM checked) = 'done')
		SELECT result FROM checked`
	definition, err := persistence.EncodeSchedule(&schedule)
	if err != nil {
		return wrap("change schedule", err)
	}
	return db.writeResult(ctx, "change schedule", change, id(schedule.ID), revision, definition, schedule.UpdatedAt,
		persistence.EncodeScheduleRetirement(&schedule))
}

// DeleteSchedule implements persistence.Schedules.
func (db *DB) DeleteSchedule(
	ctx context.Context, revision int64, scheduleID booking.ScheduleID, deletion persistence.ScheduleDeletion,
) error {
	const remove = lockSchedule + `
		checked AS MATERIALIZED (
			SELECT coalesce(` + checkRevision + `, CASE
				WHEN $4::int = $5 AND (SELECT ` + bookedOf + ` FROM (SELECT $1 AS id, $6::uuid AS up_to, $3::timestamptz AS retire) AS r) > 0
				THEN 'conflict' ELSE 'done' END) AS result
			FROM s),` + keepSchedule + `,
		marked AS (
			UPDATE schedules SET deleted_at = $3, deletion = $4,
				revision = (SELECT revision FROM next), defined = (SELECT revision FROM next)
			WHERE id = $1 AND (SELECT result FROM checked) = 'done')
		SELECT result FROM checked`
	_, upTo := persistence.DepartureBounds(scheduleID)
	return db.writeResult(ctx, "delete schedule", remove, id(scheduleID), revision, deletion.At, int(deletion.Mode),
		int(booking.RefuseBooked), id(upTo))
}

// bookedOf counts the departures of a schedule r with live bookings. OFFSET keeps the subquery a subquery, as
// in LoadTrains, and its order that of the index with only the live ones.
const bookedOf = `(
	SELECT count(*) FROM trains t
	WHERE t.id > r.id AND t.id <= r.up_to AND t.retires_at > r.retire AND CASE WHEN t.deleted_at IS NULL THEN true END
		AND EXISTS (SELECT 1 FROM bookings WHERE train_id = t.id AND cancelled_at IS NULL ORDER BY booked_at OFFSET 0))`

// writeResult runs a statement that returns a result, or no row if there is no such schedule.
func (db *DB) writeResult(ctx context.Context, operation, text string, args ...any) error {
	return db.write(ctx, operation, func(ctx context.Context, c *conn) error {
		result, err := first(ctx, c, scalar[string], text, args...)
		if err != nil {
			return err
		}
		return resultError(result)
	})
}

// FindSchedule implements persistence.Schedules.
func (db *DB) FindSchedule(
	ctx context.Context, scheduleID booking.ScheduleID,
) (schedule persistence.StoredSchedule, err error) {
	const find = `SELECT ` + scheduleColumns + ` FROM schedules WHERE id = $1`
	err = db.read(ctx, "find schedule", func(ctx context.Context, c *conn) error {
		schedule, err = first(ctx, c, scanSchedule, find, id(scheduleID))
		return err
	})
	return schedule, err
}

// FormerSchedule implements persistence.Schedules.
func (db *DB) FormerSchedule(
	ctx context.Context, scheduleID booking.ScheduleID, defined int64,
) (schedule booking.Schedule, err error) {
	const find = `
		SELECT ` + formerColumns + ` FROM former_schedules WHERE schedule_id = $1 AND defined = $2
		UNION ALL
		SELECT id, created_at, updated_at, definition, defined, deleted_at IS NOT NULL FROM schedules
		WHERE id = $1 AND defined = $2`
	err = db.read(ctx, "former schedule", func(ctx context.Context, c *conn) error {
		former, err := first(ctx, c, scanFormerSchedule, find, id(scheduleID), defined)
		schedule = former.AsItRan()
		return err
	})
	return schedule, err
}

// ListSchedules implements persistence.Schedules.
func (db *DB) ListSchedules(
	ctx context.Context, retire time.Time, after booking.ScheduleID, limit int,
) (schedules []persistence.StoredSchedule, err error) {
	const list = `SELECT ` + scheduleColumns + ` FROM schedules WHERE id > $1 AND retires_at > $2 ORDER BY id LIMIT $3`
	err = db.read(ctx, "list schedules", func(ctx context.Context, c *conn) error {
		schedules, err = all(ctx, c, scanSchedule, list, id(after), retire, limit)
		return err
	})
	return schedules, err
}

// ChangedSchedules implements persistence.Schedules.
func (db *DB) ChangedSchedules(
	ctx context.Context, after int64, limit int,
) (schedules []persistence.StoredSchedule, err error) {
	const find = `SELECT ` + scheduleColumns + ` FROM schedules WHERE revision > $1 ORDER BY revision LIMIT $2`
	err = db.read(ctx, "changed schedules", func(ctx context.Context, c *conn) error {
		schedules, err = all(ctx, c, scanSchedule, find, after, limit)
		return err
	})
	return schedules, err
}

// BookedDepartures implements persistence.Schedules.
func (db *DB) BookedDepartures(
	ctx context.Context, schedules []booking.ScheduleID, retire time.Time,
) (booked []int, err error) {
	const count = `
		SELECT ` + bookedOf + ` FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS u (id, up_to, n),
			LATERAL (SELECT u.id, u.up_to, $3::timestamptz AS retire) AS r
		ORDER BY n`
	last := column(schedules, func(schedule booking.ScheduleID) [16]byte {
		_, upTo := persistence.DepartureBounds(schedule)
		return id(upTo)
	})
	err = db.read(ctx, "booked departures", func(ctx context.Context, c *conn) error {
		booked, err = all(ctx, c, scalar[int], count, column(schedules, id), last, retire)
		return err
	})
	return booked, err
}

func scanSchedule(r row) (s persistence.StoredSchedule, err error) {
	var (
		cancelled []int32
		deleted   *time.Time
		deletion  *int
	)
	s.Schedule, err = scanDefinition(r, &s.Revision, &s.Defined, &cancelled, &deleted, &deletion)
	if deleted != nil && deletion != nil {
		s.Deletion = &persistence.ScheduleDeletion{At: fromTime(*deleted), Mode: booking.ScheduleDeletion(*deletion)}
	}
	s.Cancelled = persistence.DecodeDates(cancelled)
	return s, err
}

func scanFormerSchedule(r row) (f persistence.FormerSchedule, err error) {
	f.Schedule, err = scanDefinition(r, &f.Defined, &f.Deleted)
	return f, err
}

// scanDefinition scans a schedule, and more columns after it.
func scanDefinition(r row, more ...any) (booking.Schedule, error) {
	var (
		scheduleID       booking.ScheduleID
		created, updated time.Time
		definition       string
	)
	columns := []any{(*[16]byte)(&scheduleID), &created, &updated, &definition}
	if err := r.Scan(append(columns, more...)...); err != nil {
		return booking.Schedule{}, err
	}
	s, err := persistence.DecodeSchedule(definition)
	s.ID, s.CreatedAt, s.UpdatedAt = scheduleID, fromTime(created), fromTime(updated)
	return s, err
}
