package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const trainColumns = `id, name, capacity, on_sale, created_at, updated_at, stops`

// The results of a guarded statement.
const (
	resultDone     = "done"
	resultFenced   = "fenced"
	resultNotFound = "not_found" // no such train or booking
	resultConflict = "conflict"
	resultLocked   = "locked" // the row of the train
)

// guardResult compares a guard, the parameters $1 to $3, with the locked row g of its train.
// It is null if the guard is current. (IS DISTINCT FROM, since a train that was never adopted
// has no owner.)
const guardResult = `CASE
	WHEN g.epoch <> $2 OR g.owner IS DISTINCT FROM $3 THEN 'fenced'
	WHEN g.deleted_at IS NOT NULL THEN 'not_found' END`

// nextRevision increments the revision of the catalogue, whose row it locks until the statement is
// committed, if the guarded statement that it is part of is to be done.
const nextRevision = `
	UPDATE catalogue SET revision = revision + 1 WHERE (SELECT result FROM checked) = 'done' RETURNING revision`

// CreateTrain implements persistence.Trains. A restored train has no owner, so that the
// activation that deleted it is fenced. A row of the train is locked before that of the catalogue,
// as in every other statement.
func (db *DB) CreateTrain(ctx context.Context, train booking.Train) error {
	const create = `
		WITH stored AS MATERIALIZED (
			SELECT deleted_at FROM trains WHERE id = $1 FOR NO KEY UPDATE),
		next AS (
			UPDATE catalogue SET revision = revision + 1
			WHERE NOT EXISTS (SELECT 1 FROM stored WHERE deleted_at IS NULL) RETURNING revision)
		INSERT INTO trains (` + trainColumns + `, retires_at, revision)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, revision FROM next
		ON CONFLICT (id) DO UPDATE SET
			owner = NULL, deleted_at = NULL,
			name = excluded.name, capacity = excluded.capacity, on_sale = excluded.on_sale,
			created_at = excluded.created_at, updated_at = excluded.updated_at, stops = excluded.stops,
			retires_at = excluded.retires_at, revision = excluded.revision
		WHERE trains.deleted_at IS NOT NULL`
	stops, err := persistence.EncodeList(train.Stops)
	if err != nil {
		return wrap("create train", err)
	}
	return db.write(ctx, "create train", func(ctx context.Context, c *conn) error {
		created, err := c.exec(ctx, create, id(train.ID), train.Name, train.Capacity, train.OnSale,
			train.CreatedAt, train.UpdatedAt, stops, persistence.EncodeRetirement(&train))
		if err == nil && created == 0 {
			return persistence.ErrExists
		}
		return err
	})
}

// Epoch implements persistence.Trains.
func (db *DB) Epoch(ctx context.Context, train booking.TrainID) (epoch int64, err error) {
	const find = `SELECT epoch FROM trains WHERE id = $1 AND deleted_at IS NULL`
	err = db.readAhead(ctx, "epoch", func(ctx context.Context, c *conn) (err error) {
		epoch, err = first(ctx, c, scalar[int64], find, id(train))
		return err
	})
	return epoch, err
}

// Adopt implements persistence.Trains. The update waits for the sales in flight, which have a
// shared lock on the train.
func (db *DB) Adopt(ctx context.Context, train booking.TrainID, old int64, owner uuid.UUID) (epoch int64, err error) {
	const adopt = `
		WITH adopted AS (
			UPDATE trains SET epoch = epoch + 1, owner = $3
			WHERE id = $1 AND epoch = $2 AND deleted_at IS NULL RETURNING epoch)
		SELECT (SELECT epoch FROM adopted) FROM trains WHERE id = $1 AND deleted_at IS NULL`
	err = db.adopt(ctx, "adopt", func(ctx context.Context, c *conn) error {
		adopted, err := first(ctx, c, scalar[*int64], adopt, id(train), old, id(owner))
		switch {
		case err != nil:
			return err
		case adopted == nil:
			return persistence.ErrFenced
		}
		epoch = *adopted
		return nil
	})
	return epoch, err
}

// LoadTrain implements persistence.Trains.
func (db *DB) LoadTrain(
	ctx context.Context, train booking.TrainID, became []uuid.UUID,
) (loaded persistence.LoadedTrain, err error) {
	const (
		find = `SELECT ` + trainColumns + ` FROM trains WHERE id = $1 AND deleted_at IS NULL`
		live = `SELECT ` + bookingColumns + ` FROM bookings WHERE train_id = $1 AND cancelled_at IS NULL`
	)
	err = db.snapshotAhead(ctx, "load train", func(ctx context.Context, c *conn) error {
		if loaded.Train, err = first(ctx, c, scanTrain, find, id(train)); err != nil {
			return err
		}
		if loaded.Bookings, err = all(ctx, c, scanBooking, live, id(train)); err != nil {
			return err
		}
		if loaded.Cancelled, err = cancelledOf(ctx, c, train, became); err != nil {
			return err
		}
		loaded.Seats, err = seatsOf(ctx, c, train)
		return err
	})
	return loaded, err
}

