package persistence

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// MaxHistory is the number of a user's past holds and bookings of one train that are kept or
// returned. It is far above what a person tries in an hour, and bounds what a client that holds
// and releases in a loop can store.
const MaxHistory = 64

// MaxUserHolds is the number of holds that a user can list. It is far above what a person has, and
// bounds what a request reads.
const MaxUserHolds = 1000

// HoldOp is an operation on a hold.
type HoldOp int

// The operations on a hold.
const (
	// HoldPut stores the hold, replacing one with the same id. A released hold may also delete
	// the released holds of its user and train that are not among the latest MaxHistory.
	HoldPut HoldOp = iota
	// HoldPutAgain is HoldPut of a hold that may be stored already. Without a reply its outcome is
	// unknown, even if the hold is found: a late execution would undo what was written since.
	HoldPutAgain
	// HoldDrop deletes the hold: it became a booking, its record is superseded, or its train
	// is deleted. Only the ID of the hold is used.
	HoldDrop
)

// HoldWrite is an operation on a hold, and the activation that decided it.
type HoldWrite struct {
	Guard Guard
	Op    HoldOp
	Hold  booking.Hold // its ID carries the train
}

// HeldTrain is what the store of holds has of a train.
type HeldTrain struct {
	Holds []booking.Hold // live at now and not released, in no order
	Owner string         // the address in the lease; "" if there is none, or no leases
}

// HeldByUser is what the store of holds has of a user.
type HeldByUser struct {
	Holds []booking.Hold // live and not released, in no order
	// Incomplete reports that there may be more: on trains that could not be read, or more than
	// MaxUserHolds.
	Incomplete bool
}

// Holds stores holds, so that a hold outlives the process that made it: live ones until they are
// dropped, ended ones until booking.HoldRetention after their deadline. Of the released holds of
// a user on a train, it keeps at most a small multiple of MaxHistory. It keeps the Incarnation of a
// hold, unless it deletes the holds of a train with it.
type Holds interface {
	// WriteHolds executes a batch and returns one result per write, in order: nil or
	// ErrFenced, or, from a store that executes the writes separately, any other error of
	// that write. If err is not nil, no write was executed, unless err is ErrUnknown.
	WriteHolds(ctx context.Context, writes []HoldWrite) ([]error, error)
	// LoadHolds returns what is stored of each of the trains. It reads no ended holds, however
	// many there are. Without the lease of a train, nothing may be decided from the result.
	LoadHolds(ctx context.Context, trains []booking.TrainID, now time.Time) ([]Result[HeldTrain], error)
	// UserHolds returns the latest holds of a user on a train, by deadline, latest first, at
	// most MaxHistory: live ones, and those that expired or were released until
	// booking.HoldRetention after their deadline.
	UserHolds(ctx context.Context, id booking.TrainID, user uuid.UUID, now time.Time) ([]booking.Hold, error)
	// HoldsOfUser returns the holds of a user on all trains that are live at now and not released. It
	// finds every one whose write was acknowledged before, unless the result is Incomplete. It is an
	// error if nothing could be read.
	HoldsOfUser(ctx context.Context, user uuid.UUID, now time.Time) (HeldByUser, error)
	// TrainsWithHolds returns the trains that have a hold that is live at now and not released, and
	// those with one that cannot be decoded.
	TrainsWithHolds(ctx context.Context, now time.Time) ([]booking.TrainID, error)
}
