package activation

import (
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Event is something that has happened. Where an effect asks for an event, deliver that event
// once, even after a failure.
type Event interface{ event() }

type (
	// Start begins the load. It is the first event.
	Start struct{}
	// Stop asks the activation to close when nothing is in flight.
	Stop struct{}
	// LeaseLost reports that the lease term has ended early.
	LeaseLost struct{}
	// Recovered reports that the store of holds responds again after an outage, in which it may
	// have lost data.
	Recovered struct{}
	// Arrived is a request. The machine responds to it once, unless it panics.
	Arrived struct{ Request *Request }
	// Tick reports that the time of a SetTimer has come. At is when the timer fired: requests that
	// were queued since may have arrived before later deadlines.
	Tick struct{ At time.Time }

	// EpochFound is the result of FindEpoch.
	EpochFound struct {
		Epoch int64
		Err   error
	}
	// LeaseAcquired is the result of AcquireLease. One of the fields is set.
	LeaseAcquired struct {
		Term  Term
		Owner string // the address of the process that has the lease
		Err   error
	}
	// Adopted is the result of Adopt.
	Adopted struct {
		Epoch int64
		Err   error
	}
	// HoldsRead is the result of ReadHolds.
	HoldsRead struct {
		Holds []booking.Hold
		Err   error
	}
	// TrainRead is the result of ReadTrain.
	TrainRead struct {
		Train persistence.LoadedTrain
		Err   error
	}
	// HistoryRead is the result of ReadHistory.
	HistoryRead struct {
		Of      *ReadHistory
		History booking.History
		Err     error
	}
	// Written is the result of a write.
	Written struct {
		Write Write
		Err   error
	}
)

func (Start) event()         {}
func (Stop) event()          {}
func (LeaseLost) event()     {}
func (Recovered) event()     {}
func (Arrived) event()       {}
func (Tick) event()          {}
func (EpochFound) event()    {}
func (LeaseAcquired) event() {}
func (Adopted) event()       {}
func (HoldsRead) event()     {}
func (TrainRead) event()     {}
func (HistoryRead) event()   {}
func (Written) event()       {}

// Term is a lease term.
type Term interface {
	// Valid reports whether the term lasts at now.
	Valid(now time.Time) bool
	// Shared reports whether another process may own the train after the term.
	Shared() bool
}
