package persistence

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

// HoldOp is an operation on a hold.
type HoldOp int

// The operations on a hold.
const (
	// HoldPut stores the hold, replacing one with the same id.
	HoldPut HoldOp = iota
	// HoldDrop deletes the hold: it became a booking, its record is superseded, or its train
	// is deleted.
	HoldDrop
)

// HoldWrite is an operation on a hold, and the activation that decided it.
type HoldWrite struct {
	Guard Guard
	Op    HoldOp
	Hold  booking.Hold // its ID carries the train
}

// Holds stores holds until they are dropped or booking.HoldRetention has passed since their
// deadline, so that a hold outlives the process that made it.
type Holds interface {
	// WriteHolds executes a batch and returns one result per write, in order: nil or
	// ErrFenced, or, from a store that executes the writes separately, any other error of
	// that write. If err is not nil, no write was executed, unless err is ErrUnknown.
	WriteHolds(ctx context.Context, writes []HoldWrite) ([]error, error)
	// LoadHolds returns the holds of a train, in no order: those that are live at now, and
	// ended ones until booking.HoldRetention after their deadline.
	LoadHolds(ctx context.Context, id booking.TrainID, now time.Time) ([]booking.Hold, error)
	// TrainsWithHolds returns the trains that have a hold that is live at now.
	TrainsWithHolds(ctx context.Context, now time.Time) ([]booking.TrainID, error)
}
