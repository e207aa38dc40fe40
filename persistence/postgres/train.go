package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	trainColumns       = `id, name, capacity, on_sale, created_at, updated_at, stops, sales_open_at, follows`
	formerTrainColumns = `train_id, name, capacity, on_sale, created_at, updated_at, stops, sales_open_at, follows`
)

// The results of a guarded statement.
const (
	resultDone     = "done"
	resultFenced   = "fenced"
	resultNotFound = "not_found" // no such train or booking
	resultConflict = "conflict"
	resultLocked   = "locked"   // the row of the train
	resultNotLive  = "not_live" // the old booking of an exchange
	resultExists   = "exists"
	resultStale    = "stale"  // the schedule
	resultStored   = "stored" // the departure to create
)

// guardResult compares a guard, the parameters $1 to $3, with the locked row g of its train.
// It is null if the guard is current. (IS DISTINCT FROM, since a train that was never adopted
// has no owner.)
const guardResult = `CASE
	WHEN g.epoch <> $2 OR g.owner IS DISTINCT FROM $3 THEN 'fenced'
	WHEN g.deleted_at IS NOT NULL THEN 'not_found' END`

// nextRevision increments the revision of the catalogue, whose row it locks until the statement is
// committed, if the statement that it is part of is to be done. afterSchedule is the same when the part
// named s has locked the row of the schedule: rows are locked in the order trains, schedules, catalogue.
const (
	takeRevision  = `UPDATE catalogue SET revision = revision + 1 WHERE (SELECT result FROM checked) = 'done'`
	nextRevision  = takeRevision + ` RETURNING revision`
	afterSchedule = takeRevision + ` AND (SELECT count(*) FROM s) >= 0 RETURNING revision`
)

// notDeleted is the condition on one of many trains that are found by their ids. In this form the planner
// does not see that trains_by_retirement has all such trains, and does not read that index instead.
const notDeleted = `CASE WHEN deleted_at IS NULL THEN true END`

// restored are the columns that a train that is created has from its definition, if there is a deleted
// row.
const restored = `
	deleted_at = NULL, owner = excluded.owner,
	name = excluded.name, capacity = excluded.capacity, on_sale = excluded.on_sale,
	created_at = excluded.created_at, updated_at = excluded.updated_at, stops = excluded.stops,
	sales_open_at = excluded.sales_open_at, follows = excluded.follows, retires_at = excluded.retires_at,
	revision = excluded.revision`

// CreateTrain implements persistence.Trains. A restored train has no owner, so that the activation that
// deleted it is fenced.
//
// CreateSchedule looks for such a train, as this looks for the schedule. Neither sees what is committed
// while it waits for the row of the catalogue, so they look again when they have it.
func (db *DB) CreateTrain(ctx context.Context, train booking.Train) error {
	const (
		create = `
			WITH stored AS MATERIALIZED (
				SELECT deleted_at FROM trains WHERE id = $1 FOR NO KEY UPDATE),
			s AS MATERIALIZED (
				SELECT id, defined, cancelled FROM schedules
				WHERE id = $11 AND deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM stored WHERE deleted_at IS NULL)
				FOR NO KEY UPDATE),
			checked AS MATERIALIZED (
				SELECT CASE
					WHEN EXISTS (SELECT 1 FROM stored WHERE deleted_at IS NULL) THEN 'exists'
					WHEN coalesce((SELECT defined FROM s), 0) <> $9 THEN 'stale' ELSE 'done' END AS result),
			next AS (` + afterSchedule + `),
			created AS (
				INSERT INTO trains (` + trainColumns + `, retires_at, revision)
				SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, revision FROM next
				ON CONFLICT (id) DO UPDATE SET` + restored + ` WHERE trains.deleted_at IS NOT NULL
				RETURNING 1),
			again AS (
				UPDATE schedules SET cancelled = array_remove(cancelled, $12), revision = (SELECT revision FROM next)
				WHERE id = (SELECT id FROM s) AND $12 = ANY (cancelled) AND EXISTS (SELECT 1 FROM created))
			SELECT CASE WHEN result = 'done' AND NOT EXISTS (SELECT 1 FROM created) THEN 'exists' ELSE result END
			FROM checked`
		look = `
			SELECT 1 / (CASE WHEN $2 = 0 AND EXISTS (SELECT 1 FROM schedules WHERE id = $1 AND deleted_at IS NULL)
				THEN 0 ELSE 1 END)`
	)
	stops, err := persistence.EncodeList(train.Stops)
	if err != nil {
		return wrap("create train", err)
	}
	schedule, date := departureOf(train.ID)
	return db.write(ctx, "create train", func(ctx context.Context, c *conn) error {
		return c.writeAndLook(ctx, persistence.ErrStale,
			statement{create, []any{
				id(train.ID), train.Name, train.Capacity, train.OnSale, train.CreatedAt, train.UpdatedAt, stops,
				optional(train.SalesOpenAt), train.Follows, persistence.EncodeRetirement(&train), schedule, date,
			}},
			statement{look, []any{schedule, train.Follows}})
	})
}

