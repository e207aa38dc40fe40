package sqlite

import (
	"context"

	"trainbooking.dev/persistence"
)

// Book implements persistence.Bookings.
func (db *DB) Book(ctx context.Context, sales []persistence.Sale) ([]error, error) {
	results := make([]error, len(sales))
	err := db.write(ctx, "book", func(ctx context.Context, c *conn) error {
		for i, sale := range sales {
			err := c.savepoint(ctx, func() error { return sell(ctx, c, sale) })
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

// sell writes a sale. If it returns an error, the caller must roll back what it wrote.
func sell(ctx context.Context, c *conn, sale persistence.Sale) error {
	const (
		record = `
			INSERT INTO bookings (` + bookingColumns + `, epoch) VALUES (?, ?, ?, ?, ?, ?, NULL, ?)
			ON CONFLICT (id) DO NOTHING`
		live = `SELECT cancelled_at IS NULL FROM bookings WHERE id = ?`
		// The database refuses double sales too (DESIGN.md 6): a seat is updated only if its
		// legs are free, and otherwise missing from the row count. "WHERE true" makes the
		// parser read ON as part of the upsert rather than of a join.
		take = `
			INSERT INTO seats (train_id, seat_number, legs)
			SELECT ?1, value, ?2 FROM json_each(?3) WHERE true
			ON CONFLICT (train_id, seat_number)
			DO UPDATE SET legs = seats.legs | excluded.legs WHERE seats.legs & excluded.legs = 0`
	)
	if err := checkGuard(ctx, c, sale.Guard); err != nil {
		return err
	}
	b := sale.Booking
	seats, err := persistence.EncodeList(b.Seats)
	if err != nil {
		return err
	}
	recorded, err := c.exec(ctx, record, b.ID[:], sale.Guard.Train[:], b.User[:], persistence.EncodeLegs(b.Legs), seats,
		micros(b.BookedAt), sale.Guard.Epoch)
	if err != nil {
		return err
	}
	if recorded == 0 {
		isLive, err := first(ctx, c, scalar[bool], live, b.ID[:])
		if err == nil && !isLive {
			return persistence.ErrConflict
		}
		return err
	}
	taken, err := c.exec(ctx, take, sale.Guard.Train[:], persistence.EncodeLegs(b.Legs), seats)
	if err == nil && taken != int64(len(b.Seats)) {
		return persistence.ErrConflict
	}
	return err
}
