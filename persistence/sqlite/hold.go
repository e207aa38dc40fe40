package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// purgeLimit is the largest number of expired rows that a write deletes. It is far above the
// number that a write adds, so that expired rows do not accumulate, and deleting as many takes
// only a few milliseconds.
const purgeLimit = 500

// The statements that depend on an index, so that they read only the holds they return or delete
// and those of one user that are kept.
const (
	holdColumns = `id, user_id, legs, seats, expires_at, released`
	// loadHolds has CROSS JOIN, so that SQLite searches the holds of each train.
	loadHolds = `
		SELECT place, ` + holdColumns + `
		FROM ` + listed + ` CROSS JOIN holds USING (train_id)
		WHERE expires_at > ? AND NOT released`
	userHolds = `
		SELECT ` + holdColumns + ` FROM holds WHERE train_id = ? AND user_id = ? AND expires_at > ?
		ORDER BY expires_at DESC, id DESC LIMIT ?`
	// trimHolds deletes the ended holds of a user that are not among the latest.
	trimHolds = `
		DELETE FROM holds WHERE train_id = ?1 AND (released OR expires_at <= ?4) AND id IN
			(SELECT id FROM holds WHERE train_id = ?1 AND user_id = ?2
			ORDER BY expires_at DESC, id DESC LIMIT -1 OFFSET ?3)`
)

// WriteHolds implements persistence.Holds.
func (db *DB) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	const purge = `
		DELETE FROM holds WHERE (train_id, id) IN
			(SELECT train_id, id FROM holds WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
	results := make([]error, len(writes))
	err := db.write(ctx, "write holds", func(ctx context.Context, c *conn) error {
		now := db.options.Now()
		for i, w := range writes {
			err := writeHold(ctx, c, w, now)
			if err != nil && !isRefusal(err) {
				return err
			}
			results[i] = err
		}
		_, err := c.exec(ctx, purge, micros(now.Add(-booking.HoldRetention)), max(purgeLimit, 2*len(writes)))
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// writeHold executes one operation. The activation that deleted a train may still drop its
// holds. A train that never existed has no owner, so the write is fenced.
func writeHold(ctx context.Context, c *conn, w persistence.HoldWrite, now time.Time) error {
	const (
		owned = ` FROM trains WHERE id = ?1 AND epoch = ?2 AND owner = ?3`
		put   = `
			INSERT INTO holds (train_id, id, user_id, legs, seats, expires_at, released)
			SELECT ?1, ?4, ?5, ?6, ?7, ?8, ?9` + owned + `
			ON CONFLICT (train_id, id) DO UPDATE SET
				user_id = excluded.user_id, legs = excluded.legs, seats = excluded.seats,
				expires_at = excluded.expires_at, released = excluded.released`
		drop = `DELETE FROM holds WHERE train_id = ?1 AND id = ?4 AND EXISTS (SELECT 1` + owned + `)`
	)
	h, train := w.Hold, w.Guard.Train
	switch w.Op {
	case persistence.HoldPut, persistence.HoldPutAgain:
		seats, err := persistence.EncodeList(h.Seats)
		if err != nil {
			return err
		}
		rows, err := c.exec(ctx, put, train[:], w.Guard.Epoch, w.Guard.Owner[:],
			h.ID[:], h.User[:], persistence.EncodeLegs(h.Legs), seats, micros(h.ExpiresAt), h.Released)
		switch {
		case err == nil && rows == 0:
			return persistence.ErrFenced
		case err == nil && h.Released:
			_, err = c.exec(ctx, trimHolds, train[:], h.User[:], persistence.MaxHistory, micros(now))
		}
		return err
	case persistence.HoldDrop:
		rows, err := c.exec(ctx, drop, train[:], w.Guard.Epoch, w.Guard.Owner[:], h.ID[:])
		if err != nil || rows > 0 {
			return err
		}
		is, err := activationOf(ctx, c, w.Guard)
		if errors.Is(err, persistence.ErrNotFound) || err == nil && !is.current {
			return persistence.ErrFenced
		}
		return err
	}
	return fmt.Errorf("unknown operation %d on a hold", w.Op)
}

// LoadHolds implements persistence.Holds. SQLite has no leases.
func (db *DB) LoadHolds(
	ctx context.Context, trains []booking.TrainID, now time.Time,
) ([]persistence.Result[persistence.HeldTrain], error) {
	list, err := idList(trains)
	if err != nil {
		return nil, wrap("load holds", err)
	}
	held := make([]persistence.Result[persistence.HeldTrain], len(trains))
	scan := func(r row) (place int, err error) {
		hold, err := scanHold(placed{r, &place})
		if err == nil {
			held[place].Value.Holds = append(held[place].Value.Holds, hold)
		}
		return place, err
	}
	err = db.read(ctx, "load holds", func(ctx context.Context, c *conn) error {
		_, err := all(ctx, c, scan, loadHolds, list, micros(now))
		return err
	})
	return held, err
}

// placed is a row whose first column is scanned into place.
type placed struct {
	row
	place *int
}

func (p placed) Scan(dest ...any) error { return p.row.Scan(append([]any{p.place}, dest...)...) }

// UserHolds implements persistence.Holds.
func (db *DB) UserHolds(
	ctx context.Context, id booking.TrainID, user uuid.UUID, now time.Time,
) (holds []booking.Hold, err error) {
	err = db.read(ctx, "user holds", func(ctx context.Context, c *conn) error {
		holds, err = all(ctx, c, scanHold, userHolds,
			id[:], user[:], micros(now.Add(-booking.HoldRetention)), persistence.MaxHistory)
		return err
	})
	return holds, err
}

// TrainsWithHolds implements persistence.Holds.
func (db *DB) TrainsWithHolds(ctx context.Context, now time.Time) (trains []booking.TrainID, err error) {
	const find = `SELECT DISTINCT train_id FROM holds WHERE expires_at > ? AND NOT released`
	scan := func(r row) (id booking.TrainID, err error) {
		err = r.Scan(trainID(&id))
		return id, err
	}
	err = db.read(ctx, "trains with holds", func(ctx context.Context, c *conn) error {
		trains, err = all(ctx, c, scan, find, micros(now))
		return err
	})
	return trains, err
}

func scanHold(r row) (h booking.Hold, err error) {
	var (
		id           []byte
		set, expires int64
		seats        string
	)
	if err := r.Scan(&id, &h.User, &set, &seats, &expires, &h.Released); err != nil {
		return h, err
	}
	copy(h.ID[:], id)
	h.Legs, h.ExpiresAt = persistence.DecodeLegs(set), fromMicros(expires)
	h.Seats, err = persistence.DecodeList[int](seats)
	return h, err
}
