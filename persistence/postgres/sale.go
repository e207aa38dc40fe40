package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"trainbooking.dev/persistence"
)

// book writes a batch, as one statement whenever that works. It does not when sales of
// one batch want the same seat or have the same id, which the statement cannot put in
// order, or when another statement of the same activation does: then it writes the
// sales one by one. Actors send no such batches.
func book(ctx context.Context, c *conn, sales []persistence.Sale) ([]error, error) {
	results, err := bookOrApart(ctx, c, sales)
	if codeOf(err) == deadlockDetected && !errors.Is(err, persistence.ErrUnknown) { // else some of it is written
		// All locks are taken in order, so this is somebody else's statement. Half a
		// batch may get past it. What was written already is found there.
		return inParts(ctx, c, slices.Chunk(sales, (len(sales)+1)/2), bookOrApart)
	}
	return results, err
}

func bookOrApart(ctx context.Context, c *conn, sales []persistence.Sale) ([]error, error) {
	results, err := bookAtOnce(ctx, c, sales)
	if codeOf(err) == divisionByZero {
		return inParts(ctx, c, slices.Chunk(sales, 1), bookOne)
	}
	return results, err
}

// bookOne writes a single sale. Who clashes then clashed with something that was
// committed meanwhile, which the second statement sees, or with itself.
func bookOne(ctx context.Context, c *conn, sales []persistence.Sale) ([]error, error) {
	for range 2 {
		results, err := bookAtOnce(ctx, c, sales)
		if codeOf(err) != divisionByZero {
			return results, err
		}
	}
	return []error{persistence.ErrConflict}, nil
}

// inParts writes the parts of a batch one after another. If one fails after another was
// written, the outcome of the batch is unknown: part of it is there.
func inParts(
	ctx context.Context, c *conn, parts iter.Seq[[]persistence.Sale],
	write func(context.Context, *conn, []persistence.Sale) ([]error, error),
) (results []error, err error) {
	for part := range parts {
		written, err := write(ctx, c, part)
		if err != nil && slices.Contains(results, nil) {
			return nil, fmt.Errorf("%w: %w", persistence.ErrUnknown, err)
		}
		if err != nil {
			return nil, err
		}
		results = append(results, written...)
	}
	return results, nil
}

// bookAtOnce writes a batch as one statement. The error is 22012 when some of it clashes
// and nothing was done.
//
// The seats' own guard is the upsert in sold, which takes a seat only on legs that are
// free, as it is after waiting for others. What it refuses although the checks before
// let it through is noticed by counting, and the division by zero undoes everything;
// so is an id that comes twice, or that another statement has just written.
//
// All that is looked up is looked up by a scalar subquery: as a join it may scan the
// whole table for each sale. The conditions that leave sales out are plain booleans: of
// those the planner expects half to be true, of comparisons one in 200, and then it
// compares every sale with every other. Rows are locked and written in one order, trains first, so
// that two statements never wait for each other.
func bookAtOnce(ctx context.Context, c *conn, sales []persistence.Sale) ([]error, error) {
	const write = `
		WITH req AS MATERIALIZED (
			SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[], $7::timestamptz[])
				WITH ORDINALITY AS r (id, train_id, user_id, legs, epoch, owner, booked_at, n)),
		guard AS MATERIALIZED (
			SELECT id, epoch, owner, deleted_at FROM trains WHERE id = ANY ($2) ORDER BY id FOR SHARE),
		judged AS MATERIALIZED (
			SELECT *, verdict IS NULL AS open FROM (
				SELECT r.*, CASE
					WHEN g.id IS NULL THEN 'gone'
					WHEN g.epoch <> r.epoch OR g.owner IS DISTINCT FROM r.owner THEN 'fenced'
					WHEN g.deleted_at IS NOT NULL THEN 'gone'
					ELSE (SELECT CASE WHEN b.cancelled_at IS NULL THEN 'done' ELSE 'conflict' END FROM bookings b WHERE b.id = r.id)
					END AS verdict
				FROM req r LEFT JOIN guard g ON g.id = r.train_id) AS r),
		want AS MATERIALIZED (
			SELECT j.n, j.train_id, w.seat_number, w.place, j.legs, coalesce((
				SELECT s.legs & j.legs = 0 FROM seats s
				WHERE s.train_id = j.train_id AND s.seat_number = w.seat_number), true) AS free
			FROM unnest($8::bigint[], $9::int[]) WITH ORDINALITY AS w (n, seat_number, place) JOIN judged j USING (n)
			WHERE j.open),
		free AS MATERIALIZED (
			SELECT n, array_agg(seat_number ORDER BY place) AS seats FROM want
			GROUP BY n HAVING bool_and(free)),
		change AS MATERIALIZED (
			SELECT train_id, seat_number, bit_or(legs) AS legs, sum(legs) = bit_or(legs) AS disjoint
			FROM want JOIN free USING (n) GROUP BY train_id, seat_number),
		sold AS (
			INSERT INTO seats (train_id, seat_number, legs)
			SELECT train_id, seat_number, legs FROM change WHERE disjoint ORDER BY train_id, seat_number
			ON CONFLICT (train_id, seat_number)
			DO UPDATE SET legs = seats.legs | excluded.legs WHERE seats.legs & excluded.legs = 0
			RETURNING 1),
		recorded AS (
			INSERT INTO bookings (` + bookingColumns + `, epoch)
			SELECT j.id, j.train_id, j.user_id, j.legs, f.seats, j.booked_at, NULL, j.epoch
			FROM judged j JOIN free f USING (n) ORDER BY j.id
			ON CONFLICT (id) DO NOTHING
			RETURNING 1)
		SELECT
			array(SELECT coalesce(j.verdict, CASE WHEN f.n IS NULL THEN 'conflict' ELSE 'done' END)
				FROM judged j LEFT JOIN free f USING (n) ORDER BY j.n),
			1 / (CASE WHEN (SELECT count(*) FROM sold) = (SELECT count(*) FROM change)
				AND (SELECT count(*) FROM recorded) = (SELECT count(*) FROM free)
				AND (SELECT count(DISTINCT id) = count(*) FROM req) THEN 1 ELSE 0 END)`
	scan := func(r row) (verdicts []string, err error) {
		var whole int
		err = r.Scan(&verdicts, &whole)
		return verdicts, err
	}
	verdicts, err := first(ctx, c, scan, write, columnsOf(sales)...)
	if err != nil {
		return nil, err
	}
	results := make([]error, len(verdicts))
	for i, verdict := range verdicts {
		results[i] = verdictError(verdict)
	}
	return results, nil
}

// columnsOf returns the parameters of bookAtOnce: seven arrays with an entry for each
// sale, then two with an entry for each seat, the number of its sale (from 1) first.
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
		sets, times = append(sets, legs(b.Legs)), append(times, b.BookedAt)
		epochs, owners = append(epochs, sale.Guard.Epoch), append(owners, id(sale.Guard.Owner))
		for _, seat := range b.Seats {
			numbers, seats = append(numbers, int64(i+1)), append(seats, int32(seat)) //nolint:gosec // MaxCapacity is 20,000
		}
	}
	return []any{ids, trains, users, sets, epochs, owners, times, numbers, seats}
}
