package history

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Never is the return of an operation whose outcome is unknown, and the end of what is
// not known to end.
const Never = time.Duration(1<<62 - 1)

// Kind is what an operation asks for.
type Kind string

// The operations, each on one seat. A look at a train is one for each of its seats.
const (
	Hold    Kind = "hold"
	Confirm Kind = "confirm"
	Release Kind = "release"
	Cancel  Kind = "cancel"
	Look    Kind = "look"
	// Stored is what the store had of the seat when everything was over: Booking, if it
	// was booked.
	Stored Kind = "stored"
)

// Result is how an operation was answered.
type Result string

// The results. What is refused carries the code of the API.
const (
	Done        Result = "done"
	NotExecuted Result = "not_executed"
	Unknown     Result = "unknown"
	Locked      Result = Result(booking.CodeSeatLocked)
	Booked      Result = Result(booking.CodeSeatBooked)
	NotLocked   Result = Result(booking.CodeSeatNotLocked)
	NotFound    Result = Result(booking.CodeNotFound)
)

// Operation is a request about a seat and its answer. Times are since a moment that all
// operations of a history share.
type Operation struct {
	Client int             `json:"client"`
	Train  booking.TrainID `json:"train"`
	Seat   int             `json:"seat"`
	User   uuid.UUID       `json:"user"`
	Kind   Kind            `json:"kind"`
	Result Result          `json:"result"`
	Call   time.Duration   `json:"call"`
	Return time.Duration   `json:"return"` // also of an unknown one: when the client gave up

	Hold    booking.HoldID    `json:"hold,omitzero"`    // asked for, or answered
	Ends    time.Duration     `json:"ends,omitempty"`   // of a hold that was answered
	Booking uuid.UUID         `json:"booking,omitzero"` // asked for, or answered
	State   booking.SeatState `json:"state,omitempty"`  // what a look saw
	Again   bool              `json:"again,omitempty"`  // the same was asked before, with an unknown outcome
	Detail  string            `json:"detail,omitempty"` // of a failure, for people
}

func (o Operation) String() string {
	text := fmt.Sprintf("%s by %.8s: %s", o.Kind, o.User, o.Result)
	if o.Kind == Look {
		return fmt.Sprintf("look: %s", o.State)
	}
	if o.Kind == Stored {
		return fmt.Sprintf("stored: booking %.8s", o.Booking)
	}
	if !o.Hold.IsZero() {
		text += " hold …" + o.Hold.String()[len(o.Hold.String())-6:]
	}
	if o.Ends != 0 {
		text += " until " + o.Ends.Round(time.Millisecond).String()
	}
	if o.Booking != uuid.Nil {
		text += fmt.Sprintf(" booking %.8s", o.Booking)
	}
	return text
}

// Loss is when Redis lost its data: at some moment between two.
type Loss struct{ From, To time.Duration }

// History is everything that is known of a run, or of its trains of a while.
type History struct {
	Operations []Operation
	Losses     []Loss
	// Stored says for each booking in the store, live or cancelled, whether it is live.
	Stored map[uuid.UUID]bool
}