// resultsOf returns the result of each train: its value, or ErrNotFound.
func resultsOf[T any](trains []booking.TrainID, find func(booking.TrainID) (T, bool)) []persistence.Result[T] {
	results := make([]persistence.Result[T], len(trains))
	for i, train := range trains {
		value, found := find(train)
		if !found {
			results[i].Err = persistence.ErrNotFound
		}
		results[i].Value = value
	}
	return results
}

// LoadTrains implements persistence.Trains. OFFSET keeps the subquery a subquery, which uses the index
// of the bookings of a train; a join, or ANY, may read another one from its beginning to its end.
func (db *DB) LoadTrains(
	ctx context.Context, trains []booking.TrainID, became []uuid.UUID,
) (results []persistence.Result[persistence.LoadedTrain], err error) {
	const (
		find = `SELECT ` + trainColumns + ` FROM trains WHERE id = ANY ($1::uuid[]) AND ` + notDeleted
		live = `
			SELECT b.* FROM unnest($1::uuid[]) AS r (id) CROSS JOIN LATERAL (
				SELECT ` + bookingColumns + ` FROM bookings WHERE train_id = r.id AND cancelled_at IS NULL OFFSET 0) AS b`
	)
	ids := column(trains, id)
	err = db.snapshotAhead(ctx, "load trains", func(ctx context.Context, c *conn) error {
		loaded := make(map[booking.TrainID]*persistence.LoadedTrain, len(trains))
		var scanner trainScanner
		_, err := all(ctx, c, func(r row) (booking.TrainID, error) {
			train, err := scanner.scan(r)
			loaded[train.ID] = &persistence.LoadedTrain{Train: train}
			return train.ID, err
		}, find, ids)
		if err != nil {
			return err
		}
		bookings, err := all(ctx, c, scanBooking, live, ids)
		if err != nil {
			return err
		}
		for len(bookings) > 0 { // mostly those of one train after another
			train, n := bookings[0].Train, 1
			for n < len(bookings) && bookings[n].Train == train {
				n++
			}
			if l := loaded[train]; l != nil {
				l.Bookings = append(l.Bookings, bookings[:n]...)
			}
			bookings = bookings[n:]
		}
		if err := addCancelled(ctx, c, loaded, became); err != nil {
			return err
		}
		seats, err := seatsOf(ctx, c, trains)
		if err != nil {
			return err
		}
		for i, train := range trains {
			if l := loaded[train]; l != nil {
				l.Seats = seats[i]
			}
		}
		results = resultsOf(trains, func(train booking.TrainID) (persistence.LoadedTrain, bool) {
			if l := loaded[train]; l != nil {
				return *l, true
			}
			return persistence.LoadedTrain{}, false
		})
		return nil
	})
	return results, err
}

// addCancelled adds those of the ids whose booking was cancelled to their trains. The query has no
// condition on cancelled_at: while few bookings were cancelled, the plan would read all of them, and
// a session would keep it when there are many.
func addCancelled(
	ctx context.Context, c *conn, loaded map[booking.TrainID]*persistence.LoadedTrain, ids []uuid.UUID,
) error {
	const find = `SELECT ` + bookingColumns + ` FROM bookings WHERE id = ANY ($1::uuid[])`
	if len(ids) == 0 {
		return nil
	}
	bookings, err := all(ctx, c, scanBooking, find, column(ids, id))
	for _, b := range bookings {
		if l := loaded[b.Train]; l != nil && !b.CancelledAt.IsZero() {
			l.Cancelled = append(l.Cancelled, b.ID)
		}
	}
	return err
}

// ChangeTrain implements persistence.Trains. The caller must have no sale of the train in
// flight: it would not see one that commits while it waits for the lock.
func (db *DB) ChangeTrain(ctx context.Context, guard persistence.Guard, train booking.Train) error {
	const change = `
		WITH g AS MATERIALIZED (
			SELECT epoch, owner, deleted_at FROM trains WHERE id = $1 FOR NO KEY UPDATE NOWAIT),
		checked AS MATERIALIZED (
			SELECT coalesce(` + guardResult + `, CASE
				WHEN EXISTS (SELECT 1 FROM seats WHERE train_id = $1 AND seat_number > $5 AND legs <> 0)
				THEN 'conflict' ELSE 'done' END) AS result
			FROM g),
		next AS (` + nextRevision + `),
		changed AS (
			UPDATE trains SET name = $4, capacity = $5, on_sale = $6, updated_at = $7, stops = $8, sales_open_at = $9,
				follows = $10, retires_at = $11, revision = (SELECT revision FROM next)
			WHERE id = $1 AND (SELECT result FROM checked) = 'done')
		SELECT result FROM checked`
	stops, err := persistence.EncodeList(train.Stops)
	if err != nil {
		return wrap("change train", err)
	}
	return db.guarded(ctx, "change train", change, guard,
		train.Name, train.Capacity, train.OnSale, train.UpdatedAt, stops, optional(train.SalesOpenAt),
		train.Follows, persistence.EncodeRetirement(&train))
}

