package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trainbooking.dev/persistence"
)

// Book implements persistence.Bookings.
func (db *DB) Book(ctx context.Context, sales []persistence.Sale) (results []error, err error) {
	if len(sales) == 0 {
		return nil, nil
	}
	err = db.sell(ctx, "book", func(ctx context.Context, c *conn) error {
		results, err = book(ctx, c, sales)
		return err
	})
	return results, err
}

// book writes a batch as one statement if possible. That statement cannot order sales of the
// same seat or id, in this batch or another one of the same activation: then the sales are
// written one by one. Actors send no such batches.
func book(ctx context.Context, c *conn, sales []persistence.Sale) ([]error, error) {
	if len(sales) == 1 {
		sold, err := bookAlone(ctx, c, sales[0])
		switch {
		case err != nil && codeOf(err) != divisionByZero: // it commits after it has sent its result
			return nil, err
		case err == nil && sold:
			return []error{nil}, nil
		}
	}
	results, err := bookBatch(ctx, c, sales)
	if codeOf(err) == divisionByZero {
		return bookEach(ctx, c, sales)
	}
	return results, err
}

// bookAlone writes a sale that is the only one, with half of the work of bookBatch. It reports false, or
// the error 22012, if it wrote nothing, and leaves the reason to bookBatch. It locks and writes in the
// same order.
func bookAlone(ctx context.Context, c *conn, sale persistence.Sale) (sold bool, err error) {
	const write = `
		WITH guard AS MATERIALIZED (
			SELECT id, deleted_at FROM trains WHERE id = $1 AND epoch = $2 AND owner = $3 FOR SHARE SKIP LOCKED),
		sold AS (
			INSERT INTO seats (train_id, seat_number, legs)
			SELECT id, seat_number, $4 FROM guard, unnest($5::int[]) AS seat_number
			WHERE deleted_at IS NULL ORDER BY seat_number
			ON CONFLICT (train_id, seat_number)
			DO UPDATE SET legs = seats.legs | excluded.legs WHERE seats.legs & excluded.legs = 0
			RETURNING 1),
		recorded AS (
			INSERT INTO bookings (` + soldColumns + `, epoch)
			SELECT $6, id, $7, $4, $5, $8, $2 FROM guard
			WHERE deleted_at IS NULL AND (SELECT count(*) FROM sold) = cardinality($5::int[])
			ON CONFLICT DO NOTHING
			RETURNING 1)
		SELECT CASE
			WHEN EXISTS (SELECT 1 FROM recorded) THEN true
			WHEN EXISTS (SELECT 1 FROM sold) THEN 1 / (SELECT count(*) FROM recorded) = 1
			ELSE false END`
	b, guard := sale.Booking, sale.Guard
	seats := make([]int32, len(b.Seats))
	for i, seat := range b.Seats {
		seats[i] = int32(seat) //nolint:gosec // MaxCapacity is 20,000
	}
	return first(ctx, c, scalar[bool], write, id(guard.Train), guard.Epoch, id(guard.Owner),
		persistence.EncodeLegs(b.Legs), seats, id(b.ID), id(b.User), b.BookedAt)
}

// bookEach writes the sales of a batch in order. If one fails after another was written, the
// outcome of the batch is unknown.
func bookEach(ctx context.Context, c *conn, sales []persistence.Sale) (results []error, err error) {
	for i := range sales {
		result, err := bookOne(ctx, c, sales[i:i+1])
		switch {
		case errors.Is(err, persistence.ErrLocked):
			result = []error{err}
		case err != nil && slices.Contains(results, nil):
			return nil, fmt.Errorf("%w: %w", persistence.ErrUnknown, err)
		case err != nil:
			return nil, err
		}
		results = append(results, result...)
	}
	return results, nil
}

// bookOne writes a single sale. If it conflicts with a sale that was committed concurrently,
// the second statement sees that one; otherwise it conflicts with itself.
func bookOne(ctx context.Context, c *conn, sales []persistence.Sale) ([]error, error) {
	for range 2 {
		results, err := bookBatch(ctx, c, sales)
		if codeOf(err) != divisionByZero {
			return results, err
		}
	}
	return []error{persistence.ErrConflict}, nil
}

