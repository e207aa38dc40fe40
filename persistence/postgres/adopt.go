package postgres

import (
	"context"
	"errors"
	"slices"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Epochs implements persistence.Trains.
func (db *DB) Epochs(ctx context.Context, trains []booking.TrainID) (epochs []persistence.Result[int64], err error) {
	const find = `SELECT id, epoch, deleted_at IS NULL FROM trains WHERE id = ANY ($1::uuid[])`
	err = db.readAhead(ctx, "epochs", func(ctx context.Context, c *conn) error {
		found, err := epochsOf(ctx, c, find, column(trains, id))
		if err != nil {
			return err
		}
		epochs = make([]persistence.Result[int64], len(trains))
		for i, train := range trains {
			e := found[train]
			epochs[i].Value = e.epoch
			if !e.is {
				epochs[i].Err = persistence.ErrNotFound
			}
		}
		return nil
	})
	return epochs, err
}

// epochOf is the epoch of a train in the snapshot of a statement, and what else it returns of it.
type epochOf struct {
	epoch int64
	is    bool
}

func epochsOf(ctx context.Context, c *conn, text string, args ...any) (map[booking.TrainID]epochOf, error) {
	epochs := map[booking.TrainID]epochOf{}
	_, err := all(ctx, c, func(r row) (train booking.TrainID, err error) {
		var e epochOf
		err = r.Scan((*[16]byte)(&train), &e.epoch, &e.is)
		epochs[train] = e
		return train, err
	}, text, args...)
	return epochs, err
}

// errStored is the result of a departure to create that has a row already.
var errStored = errors.New("the train is stored")

// Adopt implements persistence.Trains. It has a statement that creates departures, which also finds those
// that are stored, and one that adopts what is stored. An activation has mostly read whether its train is
// stored, so mostly a call needs only one of them for its trains.
//
// Each statement commits by itself. If one of two fails, its error is that of its activations.
func (db *DB) Adopt(ctx context.Context, activations []persistence.Adoption) (results []error, err error) {
	ctx, cancel := context.WithTimeout(ctx, aheadTimeout)
	defer cancel()
	results = make([]error, len(activations))
	adopt := func(step func(context.Context, []persistence.Adoption) ([]error, error), places []int) {
		if len(places) == 0 {
			return
		}
		part := column(places, func(i int) persistence.Adoption { return activations[i] })
		found, failed := step(ctx, part)
		if failed != nil && len(part) == len(activations) {
			err = failed
		}
		for n, i := range places {
			if results[i] = failed; failed == nil {
				results[i] = found[n]
			}
		}
	}
	var departures, stored []int
	for i, a := range activations {
		if a.Departure != nil {
			departures = append(departures, i)
		} else {
			stored = append(stored, i)
		}
	}
	adopt(db.createDepartures, departures)
	for _, i := range departures {
		if results[i] == errStored { //nolint:errorlint // it is not wrapped
			stored = append(stored, i)
		}
	}
	slices.Sort(stored)
	adopt(db.adoptStored, stored)
	return results, err
}

// adoptStored adopts trains that are stored. A sale in flight has a shared lock on its train, which is
// then skipped: a statement that waited for it would keep the other trains, and a connection,
// waiting. Since it waits for no lock, it cannot be part of a deadlock either.
//
// Each row is found by its id, as an array, and the rest of its activation by the place of the id
// in the array, because a join may scan the whole table. A row that was changed since the snapshot
// of the statement is compared again when it is locked.
func (db *DB) adoptStored(ctx context.Context, activations []persistence.Adoption) (results []error, err error) {
	const adopt = `
		WITH locked AS MATERIALIZED (
			SELECT id FROM trains
			WHERE id = ANY ($1::uuid[]) AND epoch + 1 = ($2::bigint[])[array_position($1, id)] AND ` + notDeleted + `
			FOR NO KEY UPDATE SKIP LOCKED),
		adopted AS (
			UPDATE trains SET epoch = epoch + 1, owner = ($3::uuid[])[array_position($1, id)]
			WHERE id = ANY (ARRAY(SELECT id FROM locked))
			RETURNING id)
		SELECT id, epoch, id IN (SELECT id FROM adopted) FROM trains
		WHERE id = ANY ($1) AND ` + notDeleted
	err = db.adopt(ctx, "adopt", func(ctx context.Context, c *conn) error {
		found, err := epochsOf(ctx, c, adopt, guardColumnsOf(activations)...)
		if err != nil {
			return err
		}
		results = make([]error, len(activations))
		seen := map[booking.TrainID]bool{}
		for i, a := range activations {
			before, exists := found[a.Train]
			switch {
			case !exists:
				results[i] = persistence.ErrNotFound
			case before.epoch+1 != a.Epoch, seen[a.Train]: // of one train the first is adopted
				results[i] = persistence.ErrFenced
			case !before.is:
				results[i] = persistence.ErrLocked
			}
			seen[a.Train] = true
		}
		return nil
	})
	return results, err
}

// guardColumnsOf returns the guards of adoptions as three arrays.
func guardColumnsOf(activations []persistence.Adoption) []any {
	return []any{
		column(activations, func(a persistence.Adoption) [16]byte { return id(a.Train) }),
		column(activations, func(a persistence.Adoption) int64 { return a.Epoch }),
		column(activations, func(a persistence.Adoption) [16]byte { return id(a.Owner) }),
	}
}
