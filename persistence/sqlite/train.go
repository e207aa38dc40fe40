package sqlite

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const trainColumns = `id, name, capacity, on_sale, created_at, updated_at, stops`

// CreateTrain implements persistence.Trains. A restored train has no owner, so that the
// activation that deleted it is fenced.
func (db *DB) CreateTrain(ctx context.Context, train booking.Train) error {
	const create = `
		INSERT INTO trains (` + trainColumns + `, retires_at, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
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
		revision, err := nextRevision(ctx, c)
		if err != nil {
			return err
		}
		created, err := c.exec(ctx, create, train.ID[:], train.Name, train.Capacity, train.OnSale,
			micros(train.CreatedAt), micros(train.UpdatedAt), stops, micros(persistence.EncodeRetirement(&train)), revision)
		if err == nil && created == 0 {
			return persistence.ErrExists
		}
		return err
	})
}

// nextRevision increments the revision of the catalogue.
func nextRevision(ctx context.Context, c *conn) (int64, error) {
	const next = `UPDATE catalogue SET revision = revision + 1 RETURNING revision`
	return first(ctx, c, scalar[int64], next)
}

// Epoch implements persistence.Trains.
func (db *DB) Epoch(ctx context.Context, id booking.TrainID) (epoch int64, err error) {
	const find = `SELECT epoch FROM trains WHERE id = ? AND deleted_at IS NULL`
	err = db.read(ctx, "epoch", func(ctx context.Context, c *conn) (err error) {
		epoch, err = first(ctx, c, scalar[int64], find, id[:])
		return err
	})
	return epoch, err
}

// Adopt implements persistence.Trains.
func (db *DB) Adopt(ctx context.Context, id booking.TrainID, old int64, owner uuid.UUID) (epoch int64, err error) {
	const (
		find  = `SELECT epoch FROM trains WHERE id = ? AND deleted_at IS NULL`
		adopt = `UPDATE trains SET epoch = epoch + 1, owner = ? WHERE id = ?`
	)
	err = db.write(ctx, "adopt", func(ctx context.Context, c *conn) error {
		epoch, err = first(ctx, c, scalar[int64], find, id[:])
		if err != nil {
			return err
		}
		if epoch != old {
			return persistence.ErrFenced
		}
		_, err = c.exec(ctx, adopt, owner[:], id[:])
		return err
	})
	if err != nil {
		return 0, err
	}
	return old + 1, nil
}

// The queries of LoadTrain for bookings and seats.
const (
	findLive      = `SELECT ` + bookingColumns + ` FROM bookings WHERE train_id = ? AND cancelled_at IS NULL`
	findCancelled = `
		SELECT id FROM bookings
		WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND cancelled_at IS NOT NULL`
	findSeats = `SELECT seat_number, legs FROM seats WHERE train_id = ? AND legs <> 0`
)

// LoadTrain implements persistence.Trains.
func (db *DB) LoadTrain(
	ctx context.Context, id booking.TrainID, became []uuid.UUID,
) (loaded persistence.LoadedTrain, err error) {
	const find = `SELECT ` + trainColumns + ` FROM trains WHERE id = ? AND deleted_at IS NULL`
	err = db.read(ctx, "load train", func(ctx context.Context, c *conn) error {
		if loaded.Train, err = first(ctx, c, scanTrain, find, id[:]); err != nil {
			return err
		}
		if loaded.Bookings, err = all(ctx, c, scanBooking, findLive, id[:]); err != nil {
			return err
		}
		if loaded.Cancelled, err = cancelledOf(ctx, c, became); err != nil {
			return err
		}
		loaded.Seats, err = seatsOf(ctx, c, id)
		return err
	})
	return loaded, err
}

// cancelledOf returns those of the ids whose booking was cancelled.
func cancelledOf(ctx context.Context, c *conn, ids []uuid.UUID) ([]uuid.UUID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	return all(ctx, c, scalar[uuid.UUID], findCancelled, list)
}

// seatsOf returns the legs on which each seat of a train is booked.
func seatsOf(ctx context.Context, c *conn, train booking.TrainID) (map[int]booking.Legs, error) {
	seats := map[int]booking.Legs{}
	scan := func(r row) (number int, err error) {
		var set int64
		err = r.Scan(&number, &set)
		seats[number] = persistence.DecodeLegs(set)
		return number, err
	}
	_, err := all(ctx, c, scan, findSeats, train[:])
	return seats, err
}

// ChangeTrain implements persistence.Trains.
func (db *DB) ChangeTrain(ctx context.Context, guard persistence.Guard, train booking.Train) error {
	const (
		above  = `SELECT EXISTS (SELECT 1 FROM seats WHERE train_id = ? AND seat_number > ? AND legs <> 0)`
		change = `
			UPDATE trains SET name = ?, capacity = ?, on_sale = ?, updated_at = ?, stops = ?, retires_at = ?, revision = ?
			WHERE id = ?`
	)
	stops, err := persistence.EncodeList(train.Stops)
	if err != nil {
		return wrap("change train", err)
	}
	return db.write(ctx, "change train", func(ctx context.Context, c *conn) error {
		if err := checkGuard(ctx, c, guard); err != nil {
			return err
		}
		booked, err := first(ctx, c, scalar[bool], above, guard.Train[:], train.Capacity)
		if err != nil {
			return err
		}
		if booked {
			return persistence.ErrConflict
		}
		revision, err := nextRevision(ctx, c)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, change, train.Name, train.Capacity, train.OnSale, micros(train.UpdatedAt), stops,
			micros(persistence.EncodeRetirement(&train)), revision, guard.Train[:])
		return err
	})
}

// DeleteTrain implements persistence.Trains. It also deletes the holds, so that a restored train
// has none.
func (db *DB) DeleteTrain(ctx context.Context, guard persistence.Guard, at time.Time, force bool) error {
	const (
		live   = `SELECT EXISTS (SELECT 1 FROM bookings WHERE train_id = ? AND cancelled_at IS NULL)`
		cancel = `UPDATE bookings SET cancelled_at = ?2 WHERE train_id = ?1 AND cancelled_at IS NULL`
		seats  = `DELETE FROM seats WHERE train_id = ?`
		holds  = `DELETE FROM holds WHERE train_id = ?`
		mark   = `UPDATE trains SET deleted_at = ?2, revision = ?3 WHERE id = ?1`
	)
	return db.write(ctx, "delete train", func(ctx context.Context, c *conn) error {
		if err := checkGuard(ctx, c, guard); err != nil {
			return err
		}
		booked, err := first(ctx, c, scalar[bool], live, guard.Train[:])
		if err != nil {
			return err
		}
		if booked && !force {
			return persistence.ErrConflict
		}
		for _, text := range []string{seats, holds} {
			if _, err := c.exec(ctx, text, guard.Train[:]); err != nil {
				return err
			}
		}
		if _, err := c.exec(ctx, cancel, guard.Train[:], micros(at)); err != nil {
			return err
		}
		revision, err := nextRevision(ctx, c)
		if err != nil {
			return err
		}
		_, err = c.exec(ctx, mark, guard.Train[:], micros(at), revision)
		return err
	})
}

// activation is the result of comparing a guard with its train.
type activation struct{ current, deleted bool }

// activationOf compares a guard with its train, in the transaction that writes, so that no Adopt
// runs concurrently. Error: ErrNotFound if the train never existed.
func activationOf(ctx context.Context, c *conn, guard persistence.Guard) (activation, error) {
	const compare = `
		SELECT epoch = ?2 AND owner IS NOT NULL AND owner = ?3, deleted_at IS NOT NULL
		FROM trains WHERE id = ?1`
	scan := func(r row) (a activation, err error) {
		err = r.Scan(&a.current, &a.deleted)
		return a, err
	}
	return first(ctx, c, scan, compare, guard.Train[:], guard.Epoch, guard.Owner[:])
}

// checkGuard returns nil if the guard's activation owns the train. Errors: ErrFenced; ErrNotFound
// if the train is deleted or never existed.
func checkGuard(ctx context.Context, c *conn, guard persistence.Guard) error {
	is, err := activationOf(ctx, c, guard)
	switch {
	case err != nil:
		return err
	case !is.current:
		return persistence.ErrFenced
	case is.deleted:
		return persistence.ErrNotFound
	}
	return nil
}

func scanTrain(r row) (t booking.Train, err error) {
	err = scanTrainAnd(r, &t)
	return t, err
}

// scanTrainAnd scans the columns of a train, and more columns after them.
func scanTrainAnd(r row, t *booking.Train, more ...any) (err error) {
	var (
		created, updated int64
		stops            string
	)
	columns := []any{trainID(&t.ID), &t.Name, &t.Capacity, &t.OnSale, &created, &updated, &stops}
	if err := r.Scan(append(columns, more...)...); err != nil {
		return err
	}
	t.CreatedAt, t.UpdatedAt = fromMicros(created), fromMicros(updated)
	t.Stops, err = persistence.DecodeStops(stops)
	return err
}
