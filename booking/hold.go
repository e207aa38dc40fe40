package booking

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// The bounds and defaults of holds.
const (
	DefaultHoldTTL  = 3 * time.Minute
	MinHoldTTL      = time.Second
	MaxHoldTTL      = 24 * time.Hour
	DefaultMaxHolds = 10

	DefaultReholdPause = DefaultHoldTTL

	// HoldRetention is how long the stores keep a hold that ended without a booking. During that
	// time, and as long after a cancellation, a late confirm by seat alone is refused as ambiguous
	// rather than applied to another segment (docs/decisions/0003, 0010).
	HoldRetention = time.Hour
)

// Hold is seats of one train locked for one user on one segment until ExpiresAt.
type Hold struct {
	ID        HoldID
	User      uuid.UUID
	Legs      Legs      // one segment
	Seats     []int     // seat numbers, ascending, at least one
	ExpiresAt time.Time // UTC, whole milliseconds; the hold has ended at this time
	Extended  bool      // ends one TTL later than at first
	Released  bool      // ended early by its user; kept for HoldRetention after ExpiresAt
	// Incarnation is that of the train, in a store of holds. 0 elsewhere, and if the version that
	// stored the hold did not know it.
	Incarnation Incarnation
}

// BelongsTo reports whether the hold is of this train, rather than of a deleted one with its id.
func (h *Hold) BelongsTo(t *Train) bool {
	return h.Incarnation == 0 || h.Incarnation == t.Incarnation()
}

// HoldOnTrain is a hold with its train.
type HoldOnTrain struct {
	Hold
	On *Train
}

// HoldRequest asks for a hold of named seats, or of Count seats that the train
// chooses (SeatMap.choose). Exactly one of
// Seats and Count is set. From and To are stations; empty means the first and the last stop.
type HoldRequest struct {
	ID       HoldID `json:",omitzero"` // made before the first attempt; a retry has the same id
	User     uuid.UUID
	Train    TrainID
	Seats    []int
	Count    int
	From, To string
	// BestAlternative asks for the nearest free seat in place of each of Seats that is not free.
	BestAlternative bool
	// Unlimited exempts the user from HoldRules.MaxSeatsPerUser.
	Unlimited bool
}

// HoldRef identifies the hold to confirm or release: by its id, or by one of its seats,
// which is ambiguous if the user has had several segments of that seat. If both are given,
// the seat must belong to the hold.
type HoldRef struct {
	User  uuid.UUID
	Train TrainID
	Seat  int    // 0 when not given
	Hold  HoldID `json:",omitzero"` // zero when not given
	// Seats are those of Hold to confirm or release, ascending; nil: all. The others stay held. It
	// requires Hold, and excludes Seat.
	Seats []int
}

// Matches reports whether ref refers to h: h belongs to the same user, and has the id and the
// seat that ref gives.
func (ref HoldRef) Matches(h Hold) bool {
	given := ref.Seat != 0 || !ref.Hold.IsZero()
	return given && h.User == ref.User && (ref.Hold.IsZero() || h.ID == ref.Hold) && ref.matchesSeat(h.Seats)
}

func (ref HoldRef) matchesSeat(seats []int) bool {
	return ref.Seat == 0 || slices.Contains(seats, ref.Seat)
}
