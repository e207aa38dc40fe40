package sqlite

import (
	"context"
	"errors"
	"fmt"

	"trainbooking.dev/persistence"
)

// Book implements persistence.Bookings.
func (db *DB) Book(ctx context.Context, sales []persistence.Sale) ([]error, error) {
	results := make([]error, len(sales))
	err := db.write(ctx, "book", func(ctx context.Context, c *conn) error {
		for i, sale := range sales {
			err := sell(ctx, c, sale)
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

// sell writes a sale, or nothing if it returns a refusal. It decides with the statement that records
// the booking, and nobody else writes before the end of the transaction.
func sell(ctx context.Context, c *conn, sale persistence.Sale) error {
	const (
		record = `
			INSERT INTO bookings (` + soldColumns + `, epoch)
			SELECT ?1, id, ?2, ?3, ?4, ?5, ?6 FROM trains
			WHERE id = ?7 AND epoch = ?6 AND owner = ?8 AND deleted_at IS NULL AND NOT EXISTS
				(SELECT 1 FROM seats WHERE train_id = ?7 AND legs & ?3 <> 0
				AND seat_number IN (SELECT value FROM json_each(?4)))
			ON CONFLICT (id) DO NOTHING`
		// The database refuses double sales too (DESIGN.md 6): a seat is updated only if its
		// legs are free, and otherwise missing from the row count. "WHERE true" makes the
		// parser read ON as part of the upsert rather than of a join.
		take = `
			INSERT INTO seats (train_id, seat_number, legs)
			SELECT ?1, value, ?2 FROM json_each(?3) WHERE true
			ON CONFLICT (train_id, seat_number)
			DO UPDATE SET legs = seats.legs | excluded.legs WHERE seats.legs & excluded.legs = 0`
	)
	b, legs := sale.Booking, persistence.EncodeLegs(sale.Booking.Legs)
	seats, err := persistence.EncodeList(b.Seats)
	if err != nil {
		return err
	}
	recorded, err := c.exec(ctx, record, b.ID[:], b.User[:], legs, seats, micros(b.BookedAt),
		sale.Guard.Epoch, sale.Guard.Train[:], sale.Guard.Owner[:])
	if err != nil {
		return err
	}
	if recorded == 0 {
		return refusal(ctx, c, sale)
	}
	taken, err := c.exec(ctx, take, sale.Guard.Train[:], legs, seats)
	if err == nil && taken != int64(len(b.Seats)) {
		return fmt.Errorf("took %d of %d seats that were free", taken, len(b.Seats))
	}
	return err
}

// refusal returns why a sale was not recorded; nil if it was recorded before.
func refusal(ctx context.Context, c *conn, sale persistence.Sale) error {
	const live = `SELECT cancelled_at IS NULL FROM bookings WHERE id = ?`
	if err := checkGuard(ctx, c, sale.Guard); err != nil {
		return err
	}
	isLive, err := first(ctx, c, scalar[bool], live, sale.Booking.ID[:])
	if errors.Is(err, persistence.ErrNotFound) || err == nil && !isLive {
		return persistence.ErrConflict
	}
	return err
}
