package sqlite

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	trainColumns       = `id, name, capacity, on_sale, created_at, updated_at, stops, sales_open_at, follows`
	formerTrainColumns = `train_id, name, capacity, on_sale, created_at, updated_at, stops, sales_open_at, follows`
)

// keepTrain keeps a train as it is now, for a booking that is cancelled in the same transaction.
const keepTrain = `
	INSERT INTO former_trains (` + formerTrainColumns + `, revision)
	SELECT ` + trainColumns + `, revision FROM trains WHERE id = ? ON CONFLICT DO NOTHING`

// CreateTrain implements persistence.Trains. A restored train has no owner, so that the
// activation that deleted it is fenced.
func (db *DB) CreateTrain(ctx context.Context, train booking.Train) error {
	return db.write(ctx, "create train", func(ctx context.Context, c *conn) error {
		before, err := findEpoch(ctx, c, train.ID)
		if err != nil {
			return err
		}
		if before.live {
			return persistence.ErrExists
		}
		revision, err := nextRevision(ctx, c)
		if err != nil {
			return err
		}
		if err := joinSchedule(ctx, c, &train, revision); err != nil {
			return err
		}
		return insertTrain(ctx, c, &train, revision, before.epoch, nil)
	})
}

// insertTrain writes a train that is deleted or has no row. No owner is nil.
func insertTrain(ctx context.Context, c *conn, train *booking.Train, revision, epoch int64, owner []byte) error {
	const insert = `
		INSERT INTO trains (` + trainColumns + `, retires_at, revision, epoch, owner)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET
			deleted_at = NULL, epoch = excluded.epoch, owner = excluded.owner,
			name = excluded.name, capacity = excluded.capacity, on_sale = excluded.on_sale,
			created_at = excluded.created_at, updated_at = excluded.updated_at, stops = excluded.stops,
			sales_open_at = excluded.sales_open_at, follows = excluded.follows, retires_at = excluded.retires_at,
			revision = excluded.revision`
	stops, err := persistence.EncodeList(train.Stops)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, insert, train.ID[:], train.Name, train.Capacity, train.OnSale,
		micros(train.CreatedAt), micros(train.UpdatedAt), stops, optional(train.SalesOpenAt), train.Follows,
		micros(persistence.EncodeRetirement(train)), revision, epoch, owner)
	return err
}

// nextRevision increments the revision of the catalogue.
func nextRevision(ctx context.Context, c *conn) (int64, error) {
	const next = `UPDATE catalogue SET revision = revision + 1 RETURNING revision`
	return first(ctx, c, scalar[int64], next)
}

// epochOf is the epoch of a train: 0 if there has never been one.
type epochOf struct {
	epoch  int64
	stored bool // there is a row
	live   bool // which is not deleted
}

func findEpoch(ctx context.Context, c *conn, id booking.TrainID) (epochOf, error) {
	const find = `SELECT epoch, deleted_at IS NULL FROM trains WHERE id = ?`
	scan := func(r row) (e epochOf, err error) {
		e.stored = true
		err = r.Scan(&e.epoch, &e.live)
		return e, err
	}
	found, err := first(ctx, c, scan, find, id[:])
	if errors.Is(err, persistence.ErrNotFound) {
		return epochOf{}, nil
	}
	return found, err
}

// Epochs implements persistence.Trains.
func (db *DB) Epochs(ctx context.Context, trains []booking.TrainID) (epochs []persistence.Result[int64], err error) {
	err = db.read(ctx, "epochs", func(ctx context.Context, c *conn) error {
		epochs, err = resultsOf(trains, func(id booking.TrainID) (int64, error) {
			found, err := findEpoch(ctx, c, id)
			if err == nil && !found.live {
				err = persistence.ErrNotFound
			}
			return found.epoch, err
		})
		return err
	})
	return epochs, err
}

// resultsOf returns the result of each train: its value, perhaps with ErrNotFound. Any other error ends the
// call.
func resultsOf[T any](trains []booking.TrainID, find func(booking.TrainID) (T, error)) ([]persistence.Result[T], error) {
	results := make([]persistence.Result[T], len(trains))
	for i, id := range trains {
		value, err := find(id)
		if err != nil && !errors.Is(err, persistence.ErrNotFound) {
			return nil, err
		}
		results[i] = persistence.Result[T]{Value: value, Err: err}
	}
	return results, nil
}

