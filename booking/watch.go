package booking

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// SeatWatch returns the changes of the seats on a segment of a train, in their order. It is for use
// by one goroutine.
type SeatWatch interface {
	// Next waits for the next event. It returns io.EOF after the last one, EventDeparted or EventWithdrawn;
	// the error of ctx if that ends first, after which it can be called again; unavailable if the state of
	// the train could not be read for a while.
	Next(ctx context.Context) (*SeatEvent, error)
	// Close ends the watch. Call it once.
	Close()
}

// SeatEventType is the type of a SeatEvent.
type SeatEventType string

// The types of events.
const (
	EventSeats     SeatEventType = "seats"     // the state of every seat: the first event
	EventSeat      SeatEventType = "seat"      // the seats that have changed together
	EventResync    SeatEventType = "resync"    // as EventSeats: the watcher has missed changes, or the train has changed
	EventDeparted  SeatEventType = "departed"  // the train has left the stop where the segment begins
	EventWithdrawn SeatEventType = "withdrawn" // the train is not sold any more, or not on this segment
)

// Whole reports whether an event of the type has the state of every seat.
func (t SeatEventType) Whole() bool { return t == EventSeats || t == EventResync }

// Last reports whether no event follows one of the type.
func (t SeatEventType) Last() bool { return t == EventDeparted || t == EventWithdrawn }

// SeatEvent is what happened to the seats on a segment. It is immutable and shared by watchers.
//
// A seat that changes back before the next event is in no event. A watcher that applies the events in their
// order sees only states that each seat had, in the order in which it had them.
type SeatEvent struct {
	ID       EventID
	Type     SeatEventType
	From, To string // the stations as the train spells them, if the event is Whole
	Seats    []Seat // in order of number
	Memo     *Memo  // keeps an encoded form
}

// EventID identifies the state of a train after an event: the Epoch of the activation that published it,
// and its number there. If no process owned the train, Epoch is 0 and Sequence is the time at which the
// state was read, in microseconds since 1970. The zero value identifies nothing.
type EventID struct{ Epoch, Sequence int64 }

// String returns the two numbers with a hyphen between them.
func (id EventID) String() string { return fmt.Sprintf("%d-%d", id.Epoch, id.Sequence) }

// ParseEventID parses the form of String. It returns the zero value for any other text.
func ParseEventID(text string) EventID {
	first, second, _ := strings.Cut(text, "-")
	epoch, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return EventID{}
	}
	sequence, err := strconv.ParseInt(second, 10, 64)
	if err != nil {
		return EventID{}
	}
	return EventID{epoch, sequence}
}
