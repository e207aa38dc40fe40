package postgres

import (
	"context"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// departureOf returns the id and the date of the schedule that a train is a departure of, if there is one:
// null if the train can have none.
func departureOf(train booking.TrainID) (schedule *[16]byte, date *int32) {
	of, day, ok := train.Schedule()
	if !ok {
		return nil, nil
	}
	return (*[16]byte)(&of), (*int32)(&day)
}

// createDepartures creates the trains of adoptions, each if its schedule has the revision of the departure
// when its row is locked. So a change of the schedule that commits before that is seen, and one that
// commits later sees the train. The result of a train that is not deleted is errStored.
//
// No row of a train or a schedule is waited for. With the row of the catalogue, nobody else inserts a
// train; of a train that somebody else has inserted since the snapshot of the statement, or restored, the
// epoch differs or it is not deleted.
//
// The lookups are by arrays of ids, or scalar subqueries, as in the other statements for many trains.
func (db *DB) createDepartures(ctx context.Context, activations []persistence.Adoption) (results []error, err error) {
	const create = `
		WITH req AS MATERIALIZED (
			SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bool[], $5::timestamptz[], $6::timestamptz[],
					$7::text[], $8::timestamptz[], $9::bigint[], $10::timestamptz[], $11::bigint[], $12::uuid[],
					$13::uuid[], $14::bigint[], $15::timestamptz[])
				WITH ORDINALITY AS r (` + trainColumns + `,
					retires_at, epoch, owner, schedule_id, schedule_revision, restored_at, n)),
		present AS MATERIALIZED (
			SELECT id, epoch, deleted_at IS NULL AS live FROM trains WHERE id = ANY ($1)),
		locked AS MATERIALIZED (
			SELECT id FROM trains WHERE id = ANY ($1) AND deleted_at IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED),
		s AS MATERIALIZED (
			SELECT id, revision FROM schedules
			WHERE id = ANY ($13) AND deleted_at IS NULL AND (SELECT count(*) FROM locked) >= 0 FOR SHARE SKIP LOCKED),
		checked AS MATERIALIZED (
			SELECT r.*, p.id IS NOT NULL AS deleted, CASE
				WHEN p.live THEN 'stored'
				WHEN coalesce(p.epoch, 0) + 1 <> r.epoch THEN 'fenced'
				WHEN coalesce(s.revision, (SELECT revision FROM schedules WHERE id = r.schedule_id AND deleted_at IS NULL))
					IS DISTINCT FROM r.schedule_revision THEN 'stale'
				WHEN s.id IS NULL OR p.id IS NOT NULL AND p.id NOT IN (SELECT id FROM locked) THEN 'locked'
				ELSE 'done' END AS result
			FROM req r LEFT JOIN present p ON p.id = r.id LEFT JOIN s ON s.id = r.schedule_id),
		creatable AS MATERIALIZED (
			SELECT *, row_number() OVER (ORDER BY n) AS place FROM checked WHERE result = 'done'),
		next AS (
			UPDATE catalogue SET revision = revision + (SELECT count(*) FROM creatable)
			WHERE EXISTS (SELECT 1 FROM creatable) RETURNING revision - (SELECT count(*) FROM creatable) AS before),
		created AS (
			INSERT INTO trains (` + trainColumns + `, retires_at, epoch, owner, revision)
			SELECT id, name, capacity, on_sale, CASE WHEN deleted THEN restored_at ELSE created_at END, updated_at,
				stops::json, sales_open_at, follows, retires_at, epoch, owner, before + place
			FROM creatable, next
			ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch,` + restored + `
			WHERE trains.deleted_at IS NOT NULL AND trains.epoch + 1 = excluded.epoch
			RETURNING id)
		SELECT CASE WHEN result = 'done' AND id NOT IN (SELECT id FROM created) THEN 'locked' ELSE result END
		FROM checked ORDER BY n`
	place := map[booking.TrainID]int{}
	var distinct []persistence.Adoption
	for _, a := range activations {
		if _, twice := place[a.Train]; !twice {
			place[a.Train], distinct = len(distinct), append(distinct, a)
		}
	}
	columns, err := departureColumnsOf(distinct)
	if err != nil {
		return nil, wrap("create departures", err)
	}
	err = db.adopt(ctx, "create departures", func(ctx context.Context, c *conn) error {
		texts, err := all(ctx, c, scalar[string], create, columns...)
		if err != nil {
			return err
		}
		results = make([]error, len(activations))
		seen := map[booking.TrainID]bool{}
		for i, a := range activations {
			results[i] = resultError(texts[place[a.Train]])
			if seen[a.Train] && results[i] != errStored { //nolint:errorlint // it is not wrapped
				results[i] = persistence.ErrFenced // of one train the first is adopted
			}
			seen[a.Train] = true
		}
		return nil
	})
	return results, err
}

// departureColumnsOf returns the parameters of createDepartures. A train without a schedule has the zero id
// for it, which no schedule has.
func departureColumnsOf(activations []persistence.Adoption) ([]any, error) {
	train := func(a persistence.Adoption) booking.Train { return a.Departure.Train }
	columns, err := trainColumnsOf(column(activations, train))
	if err != nil {
		return nil, err
	}
	columns = append(columns, column(activations, func(a persistence.Adoption) time.Time {
		return persistence.EncodeRetirement(&a.Departure.Train)
	}))
	columns = append(columns, guardColumnsOf(activations)[1:]...)
	return append(columns,
		column(activations, func(a persistence.Adoption) [16]byte {
			schedule, _, _ := a.Train.Schedule()
			return id(schedule)
		}),
		column(activations, func(a persistence.Adoption) int64 { return a.Departure.Revision }),
		column(activations, func(a persistence.Adoption) time.Time { return a.Departure.Restored }),
	), nil
}
