package sqlite

import (
	"context"
	"errors"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Revision implements persistence.Catalogue.
func (db *DB) Revision(ctx context.Context) (revision int64, err error) {
	const find = `SELECT revision FROM catalogue`
	err = db.read(ctx, "revision", func(ctx context.Context, c *conn) error {
		revision, err = first(ctx, c, scalar[int64], find)
		return err
	})
	return revision, err
}

// ListTrains implements persistence.Catalogue. It reads no rows of other trains.
func (db *DB) ListTrains(ctx context.Context, after, upTo booking.Cursor) (trains []booking.Train, err error) {
	const find = `
		SELECT ` + trainColumns + ` FROM trains
		WHERE deleted_at IS NULL AND (retires_at, id) > (?, ?) AND (retires_at, id) <= (?, ?)`
	err = db.read(ctx, "list trains", func(ctx context.Context, c *conn) error {
		trains, err = all(ctx, c, new(trainScanner).scan, find, micros(after.At), after.ID[:], micros(upTo.At), upTo.ID[:])
		return err
	})
	return trains, err
}

// PageEnd implements persistence.Catalogue.
func (db *DB) PageEnd(ctx context.Context, after booking.Cursor, size int) (end booking.Cursor, err error) {
	const find = `
		SELECT retires_at, id FROM trains
		WHERE deleted_at IS NULL AND (retires_at, id) > (?, ?)
		ORDER BY retires_at, id LIMIT 1 OFFSET ?`
	scan := func(r row) (end booking.Cursor, err error) {
		var at int64
		err = r.Scan(&at, &end.ID)
		end.At = fromMicros(at)
		return end, err
	}
	err = db.read(ctx, "page end", func(ctx context.Context, c *conn) error {
		end, err = first(ctx, c, scan, find, micros(after.At), after.ID[:], size-1)
		return err
	})
	if errors.Is(err, persistence.ErrNotFound) {
		return persistence.LastPosition, nil
	}
	return end, err
}

// ChangedTrains implements persistence.Catalogue.
func (db *DB) ChangedTrains(
	ctx context.Context, after int64, limit int,
) (changes []persistence.ChangedTrain, err error) {
	const find = `
		SELECT ` + trainColumns + `, revision, deleted_at IS NOT NULL FROM trains
		WHERE revision > ? ORDER BY revision LIMIT ?`
	var scanner trainScanner
	scan := func(r row) (t persistence.ChangedTrain, err error) {
		err = scanner.scanAnd(r, &t.Train, &t.Revision, &t.Deleted)
		return t, err
	}
	err = db.read(ctx, "changed trains", func(ctx context.Context, c *conn) error {
		changes, err = all(ctx, c, scan, find, after, limit)
		return err
	})
	return changes, err
}

// FindTrains implements persistence.Catalogue.
func (db *DB) FindTrains(ctx context.Context, ids []booking.TrainID) (trains []booking.Train, err error) {
	const find = `
		SELECT ` + trainColumns + ` FROM trains
		WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND deleted_at IS NULL`
	list, err := idList(ids)
	if err != nil {
		return nil, db.wrap("find trains", err)
	}
	err = db.read(ctx, "find trains", func(ctx context.Context, c *conn) error {
		trains, err = all(ctx, c, new(trainScanner).scan, find, list)
		return err
	})
	return trains, err
}