// bookBatch writes a batch as one statement. The error is 22012 if sales conflict with each
// other or with concurrent ones, and then nothing was written.
//
// The upsert in sold protects the seats: it updates a seat only on legs that are free, after
// waiting for concurrent statements. If it refuses a seat that the checks before it allowed,
// the counts differ and the division by zero undoes everything. So does a duplicate id, or one
// that was written concurrently.
//
// A train that somebody else has locked is skipped, because the others must not wait for it. A
// lock on a seat fails the statement after lock_timeout, with ErrLocked for the whole batch: the
// upsert cannot skip rows.
//
// Every lookup is a scalar subquery, because a join may scan the whole table for each sale.
// The conditions that exclude sales are plain booleans: the planner expects half of these to be
// true, but only one in 200 comparisons, and would then compare every sale with every other.
// Rows are locked and written in one order, trains first, so that statements never deadlock.
func bookBatch(ctx context.Context, c *conn, sales []persistence.Sale) ([]error, error) {
	const write = `
		WITH req AS MATERIALIZED (
			SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[], $7::timestamptz[])
				WITH ORDINALITY AS r (id, train_id, user_id, legs, epoch, owner, booked_at, n)),
		guard AS MATERIALIZED (
			SELECT id, epoch, owner, deleted_at FROM trains WHERE id = ANY ($2) ORDER BY id FOR SHARE SKIP LOCKED),
		checked AS MATERIALIZED (
			SELECT *, result IS NULL AS valid FROM (
				SELECT r.*, CASE
					WHEN g.id IS NULL THEN
						CASE WHEN EXISTS (SELECT 1 FROM trains t WHERE t.id = r.train_id) THEN 'locked' ELSE 'not_found' END
					WHEN g.epoch <> r.epoch OR g.owner IS DISTINCT FROM r.owner THEN 'fenced'
					WHEN g.deleted_at IS NOT NULL THEN 'not_found'
					ELSE (SELECT CASE WHEN b.cancelled_at IS NULL THEN 'done' ELSE 'conflict' END FROM bookings b
						WHERE b.train_id = r.train_id AND b.id = r.id)
					END AS result
				FROM req r LEFT JOIN guard g ON g.id = r.train_id) AS r),
		requested AS MATERIALIZED (
			SELECT c.n, c.train_id, w.seat_number, w.place, c.legs, coalesce((
				SELECT s.legs & c.legs = 0 FROM seats s
				WHERE s.train_id = c.train_id AND s.seat_number = w.seat_number), true) AS free
			FROM unnest($8::bigint[], $9::int[]) WITH ORDINALITY AS w (n, seat_number, place) JOIN checked c USING (n)
			WHERE c.valid),
		free AS MATERIALIZED (
			SELECT n, array_agg(seat_number ORDER BY place) AS seats FROM requested
			GROUP BY n HAVING bool_and(free)),
		change AS MATERIALIZED (
			SELECT train_id, seat_number, bit_or(legs) AS legs, sum(legs) = bit_or(legs) AS disjoint
			FROM requested JOIN free USING (n) GROUP BY train_id, seat_number),
		sold AS (
			INSERT INTO seats (train_id, seat_number, legs)
			SELECT train_id, seat_number, legs FROM change WHERE disjoint ORDER BY train_id, seat_number
			ON CONFLICT (train_id, seat_number)
			DO UPDATE SET legs = seats.legs | excluded.legs WHERE seats.legs & excluded.legs = 0
			RETURNING 1),
		recorded AS (
			INSERT INTO bookings (` + soldColumns + `, epoch)
			SELECT c.id, c.train_id, c.user_id, c.legs, f.seats, c.booked_at, c.epoch
			FROM checked c JOIN free f USING (n) ORDER BY c.id
			ON CONFLICT DO NOTHING
			RETURNING 1)
		SELECT
			array(SELECT coalesce(c.result, CASE WHEN f.n IS NULL THEN 'conflict' ELSE 'done' END)
				FROM checked c LEFT JOIN free f USING (n) ORDER BY c.n),
			1 / (CASE WHEN (SELECT count(*) FROM sold) = (SELECT count(*) FROM change)
				AND (SELECT count(*) FROM recorded) = (SELECT count(*) FROM free)
				AND (SELECT count(DISTINCT id) = count(*) FROM req) THEN 1 ELSE 0 END)`
	scan := func(r row) (results []string, err error) {
		var one int
		err = r.Scan(&results, &one)
		return results, err
	}
	texts, err := first(ctx, c, scan, write, columnsOf(sales)...)
	if err != nil {
		return nil, err
	}
	results := make([]error, len(texts))
	for i, text := range texts {
		results[i] = resultError(text)
	}
	return results, nil
}

// columnsOf returns the parameters of bookBatch: seven arrays with an element per sale, then
// two with an element per seat: the number of its sale, from 1, and the seat number.
func columnsOf(sales []persistence.Sale) []any {
	var (
		ids, trains, users, owners [][16]byte
		sets, epochs               []int64
		times                      []time.Time
		numbers                    []int64
		seats                      []int32
	)
	for i, sale := range sales {
		b := sale.Booking
		ids, trains, users = append(ids, id(b.ID)), append(trains, id(sale.Guard.Train)), append(users, id(b.User))
		sets, times = append(sets, persistence.EncodeLegs(b.Legs)), append(times, b.BookedAt)
		epochs, owners = append(epochs, sale.Guard.Epoch), append(owners, id(sale.Guard.Owner))
		for _, seat := range b.Seats {
			numbers, seats = append(numbers, int64(i+1)), append(seats, int32(seat)) //nolint:gosec // MaxCapacity is 20,000
		}
	}
	return []any{ids, trains, users, sets, epochs, owners, times, numbers, seats}
}
