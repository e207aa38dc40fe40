package activation

import (
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Effect is something to do. Execute the effects of a step in their order, without waiting for the
// results.
type Effect interface{ effect() }

// The steps of a load. Each asks for the event in its comment.
type (
	// FindEpoch finds the train's epoch: EpochFound.
	FindEpoch struct{}
	// AcquireLease acquires the lease for the guard's owner: LeaseAcquired. LeaseLost follows if
	// the term ends early.
	AcquireLease struct{ Guard persistence.Guard }
	// Adopt makes this activation current, unless the epoch is no longer Old: Adopted.
	Adopt struct {
		Guard persistence.Guard
		Old   int64
	}
	// ReadHolds loads the live holds: HoldsRead.
	ReadHolds struct{}
	// ReadTrain loads the train: TrainRead. Became are the bookings that its holds
	// would become.
	ReadTrain struct{ Became []uuid.UUID }
)

// ReadHistory reads what a user had on the train: HistoryRead.
type ReadHistory struct {
	User uuid.UUID
	call *call
}

// Write is an effect that asks for Written.
type Write interface {
	Effect
	// For returns the request that the write is for; nil if it is for none.
	For() *Request
	written(error)
}

// write is what all writes have in common.
type write struct {
	request *Request
	then    func(error)
}

func (w *write) For() *Request     { return w.request }
func (w *write) written(err error) { w.then(err) }

// The writes.
type (
	// WriteHold stores or drops a hold. Writes of one activation are executed in their order.
	WriteHold struct {
		write
		persistence.HoldWrite
	}
	// WriteSale books.
	WriteSale struct {
		write
		persistence.Sale
	}
	// WriteExchange books and cancels another booking, perhaps of another train.
	WriteExchange struct {
		write
		persistence.Exchange
	}
	// WriteCancellation cancels a booking.
	WriteCancellation struct {
		write
		Guard   persistence.Guard
		Booking uuid.UUID
		At      time.Time
		By      booking.Canceller
		Seats   []int // nil: all of the booking
	}
	// WriteChange changes the train.
	WriteChange struct {
		write
		Guard persistence.Guard
		To    booking.Train
	}
	// WriteDeletion deletes the train, then drops its holds, then removes it from the catalogue
	// of every process. If a later part fails, the outcome is unknown.
	WriteDeletion struct {
		write
		Guard persistence.Guard
		persistence.Deletion
		Holds []booking.Hold
	}
)

type (
	// Serve reports that the load has succeeded. Train is the train as it is stored.
	Serve struct{ Train *booking.Train }
	// Reply responds to a request.
	Reply struct {
		To *Request
		Response
	}
	// Announce announces the changed train to every process and responds when all have it.
	Announce struct {
		To    *Request
		Train booking.Train
	}
	// Publish makes a snapshot visible to readers; nil hides the last one.
	Publish struct{ Snapshot *booking.Snapshot }
	// SetTimer asks for a Tick at a time, and replaces the SetTimer before.
	SetTimer struct{ At time.Time }
	// Report reports an occurrence, for logs and metrics.
	Report struct {
		Occurrence
		Count int
		Err   error // what caused it, if that is known
		Seats []int // the seats that are Inconsistent
	}
	// Close is the last effect: release the lease, then respond to the requests that waited. Drop
	// events that arrive later.
	Close struct {
		Waiting []*Request // respond with Retry
		// Handoff is for the next activation in this process. nil: keep the one that is there.
		Handoff *Handoff
		// Reactivate reports that the train has live holds, which only an activation expires.
		Reactivate bool
	}
)

// Handoff is what an activation leaves to the next one in the same process. If no other process
// owned the train in between, its holds are authoritative, even if their store lost them.
type Handoff struct {
	Epoch int64
	Holds []booking.Hold
}

func (FindEpoch) effect()          {}
func (AcquireLease) effect()       {}
func (Adopt) effect()              {}
func (ReadHolds) effect()          {}
func (ReadTrain) effect()          {}
func (*ReadHistory) effect()       {}
func (*WriteHold) effect()         {}
func (*WriteSale) effect()         {}
func (*WriteExchange) effect()     {}
func (*WriteCancellation) effect() {}
func (*WriteChange) effect()       {}
func (*WriteDeletion) effect()     {}
func (Serve) effect()              {}
func (Reply) effect()              {}
func (Announce) effect()           {}
func (Publish) effect()            {}
func (SetTimer) effect()           {}
func (Report) effect()             {}
func (Close) effect()              {}

// Occurrence is a state that is rare, or that an operator wants to see. Tests of faults require
// that each of them occurs.
type Occurrence string

// The occurrences.
const (
	// Expired counts holds that expired.
	Expired Occurrence = "expired"
	// Fenced is a write that was refused because another activation owns the train.
	Fenced Occurrence = "fenced"
	// Unknown is a write whose outcome is unknown.
	Unknown Occurrence = "unknown"
	// Resolved is a definite response to a request whose earlier attempt may have been executed.
	Resolved Occurrence = "resolved"
	// Conflict is a write that the store refused as contradicting what it has.
	Conflict Occurrence = "conflict"
	// LastingConflict is a request that met a Conflict before, and was then refused with 409.
	LastingConflict Occurrence = "lasting_conflict"
	// TakeoverDuringConfirm is a sale in flight when its activation was fenced or lost its lease.
	TakeoverDuringConfirm Occurrence = "takeover_during_confirm"
	// HoldStoredAgain counts holds that are stored again because their store may have lost them.
	HoldStoredAgain Occurrence = "hold_stored_again"
	// Inconsistent is a load that found seats and bookings that differ.
	Inconsistent Occurrence = "inconsistent"
	// NotLoaded is a load that failed.
	NotLoaded Occurrence = "not_loaded"
)

// Occurrences lists every Occurrence.
var Occurrences = []Occurrence{
	Expired, Fenced, Unknown, Resolved, Conflict, LastingConflict, TakeoverDuringConfirm, HoldStoredAgain, Inconsistent, NotLoaded,
}