// cancelledOf returns those of the ids whose booking of a train was cancelled. The query has no
// condition on cancelled_at: while few bookings were cancelled, the plan would read all of them, and
// a session would keep it when there are many.
func cancelledOf(
	ctx context.Context, c *conn, train booking.TrainID, ids []uuid.UUID,
) (cancelled []uuid.UUID, err error) {
	const find = `SELECT ` + bookingColumns + ` FROM bookings WHERE train_id = $1 AND id = ANY ($2::uuid[])`
	if len(ids) == 0 {
		return nil, nil
	}
	bookings, err := all(ctx, c, scanBooking, find, id(train), column(ids, id))
	for _, b := range bookings {
		if !b.CancelledAt.IsZero() {
			cancelled = append(cancelled, b.ID)
		}
	}
	return cancelled, err
}

// seatsOf returns the legs on which each seat of a train is booked.
func seatsOf(ctx context.Context, c *conn, train booking.TrainID) (map[int]booking.Legs, error) {
	const find = `SELECT seat_number, legs FROM seats WHERE train_id = $1 AND legs <> 0`
	seats := map[int]booking.Legs{}
	scan := func(r row) (number int, err error) {
		var set int64
		err = r.Scan(&number, &set)
		seats[number] = persistence.DecodeLegs(set)
		return number, err
	}
	_, err := all(ctx, c, scan, find, id(train))
	return seats, err
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
			UPDATE trains SET name = $4, capacity = $5, on_sale = $6, updated_at = $7, stops = $8, retires_at = $9,
				revision = (SELECT revision FROM next)
			WHERE id = $1 AND (SELECT result FROM checked) = 'done')
		SELECT result FROM checked`
	stops, err := persistence.EncodeList(train.Stops)
	if err != nil {
		return wrap("change train", err)
	}
	return db.guarded(ctx, "change train", change, guard,
		train.Name, train.Capacity, train.OnSale, train.UpdatedAt, stops, persistence.EncodeRetirement(&train))
}

// DeleteTrain implements persistence.Trains. The caller must have no sale of the train in
// flight, as for ChangeTrain.
func (db *DB) DeleteTrain(ctx context.Context, guard persistence.Guard, at time.Time, force bool) error {
	const remove = `
		WITH g AS MATERIALIZED (
			SELECT epoch, owner, deleted_at FROM trains WHERE id = $1 FOR NO KEY UPDATE NOWAIT),
		checked AS MATERIALIZED (
			SELECT coalesce(` + guardResult + `, CASE
				WHEN NOT $5 AND EXISTS (SELECT 1 FROM bookings WHERE train_id = $1 AND cancelled_at IS NULL)
				THEN 'conflict' ELSE 'done' END) AS result
			FROM g),
		cancelled AS (
			UPDATE bookings SET cancelled_at = $4
			WHERE train_id = $1 AND cancelled_at IS NULL AND (SELECT result FROM checked) = 'done'),
		emptied AS (
			DELETE FROM seats WHERE train_id = $1 AND (SELECT result FROM checked) = 'done'),
		next AS (` + nextRevision + `),
		marked AS (
			UPDATE trains SET deleted_at = $4, revision = (SELECT revision FROM next)
			WHERE id = $1 AND (SELECT result FROM checked) = 'done')
		SELECT result FROM checked`
	return db.guarded(ctx, "delete train", remove, guard, at, force)
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
	}
	return fmt.Errorf("%w: result %q", persistence.ErrUnknown, result)
}

func scanTrain(r row) (t booking.Train, err error) {
	err = scanTrainAnd(r, &t)
	return t, err
}

// scanTrainAnd scans the columns of a train, and more columns after them.
func scanTrainAnd(r row, t *booking.Train, more ...any) (err error) {
	var stops string
	columns := []any{(*[16]byte)(&t.ID), &t.Name, &t.Capacity, &t.OnSale, &t.CreatedAt, &t.UpdatedAt, &stops}
	if err := r.Scan(append(columns, more...)...); err != nil {
		return err
	}
	t.CreatedAt, t.UpdatedAt = fromTime(t.CreatedAt), fromTime(t.UpdatedAt)
	t.Stops, err = persistence.DecodeStops(stops)
	return err
}
