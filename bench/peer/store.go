package main

import (
	"context"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// holdTime is how long a hold is valid.
const holdTime = 3 * time.Minute

// defaultConnections is the size of the pool. Of 8, 16, 32 and 64, it was the fastest for most
// workloads on two cores: so many transactions share a sync of the log.
const defaultConnections = 32

// refusal is an error that a client can cause. Its code is in the reply.
type refusal struct {
	status int
	code   string
}

func (r refusal) Error() string { return r.code }

// What a store refuses.
var (
	errSeatLocked    = refusal{http.StatusConflict, "seat_locked"}
	errSeatBooked    = refusal{http.StatusConflict, "seat_booked"}
	errSeatNotLocked = refusal{http.StatusConflict, "seat_not_locked"}
	errNotFound      = refusal{http.StatusNotFound, "not_found"}
)

// store has the trains and their seats.
type store interface {
	// Put creates a train.
	Put(ctx context.Context, t train) error
	// Search returns the trains between two stations.
	Search(ctx context.Context, from, to string) ([]availability, error)
	// Hold holds a seat for a user, until the time that it returns.
	Hold(ctx context.Context, user uuid.UUID, s seat) (until time.Time, err error)
	// HoldSome holds as many seats of a train, or none.
	HoldSome(ctx context.Context, user, train uuid.UUID, count int) (numbers []int16, until time.Time, err error)
	// Confirm books a seat that the user holds.
	Confirm(ctx context.Context, user uuid.UUID, s seat) (at time.Time, err error)
	// Bookings returns what a user has booked.
	Bookings(ctx context.Context, user uuid.UUID) ([]booked, error)
	Close()
}

type train struct {
	ID                        uuid.UUID
	Name, Source, Destination string
	Capacity                  int
}

// availability is a train in the reply to a search.
type availability struct {
	TrainID       uuid.UUID `json:"train_id"`
	TrainName     string    `json:"train_name"`
	Capacity      int       `json:"train_capacity"`
	Remaining     int       `json:"remaining_capacity"`
	IsFull        bool      `json:"is_full"`
	Source        string    `json:"source"`
	Destination   string    `json:"destination"`
	SeatAvailable []int16   `json:"seat_available"`
}

// booked is a seat in the reply to view-bookings.
type booked struct {
	TrainID     uuid.UUID `json:"train_id"`
	TrainName   string    `json:"train_name"`
	SeatNumber  int       `json:"seat_number"`
	Source      string    `json:"source"`
	Destination string    `json:"destination"`
}

// seat is a seat of a train. Its id is that of the train with the number in the last 16 bits.
type seat struct {
	Train  uuid.UUID
	Number int
}

func seatOf(id uuid.UUID) seat {
	s := seat{Train: id, Number: int(binary.BigEndian.Uint16(id[14:]))}
	s.Train[14], s.Train[15] = 0, 0
	return s
}

func (s seat) ID() uuid.UUID {
	id := s.Train
	binary.BigEndian.PutUint16(id[14:], uint16(s.Number)) //nolint:gosec // the handlers have checked it
	return id
}
