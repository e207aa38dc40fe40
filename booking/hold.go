package booking

import (
	"time"

	"github.com/google/uuid"
)

// The bounds and defaults of holds.
const (
	DefaultHoldTTL  = 3 * time.Minute
	MinHoldTTL      = time.Second
	MaxHoldTTL      = 24 * time.Hour
	DefaultMaxHolds = 10

	// HoldRetention is how long a hold that ended without a booking, or a booking that was
	// cancelled, is remembered, so that a late confirm by seat alone is never taken for
	// one of another segment (docs/decisions/0003).
	HoldRetention = time.Hour
)

// Hold is seats of one train locked for one user on one segment until ExpiresAt.
type Hold struct {
	ID        HoldID
	User      uuid.UUID
	Legs      Legs      // one segment
	Seats     []int     // seat numbers, ascending, at least one
	ExpiresAt time.Time // UTC, whole milliseconds; from then on it is over
	Released  bool      // ended early by its user; kept for HoldRetention after ExpiresAt
}

// HoldRequest asks for a hold of named seats, or of Count seats that the train
// chooses (adjacent where there are such, lowest numbers first). Exactly one of
// Seats and Count is set. From and To are stations; empty means the train's ends.
type HoldRequest struct {
	ID       HoldID `json:",omitzero"` // made once a request, so that it is the same when sent again
	User     uuid.UUID
	Train    TrainID
	Seats    []int
	Count    int
	From, To string
}

// HoldRef says which hold a confirm or release means: by its id, or by one of its
// seats, which is enough as long as the user has had one segment of that seat.
// With both, the seat must be one of the hold's.
type HoldRef struct {
	User  uuid.UUID
	Train TrainID
	Seat  int    // 0 when not given
	Hold  HoldID `json:",omitzero"` // zero when not given
}
