package postgres

import (
	"context"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// importSchedules keeps the revisions at which schedules were defined, since their departures and the
// former schedules refer to them. The catalogue goes on after them, so that none is given again.
func importSchedules(ctx context.Context, c *conn, rows persistence.Rows) error {
	const upsert = `
		WITH next AS (
			UPDATE catalogue SET
				revision = greatest(revision, (SELECT max(defined) FROM unnest($6::bigint[]) AS r (defined))) + cardinality($1::uuid[])
			RETURNING revision)
		INSERT INTO schedules AS stored
			(id, created_at, updated_at, definition, retires_at, defined, cancelled, deleted_at, deletion, revision)
		SELECT id, created_at, updated_at, definition::json, retires_at, defined, cancelled::int[], deleted_at, deletion,
			(SELECT revision FROM next) - cardinality($1) + n
		FROM unnest($1, $2::timestamptz[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6, $7::text[], $8::timestamptz[],
				$9::int[]) WITH ORDINALITY
			AS r (id, created_at, updated_at, definition, retires_at, defined, cancelled, deleted_at, deletion, n)
		ON CONFLICT (id) DO UPDATE SET
			created_at = excluded.created_at, updated_at = excluded.updated_at, definition = excluded.definition,
			retires_at = excluded.retires_at, defined = excluded.defined, cancelled = excluded.cancelled,
			deleted_at = excluded.deleted_at, deletion = excluded.deletion, revision = excluded.revision
		WHERE (stored.created_at, stored.updated_at, stored.definition::text, stored.defined, stored.cancelled,
				stored.deleted_at, stored.deletion)
			IS DISTINCT FROM (excluded.created_at, excluded.updated_at, excluded.definition::text, excluded.defined,
				excluded.cancelled, excluded.deleted_at, excluded.deletion)`
	all := rows.Schedules
	columns, err := scheduleColumnsOf(column(all, func(s persistence.StoredSchedule) booking.Schedule { return s.Schedule }))
	if err != nil {
		return err
	}
	deleted, deletions := make([]*time.Time, len(all)), make([]*int, len(all))
	for i := range all {
		if deletion := all[i].Deletion; deletion != nil {
			deleted[i], deletions[i] = &deletion.At, new(int(deletion.Mode))
		}
	}
	return importInto(ctx, c, upsert, len(all), append(columns,
		column(all, func(s persistence.StoredSchedule) time.Time { return persistence.EncodeScheduleRetirement(&s.Schedule) }),
		column(all, func(s persistence.StoredSchedule) int64 { return s.Defined }),
		column(all, func(s persistence.StoredSchedule) string { return array(persistence.EncodeDates(s.Cancelled)) }),
		deleted, deletions)...)
}

// importFormerSchedules skips those that are there, since they never change.
func importFormerSchedules(ctx context.Context, c *conn, rows persistence.Rows) error {
	const insert = `
		INSERT INTO former_schedules (` + formerColumns + `)
		SELECT schedule_id, created_at, updated_at, definition::json, defined, deleted
		FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bool[])
			AS r (` + formerColumns + `)
		ON CONFLICT DO NOTHING`
	all := rows.FormerSchedules
	columns, err := scheduleColumnsOf(column(all, func(f persistence.FormerSchedule) booking.Schedule { return f.Schedule }))
	if err != nil {
		return err
	}
	return importInto(ctx, c, insert, len(all), append(columns,
		column(all, func(f persistence.FormerSchedule) int64 { return f.Defined }),
		column(all, func(f persistence.FormerSchedule) bool { return f.Deleted }))...)
}

// scheduleColumnsOf returns the ids, the times of creation and change, and the definitions.
func scheduleColumnsOf(schedules []booking.Schedule) ([]any, error) {
	definitions := make([]string, len(schedules))
	for i := range schedules {
		var err error
		if definitions[i], err = persistence.EncodeSchedule(&schedules[i]); err != nil {
			return nil, err
		}
	}
	return []any{
		column(schedules, func(s booking.Schedule) [16]byte { return id(s.ID) }),
		column(schedules, func(s booking.Schedule) time.Time { return s.CreatedAt }),
		column(schedules, func(s booking.Schedule) time.Time { return s.UpdatedAt }),
		definitions,
	}, nil
}
