package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pages of seats keep room for a second version of a row, so that a hold, which changes no indexed
// column, needs no new index entry.
const seatSchema = `
	CREATE TABLE trains (
		id uuid PRIMARY KEY, name text NOT NULL, capacity int NOT NULL,
		source text NOT NULL, destination text NOT NULL, created_at timestamptz NOT NULL DEFAULT now()
	);
	CREATE INDEX trains_by_route ON trains (lower(source), lower(destination));
	CREATE TABLE seats (
		train_id uuid NOT NULL, number smallint NOT NULL,
		held_by uuid, held_until timestamptz, booked_by uuid, booked_at timestamptz,
		PRIMARY KEY (train_id, number)
	) WITH (fillfactor = 60);
	CREATE INDEX seats_by_buyer ON seats (booked_by, booked_at) WHERE booked_by IS NOT NULL;`

// free is the condition of a seat that can be held.
const free = ` booked_by IS NULL AND (held_until IS NULL OR held_until <= now()) `

// seatRows is peer A: a row for each seat, and nothing but Postgres. pgx prepares each statement once
// for a connection.
type seatRows struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, url string, connections int) (*seatRows, error) {
	pool, err := openPool(ctx, url, connections, seatSchema)
	return &seatRows{pool}, err
}

// openPool connects and creates the tables.
func openPool(ctx context.Context, url string, connections int, schema string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MinConns, config.MaxConns = int32(connections), int32(connections) //nolint:gosec // a flag
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, schema)
	return pool, err
}

func (p *seatRows) Close() { p.pool.Close() }

func (p *seatRows) Put(ctx context.Context, t train) error {
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO trains (id, name, capacity, source, destination) VALUES ($1, $2, $3, $4, $5)`,
		t.ID, t.Name, t.Capacity, t.Source, t.Destination)
	batch.Queue(`INSERT INTO seats (train_id, number) SELECT $1, generate_series(1, $2::int)`, t.ID, t.Capacity)
	return p.pool.SendBatch(ctx, batch).Close()
}

func (p *seatRows) Search(ctx context.Context, from, to string) ([]availability, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT t.id, t.name, t.capacity, t.source, t.destination, t.capacity - s.booked, coalesce(s.free, '{}')
		FROM trains t, LATERAL (
			SELECT count(booked_by) AS booked, array_agg(number ORDER BY number) FILTER (WHERE `+free+`) AS free
			FROM seats WHERE train_id = t.id
		) s
		WHERE lower(t.source) = lower($1) AND lower(t.destination) = lower($2)
		ORDER BY t.created_at, t.id`, from, to)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a availability, err error) {
		err = row.Scan(&a.TrainID, &a.TrainName, &a.Capacity, &a.Source, &a.Destination, &a.Remaining, &a.SeatAvailable)
		a.IsFull = a.Remaining == 0
		return a, err
	})
}

func (p *seatRows) Hold(ctx context.Context, user uuid.UUID, s seat) (until time.Time, err error) {
	err = p.pool.QueryRow(ctx, `
		UPDATE seats SET held_by = $3, held_until = now() + $4::interval
		WHERE train_id = $1 AND number = $2 AND booked_by IS NULL
			AND (held_until IS NULL OR held_until <= now() OR held_by = $3)
		RETURNING held_until`, s.Train, s.Number, user, holdTime).Scan(&until)
	if errors.Is(err, pgx.ErrNoRows) {
		return until, p.whyNot(ctx, s)
	}
	return until, err
}

// whyNot returns why a seat cannot be held.
func (p *seatRows) whyNot(ctx context.Context, s seat) error {
	var isBooked bool
	err := p.pool.QueryRow(ctx, `SELECT booked_by IS NOT NULL FROM seats WHERE train_id = $1 AND number = $2`,
		s.Train, s.Number).Scan(&isBooked)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errNotFound
	case err != nil:
		return err
	case isBooked:
		return errSeatBooked
	}
	return errSeatLocked
}

// HoldSome holds the lowest numbers that nobody else is taking at this moment.
func (p *seatRows) HoldSome(ctx context.Context, user, train uuid.UUID, count int) (numbers []int16, until time.Time, err error) {
	rows, err := p.pool.Query(ctx, `
		WITH chosen AS MATERIALIZED (
			SELECT number FROM seats WHERE train_id = $1 AND `+free+`
			ORDER BY number LIMIT $3 FOR UPDATE SKIP LOCKED
		)
		UPDATE seats s SET held_by = $2, held_until = now() + $4::interval FROM chosen
		WHERE s.train_id = $1 AND s.number = chosen.number AND (SELECT count(*) FROM chosen) = $3
		RETURNING s.number, s.held_until`, train, user, count, holdTime)
	if err != nil {
		return nil, until, err
	}
	var number int16
	_, err = pgx.ForEachRow(rows, []any{&number, &until}, func() error {
		numbers = append(numbers, number)
		return nil
	})
	if err == nil && len(numbers) == 0 {
		err = errSeatLocked
	}
	return numbers, until, err
}

// Confirm may be repeated.
func (p *seatRows) Confirm(ctx context.Context, user uuid.UUID, s seat) (at time.Time, err error) {
	err = p.pool.QueryRow(ctx, `
		UPDATE seats SET booked_by = $3, booked_at = coalesce(booked_at, now())
		WHERE train_id = $1 AND number = $2
			AND (booked_by = $3 OR booked_by IS NULL AND held_by = $3 AND held_until > now())
		RETURNING booked_at`, s.Train, s.Number, user).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, errSeatNotLocked
	}
	return at, err
}

func (p *seatRows) Bookings(ctx context.Context, user uuid.UUID) ([]booked, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT t.id, t.name, s.number, t.source, t.destination FROM seats s JOIN trains t ON t.id = s.train_id
		WHERE s.booked_by = $1 ORDER BY s.booked_at`, user)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[booked])
}
