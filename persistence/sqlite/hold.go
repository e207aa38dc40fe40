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

// The statements that depend on an index. A hold is in holds, which has few indexes, because each is a
// page to write. It is moved to ended_holds when it is released, or by the first write after it has
// expired. So what is read is what is returned, moved or deleted, what a user had on a train, and what
// was live on it at the last write.
const (
	holdColumns = `id, user_id, legs, seats, expires_at, released, extended`
	// loadHolds has CROSS JOIN, so that SQLite searches the holds of each train.
	loadHolds = `
		SELECT place, ` + holdColumns + `
		FROM ` + listed + ` CROSS JOIN holds USING (train_id)
		WHERE expires_at > ? AND NOT released`
	userHolds = `
		SELECT ` + holdColumns + ` FROM holds WHERE train_id = ?1 AND user_id = ?2 AND expires_at > ?3
		UNION ALL
		SELECT ` + holdColumns + ` FROM ended_holds WHERE train_id = ?1 AND user_id = ?2 AND expires_at > ?3
		ORDER BY expires_at DESC, id DESC LIMIT ?4`
	// holdsOfUser reads the users in the index by the end: an index of them would be a page to write for
	// each hold, and few holds are live.
	holdsOfUser = `
		SELECT ` + holdColumns + ` FROM holds WHERE NOT released AND (train_id, id) IN
			(SELECT train_id, id FROM holds WHERE expires_at > ? AND user_id = ? ORDER BY expires_at LIMIT ?)`
	// trimHolds deletes the ended holds of a user that are not among the latest.
	trimHolds = `
		DELETE FROM ended_holds WHERE train_id = ?1 AND user_id = ?2 AND id IN
			(SELECT id FROM ended_holds WHERE train_id = ?1 AND user_id = ?2
			ORDER BY expires_at DESC, id DESC LIMIT -1 OFFSET ?3)`
	// endHolds moves the holds that expired first.
	endHolds = `
		INSERT OR REPLACE INTO ended_holds (train_id, ` + holdColumns + `)
		SELECT train_id, ` + holdColumns + ` FROM holds WHERE expires_at <= ? ORDER BY expires_at LIMIT ?`
	purgeHolds = `
		DELETE FROM ended_holds WHERE (train_id, user_id, id) IN
			(SELECT train_id, user_id, id FROM ended_holds WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
)

// WriteHolds implements persistence.Holds.
func (db *DB) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	results := make([]error, len(writes))
	err := db.write(ctx, "write holds", func(ctx context.Context, c *conn) error {
		for i, w := range writes {
			err := writeHold(ctx, c, w)
			if err != nil && !isRefusal(err) {
				return err
			}
			results[i] = err
		}
		now, limit := db.options.Now(), max(purgeLimit, 2*len(writes))
		if _, err := c.exec(ctx, endHolds, micros(now), limit); err != nil {
			return err
		}
		_, err := c.exec(ctx, purgeHolds, micros(now.Add(-booking.HoldRetention)), limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// writeHold executes one operation. The activation that deleted a train may still drop its
// holds. A train that never existed has no owner, so the write is fenced.
func writeHold(ctx context.Context, c *conn, w persistence.HoldWrite) error {
	const (
		owned  = ` FROM trains WHERE id = ?1 AND epoch = ?2 AND owner = ?3`
		values = ` (train_id, ` + holdColumns + `) SELECT ?1, ?4, ?5, ?6, ?7, ?8, ?9, ?10` + owned
		put    = `INSERT OR REPLACE INTO holds` + values
		end    = `INSERT OR REPLACE INTO ended_holds` + values
		drop   = `DELETE FROM holds WHERE train_id = ?1 AND id = ?4 AND EXISTS (SELECT 1` + owned + `)`
		// dropEnded reads all that ended on the train, for a hold that expired while it became a booking.
		dropEnded = `DELETE FROM ended_holds WHERE train_id = ? AND id = ?`
	)
	h, train := w.Hold, w.Guard.Train
	switch w.Op {
	case persistence.HoldPut, persistence.HoldPutAgain:
		text := put
		if h.Released {
			text = end
		}
		seats, err := persistence.EncodeList(h.Seats)
		if err != nil {
			return err
		}
		rows, err := c.exec(ctx, text, train[:], w.Guard.Epoch, w.Guard.Owner[:],
			h.ID[:], h.User[:], persistence.EncodeLegs(h.Legs), seats, micros(h.ExpiresAt), h.Released, h.Extended)
		switch {
		case err == nil && rows == 0:
			return persistence.ErrFenced
		case err == nil && h.Released:
			_, err = c.exec(ctx, trimHolds, train[:], h.User[:], persistence.MaxHistory)
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
		if err == nil {
			_, err = c.exec(ctx, dropEnded, train[:], h.ID[:])
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
		return nil, db.wrap("load holds", err)
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

// HoldsOfUser implements persistence.Holds.
func (db *DB) HoldsOfUser(
	ctx context.Context, user uuid.UUID, now time.Time,
) (held persistence.HeldByUser, err error) {
	err = db.read(ctx, "holds of user", func(ctx context.Context, c *conn) error {
		held.Holds, err = all(ctx, c, scanHold, holdsOfUser, micros(now), user[:], persistence.MaxUserHolds+1)
		return err
	})
	held.Incomplete = len(held.Holds) > persistence.MaxUserHolds
	return held, err
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
	if err := r.Scan(&id, &h.User, &set, &seats, &expires, &h.Released, &h.Extended); err != nil {
		return h, err
	}
	copy(h.ID[:], id)
	h.Legs, h.ExpiresAt = persistence.DecodeLegs(set), fromMicros(expires)
	h.Seats, err = persistence.DecodeList[int](seats)
	return h, err
}