// DeleteTrain implements persistence.Trains. The caller must have no sale of the train in
// flight, as for ChangeTrain.
func (db *DB) DeleteTrain(ctx context.Context, guard persistence.Guard, deletion persistence.Deletion) error {
	const remove = `
		WITH g AS MATERIALIZED (
			SELECT ` + trainColumns + `, revision, epoch, owner, deleted_at FROM trains WHERE id = $1 FOR NO KEY UPDATE NOWAIT),
		checked AS MATERIALIZED (
			SELECT coalesce(` + guardResult + `, CASE
				WHEN NOT $5 AND EXISTS (SELECT 1 FROM bookings WHERE train_id = $1 AND cancelled_at IS NULL)
				THEN 'conflict' ELSE 'done' END) AS result
			FROM g),
		cancelled AS (
			UPDATE bookings SET cancelled_at = $4, cancelled_by = $6, train_revision = (SELECT revision FROM g)
			WHERE train_id = $1 AND cancelled_at IS NULL AND (SELECT result FROM checked) = 'done'
			RETURNING 1),
		kept AS (` + keepTrain + `),
		emptied AS (
			DELETE FROM seats WHERE train_id = $1 AND (SELECT result FROM checked) = 'done'),
		s AS MATERIALIZED (
			SELECT id FROM schedules
			WHERE id = $7 AND deleted_at IS NULL AND (SELECT result FROM checked) = 'done' FOR NO KEY UPDATE),
		next AS (` + afterSchedule + `),
		marked AS (
			UPDATE trains SET deleted_at = $4, revision = (SELECT revision FROM next)
			WHERE id = $1 AND (SELECT result FROM checked) = 'done'),
		dated AS (
			UPDATE schedules SET
				cancelled = ARRAY(SELECT DISTINCT date FROM unnest(cancelled || $8::int) AS date ORDER BY date),
				revision = (SELECT revision FROM next)
			WHERE id = (SELECT id FROM s))
		SELECT result FROM checked`
	schedule, date := departureOf(guard.Train)
	if !deletion.Cancels {
		schedule = nil
	}
	return db.guarded(ctx, "delete train", remove, guard, deletion.At, deletion.Force, booking.ByTrain, schedule, date)
}

// guarded runs a statement that checks a guard, its parameters $1 to $3, and returns a result,
// or no row if the train never existed. It does not wait if somebody else has locked the train, so
// that the connection is free for the other trains.
func (db *DB) guarded(ctx context.Context, operation, text string, guard persistence.Guard, args ...any) error {
	args = append([]any{id(guard.Train), guard.Epoch, id(guard.Owner)}, args...)
	return db.change(ctx, operation, func(ctx context.Context, c *conn) error {
		result, err := first(ctx, c, scalar[string], text, args...)
		if err != nil {
			return err
		}
		return resultError(result)
	})
}

// resultError returns the error for a result.
func resultError(result string) error {
	switch result {
	case resultDone:
		return nil
	case resultFenced:
		return persistence.ErrFenced
	case resultNotFound:
		return persistence.ErrNotFound
	case resultConflict:
		return persistence.ErrConflict
	case resultLocked:
		return persistence.ErrLocked
	case resultNotLive:
		return persistence.ErrNotLive
	case resultExists:
		return persistence.ErrExists
	case resultStale:
		return persistence.ErrStale
	case resultStored:
		return errStored
	}
	return fmt.Errorf("%w: result %q", persistence.ErrUnknown, result)
}

// trainScanner scans the rows of one query for trains, which share what is equal.
type trainScanner struct{ stops persistence.StopsDecoder }

func (s *trainScanner) scan(r row) (t booking.Train, err error) {
	err = s.scanAnd(r, &t)
	return t, err
}

// scanAnd scans the columns of a train, and more columns after them.
func (s *trainScanner) scanAnd(r row, t *booking.Train, more ...any) (err error) {
	var stops string
	var opens *time.Time
	columns := []any{(*[16]byte)(&t.ID), &t.Name, &t.Capacity, &t.OnSale, &t.CreatedAt, &t.UpdatedAt, &stops, &opens, &t.Follows}
	if err := r.Scan(append(columns, more...)...); err != nil {
		return err
	}
	t.CreatedAt, t.UpdatedAt, t.SalesOpenAt = fromTime(t.CreatedAt), fromTime(t.UpdatedAt), fromOptional(opens)
	t.Stops, err = s.stops.Decode(stops)
	return err
}
