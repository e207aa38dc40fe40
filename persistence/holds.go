package persistence

import (
	"context"
	"time"

	"trainbooking.dev/booking"
)

// HoldOp is what to do with a hold.
type HoldOp int

// The operations on a hold.
const (
	// HoldPut writes the hold as it is, Released or not, over one with the same id.
	HoldPut HoldOp = iota
	// HoldDrop forgets it: it became a booking, or tells nothing any more, or its train is
	// deleted.
	HoldDrop
)

// HoldWrite is one operation on a hold, with the activation that decided it.
type HoldWrite struct {
	Guard Guard
	Op    HoldOp
	Hold  booking.Hold // its ID carries the train
}

// Holds keeps holds, unless they are dropped, until booking.HoldRetention after their
// deadline, so that a hold outlives the process that took it.
type Holds interface {
	// WriteHolds does a batch and returns one result for each, in order: nil, ErrFenced or,
	// of a store that does each apart, what became of this one: ErrUnknown, or another
	// error if it was not done. With a non-nil error none was done, or with ErrUnknown any.
	WriteHolds(ctx context.Context, writes []HoldWrite) ([]error, error)
	// LoadHolds returns the holds of a train that are kept at now: live ones, and ended
	// ones within booking.HoldRetention of their deadline. The order is not defined.
	LoadHolds(ctx context.Context, id booking.TrainID, now time.Time) ([]booking.Hold, error)
	// TrainsWithHolds returns the trains that have a live hold at now.
	TrainsWithHolds(ctx context.Context, now time.Time) ([]booking.TrainID, error)
}
