package history

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Never is the return of an operation whose outcome is unknown, and the end of a hold
// whose end is unknown.
const Never = time.Duration(1<<62 - 1)

// Kind is the kind of an operation. The check ignores kinds that are not listed here.
type Kind string

// The kinds of operations.
const (
	Hold    Kind = "hold"
	Confirm Kind = "confirm"
	Release Kind = "release"
	Cancel  Kind = "cancel"
	SeatMap Kind = "seat map"
	// Delete deletes a train; with Force it cancels the train's bookings.
	Delete Kind = "delete"

	// final compares a register with the store after the last operation.
	final Kind = "final"
)

// Result is how an operation ended.
type Result string

// The results. A refusal has the code of the API's error.
const (
	Done        Result = "done"
	NotExecuted Result = "not_executed"
	Unknown     Result = "unknown"
	Locked      Result = Result(booking.CodeSeatLocked)
	Booked      Result = Result(booking.CodeSeatBooked)
	NotLocked   Result = Result(booking.CodeSeatNotLocked)
	NotFound    Result = Result(booking.CodeNotFound)
	TooMany     Result = Result(booking.CodeTooManyHolds)
	NotEnough   Result = Result(booking.CodeNotEnoughSeats)
	HeldTooLong Result = Result(booking.CodeHeldTooLong)
	HasBookings Result = Result(booking.CodeHasBookings)
	// HoldEnded: the response to a repeated request named a hold that had ended before the
	// request was sent.
	HoldEnded Result = "hold_ended"
)

// Operation is one request and its response. Times are offsets from the start of the
// Recorder.
type Operation struct {
	Client int             `json:"client"`
	User   uuid.UUID       `json:"user"`
	Kind   Kind            `json:"kind"`
	Train  booking.TrainID `json:"train,omitzero"`
	Seats  []int           `json:"seats,omitempty"` // nil: unknown, for example of a failed hold by count
	Legs   booking.Legs    `json:"legs,omitempty"`
	Force  bool            `json:"force,omitempty"` // of a Delete
	Call   time.Duration   `json:"call"`
	Return time.Duration   `json:"return"` // for an unknown outcome, when the client stopped waiting
	Result Result          `json:"result"`
	Code   booking.Code    `json:"code,omitempty"`   // of the error
	Detail string          `json:"detail,omitempty"` // the error, for people

	Hold    booking.HoldID      `json:"hold,omitzero"`    // in the request or the response
	Ends    time.Duration       `json:"ends,omitempty"`   // of a hold that was made or found
	Booking uuid.UUID           `json:"booking,omitzero"` // in the request or the response
	States  []booking.SeatState `json:"states,omitempty"` // of a seat map, in the order of Seats
}

// Failed reports whether the operation got no definite response.
func (o *Operation) Failed() bool { return o.Result == NotExecuted || o.Result == Unknown }

func (o *Operation) String() string {
	text := fmt.Sprintf("%s by %.8s: %s", o.Kind, o.User, o.Result)
	if len(o.Seats) > 0 && o.Kind != SeatMap {
		text += fmt.Sprintf(" seats %v %s", o.Seats, o.Legs)
	}
	if !o.Hold.IsZero() {
		text += " hold …" + tail(o.Hold)
	}
	if o.Ends != 0 {
		text += " until " + o.Ends.Round(time.Millisecond).String()
	}
	if o.Booking != uuid.Nil {
		text += fmt.Sprintf(" booking %.8s", o.Booking)
	}
	return text
}

// tail returns the end of a hold id, which is unique enough within a history.
func tail(id booking.HoldID) string { return id.String()[len(id.String())-6:] }

// Loss is the interval in which Redis lost its data.
type Loss struct{ From, To time.Duration }

// History is the record of a run.
type History struct {
	Operations []Operation
	Losses     []Loss
	Violations []string // responses that contradict themselves or earlier ones

	// Stored are the bookings in the store after the last operation, at least those of all
	// users in the history. nil: unknown.
	Stored []booking.Booking
	// LiveOnly means that Stored lacks cancelled bookings.
	LiveOnly bool
	// Shared means that other users, whose operations are not recorded, use the same seats. So
	// the history does not explain all refusals and seat maps.
	Shared bool
	// MaxSeats is the limit of seats that a user may hold on a train (I9). 0: not checked.
	MaxSeats int
}

// Confirmed returns the booking ids of all confirms, also of failed ones.
func (h *History) Confirmed() []uuid.UUID {
	ids := map[uuid.UUID]bool{}
	for i := range h.Operations {
		if o := &h.Operations[i]; o.Kind == Confirm {
			ids[booking.BookingIDOf(o.User, o.Hold)] = true
		}
	}
	return slices.Collect(maps.Keys(ids))
}

// Trains returns the trains of all operations on seats.
func (h *History) Trains() []booking.TrainID {
	ids := map[booking.TrainID]bool{}
	for i := range h.Operations {
		if o := &h.Operations[i]; len(o.Seats) > 0 {
			ids[o.Train] = true
		}
	}
	return slices.Collect(maps.Keys(ids))
}
