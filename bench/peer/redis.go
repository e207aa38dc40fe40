package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

const bookingSchema = `
	CREATE TABLE trains (
		id uuid PRIMARY KEY, name text NOT NULL, capacity int NOT NULL, source text NOT NULL, destination text NOT NULL
	);
	CREATE TABLE bookings (
		train_id uuid NOT NULL, number smallint NOT NULL, user_id uuid NOT NULL,
		booked_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (train_id, number)
	);
	CREATE INDEX bookings_by_user ON bookings (user_id, booked_at);`

// sold is the value of the key of a booked seat, which does not expire. The key of a held seat has
// the user's id. If Redis loses a key, the primary key of bookings refuses a second sale.
const sold = "sold"

// seatKeys is peer B: holds are keys in Redis, bookings are rows in Postgres.
type seatKeys struct {
	pool  *pgxpool.Pool
	redis *redis.Client
	// capacities by train, so that no key is made for a seat that does not exist. They do not change.
	capacities sync.Map
}

func openRedis(ctx context.Context, database, address string, connections int) (*seatKeys, error) {
	pool, err := openPool(ctx, database, connections, bookingSchema)
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(&redis.Options{Addr: address})
	return &seatKeys{pool: pool, redis: client}, client.Ping(ctx).Err()
}

func (p *seatKeys) Close() {
	p.pool.Close()
	_ = p.redis.Close() // it is not used any more
}

func (p *seatKeys) Put(ctx context.Context, t train) error {
	_, err := p.pool.Exec(ctx, `INSERT INTO trains (id, name, capacity, source, destination) VALUES ($1, $2, $3, $4, $5)`,
		t.ID, t.Name, t.Capacity, t.Source, t.Destination)
	return err
}

func (p *seatKeys) exists(ctx context.Context, s seat) error {
	capacity, known := p.capacities.Load(s.Train)
	if !known {
		var found int
		err := p.pool.QueryRow(ctx, `SELECT capacity FROM trains WHERE id = $1`, s.Train).Scan(&found)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNotFound
		}
		if err != nil {
			return err
		}
		capacity, _ = p.capacities.LoadOrStore(s.Train, found)
	}
	if s.Number > capacity.(int) { //nolint:forcetypeassert // no other is stored
		return errNotFound
	}
	return nil
}

func key(s seat) string { return "seat:" + s.ID().String() }

// Hold is one round trip: SET key user NX PX 180000 GET.
func (p *seatKeys) Hold(ctx context.Context, user uuid.UUID, s seat) (time.Time, error) {
	if err := p.exists(ctx, s); err != nil {
		return time.Time{}, err
	}
	until := time.Now().Add(holdTime)
	owner, err := p.redis.SetArgs(ctx, key(s), user.String(), redis.SetArgs{Mode: "NX", TTL: holdTime, Get: true}).Result()
	switch {
	case errors.Is(err, redis.Nil): // there was no such key
		return until, nil
	case err != nil:
		return until, err
	case owner == sold:
		return until, errSeatBooked
	case owner == user.String():
		return until, nil
	}
	return until, errSeatLocked
}

// Confirm may be repeated.
func (p *seatKeys) Confirm(ctx context.Context, user uuid.UUID, s seat) (at time.Time, err error) {
	owner, err := p.redis.Get(ctx, key(s)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return at, err
	}
	if owner != user.String() && owner != sold {
		return at, errSeatNotLocked
	}
	err = p.pool.QueryRow(ctx, `
		INSERT INTO bookings (train_id, number, user_id) VALUES ($1, $2, $3)
		ON CONFLICT (train_id, number) DO NOTHING RETURNING booked_at`, s.Train, s.Number, user).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return p.bookedBy(ctx, user, s)
	}
	if err != nil {
		return at, err
	}
	return at, p.redis.Set(ctx, key(s), sold, 0).Err()
}

// bookedBy returns when the user booked the seat.
func (p *seatKeys) bookedBy(ctx context.Context, user uuid.UUID, s seat) (at time.Time, err error) {
	err = p.pool.QueryRow(ctx, `SELECT booked_at FROM bookings WHERE train_id = $1 AND number = $2 AND user_id = $3`,
		s.Train, s.Number, user).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, errSeatNotLocked
	}
	if err != nil {
		return at, err
	}
	return at, p.redis.Set(ctx, key(s), sold, 0).Err()
}

func (p *seatKeys) Bookings(ctx context.Context, user uuid.UUID) ([]booked, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT t.id, t.name, b.number, t.source, t.destination FROM bookings b JOIN trains t ON t.id = b.train_id
		WHERE b.user_id = $1 ORDER BY b.booked_at`, user)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[booked])
}

// Search and HoldSome are not compared: they would be those of peer A, with a read of all keys of the
// trains on top.
func (p *seatKeys) Search(context.Context, string, string) ([]availability, error) {
	return nil, errNotFound
}

func (p *seatKeys) HoldSome(context.Context, uuid.UUID, uuid.UUID, int) ([]int16, time.Time, error) {
	return nil, time.Time{}, errNotFound
}