// Adopt implements persistence.Trains. No statement of an earlier activation is in flight, since
// only one connection writes.
func (db *DB) Adopt(ctx context.Context, activations []persistence.Adoption) ([]error, error) {
	results := make([]error, len(activations))
	err := db.write(ctx, "adopt", func(ctx context.Context, c *conn) error {
		for i, a := range activations {
			err := adopt(ctx, c, a)
			if err != nil && !isRefusal(err) {
				return err
			}
			results[i] = err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func adopt(ctx context.Context, c *conn, a persistence.Adoption) error {
	const adopt = `UPDATE trains SET epoch = epoch + 1, owner = ? WHERE id = ?`
	before, err := findEpoch(ctx, c, a.Train)
	switch {
	case err != nil:
		return err
	case !before.live && a.Departure == nil:
		return persistence.ErrNotFound
	case before.epoch+1 != a.Epoch:
		return persistence.ErrFenced
	case !before.live:
		return createDeparture(ctx, c, a, before.stored)
	}
	_, err = c.exec(ctx, adopt, a.Owner[:], a.Train[:])
	return err
}

// The queries of LoadTrains for bookings and seats.
const (
	findLive      = `SELECT ` + bookingColumns + ` FROM bookings WHERE train_id = ? AND cancelled_at IS NULL`
	findCancelled = `
		SELECT train_id, id FROM bookings
		WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND cancelled_at IS NOT NULL`
	findSeats = `SELECT seat_number, legs FROM seats WHERE train_id = ? AND legs <> 0`
)

// LoadTrains implements persistence.Trains.
func (db *DB) LoadTrains(
	ctx context.Context, trains []booking.TrainID, became []uuid.UUID,
) (loaded []persistence.Result[persistence.LoadedTrain], err error) {
	err = db.read(ctx, "load trains", func(ctx context.Context, c *conn) error {
		cancelled, err := cancelledOf(ctx, c, became)
		if err != nil {
			return err
		}
		loaded, err = resultsOf(trains, func(id booking.TrainID) (persistence.LoadedTrain, error) {
			train, err := load(ctx, c, id)
			train.Cancelled = cancelled[id]
			return train, err
		})
		return err
	})
	return loaded, err
}

func load(ctx context.Context, c *conn, id booking.TrainID) (loaded persistence.LoadedTrain, err error) {
	const find = `SELECT ` + trainColumns + ` FROM trains WHERE id = ? AND deleted_at IS NULL`
	if loaded.Train, err = first(ctx, c, new(trainScanner).scan, find, id[:]); err != nil {
		return loaded, err
	}
	if loaded.Bookings, err = all(ctx, c, scanBooking, findLive, id[:]); err != nil {
		return loaded, err
	}
	loaded.Seats, err = seatsOf(ctx, c, id)
	return loaded, err
}

// cancelledOf returns those of the ids whose booking was cancelled, by their trains.
func cancelledOf(ctx context.Context, c *conn, ids []uuid.UUID) (map[booking.TrainID][]uuid.UUID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	cancelled := map[booking.TrainID][]uuid.UUID{}
	scan := func(r row) (id uuid.UUID, err error) {
		var train booking.TrainID
		err = r.Scan(trainID(&train), &id)
		cancelled[train] = append(cancelled[train], id)
		return id, err
	}
	_, err = all(ctx, c, scan, findCancelled, list)
	return cancelled, err
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
			UPDATE trains SET name = ?, capacity = ?, on_sale = ?, updated_at = ?, stops = ?, sales_open_at = ?, follows = ?,
				retires_at = ?, revision = ?
			WHERE id = ?`
	)
	stops, err := persistence.EncodeList(train.Stops)
	if err != nil {
		return db.wrap("change train", err)
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
			optional(train.SalesOpenAt), train.Follows, micros(persistence.EncodeRetirement(&train)), revision, guard.Train[:])
		return err
	})
}

// DeleteTrain implements persistence.Trains. It also deletes the holds, so that a restored train
// has none.
func (db *DB) DeleteTrain(ctx context.Context, guard persistence.Guard, deletion persistence.Deletion) error {
	const (
		live   = `SELECT EXISTS (SELECT 1 FROM bookings WHERE train_id = ? AND cancelled_at IS NULL)`
		cancel = cancellation + ` WHERE train_id = ?1 AND cancelled_at IS NULL`
		seats  = `DELETE FROM seats WHERE train_id = ?`
		holds  = `DELETE FROM holds WHERE train_id = ?`
		ended  = `DELETE FROM ended_holds WHERE train_id = ?`
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
		if booked && !deletion.Force {
			return persistence.ErrConflict
		}
		for _, text := range []string{seats, holds, ended} {
			if _, err := c.exec(ctx, text, guard.Train[:]); err != nil {
				return err
			}
		}
		if booked {
			if _, err := c.exec(ctx, keepTrain, guard.Train[:]); err != nil {
				return err
			}
			if _, err := c.exec(ctx, cancel, guard.Train[:], micros(deletion.At), string(booking.ByTrain)); err != nil {
				return err
			}
		}
		revision, err := nextRevision(ctx, c)
		if err != nil {
			return err
		}
		if _, err := c.exec(ctx, mark, guard.Train[:], micros(deletion.At), revision); err != nil || !deletion.Cancels {
			return err
		}
		return cancelDeparture(ctx, c, guard.Train, revision)
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

// trainScanner scans the rows of one query for trains, which share what is equal.
type trainScanner struct{ stops persistence.StopsDecoder }

func (s *trainScanner) scan(r row) (t booking.Train, err error) {
	err = s.scanAnd(r, &t)
	return t, err
}

// scanAnd scans the columns of a train, and more columns after them.
func (s *trainScanner) scanAnd(r row, t *booking.Train, more ...any) (err error) {
	var (
		created, updated int64
		stops            string
		opens            *int64
	)
	columns := []any{trainID(&t.ID), &t.Name, &t.Capacity, &t.OnSale, &created, &updated, &stops, &opens, &t.Follows}
	if err := r.Scan(append(columns, more...)...); err != nil {
		return err
	}
	t.CreatedAt, t.UpdatedAt, t.SalesOpenAt = fromMicros(created), fromMicros(updated), fromOptional(opens)
	t.Stops, err = s.stops.Decode(stops)
	return err
}
