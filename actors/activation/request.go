package activation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// Request is one attempt to execute a command.
type Request struct {
	Context context.Context // ends when nobody waits for the response any more
	Command Command
	Arrived time.Time      // when the first attempt was made; deadlines are compared with it
	Respond func(Response) // executes Reply

	// What the attempts before have shown.
	Lost      bool // one of them may have been executed
	Conflicts int  // the number of them that met a conflict
}

// Response is a value or an error, or, with Retry, neither.
type Response struct {
	Value any // a booking.Hold, Booking or Train, or nil
	Err   error

	// Retry asks to send the command to the next activation. With Lost it may have been executed,
	// with Conflict the store contradicted it. Owner is the address of the process that has the
	// lease, if it is another one.
	Retry, Lost, Conflict bool
	Owner                 string
}

// Command is an operation on a train: Hold, Confirm, Exchange, Extend, Release, CheckCancel, Cancel, Change or Delete.
type Command interface {
	// run decides. It responds to the call, or arranges that something else does.
	run(m *Machine, c *call)
}

// call is a request with what the machine has read for it.
type call struct {
	*Request
	history *booking.History
	cancels int // the cancellations of its user before the history was read
}

// receive runs a call, or lets it wait.
func (m *Machine) receive(c *call) {
	m.lastRequest = c.Arrived
	switch {
	case m.state != Serving:
		m.waiting = append(m.waiting, c)
	case !m.valid():
		m.reply(c, Response{Retry: true})
		m.halt()
	case c.Context.Err() != nil: // decide nothing
		m.reply(c, Response{Err: booking.Timeout(c.Context.Err())})
	default:
		m.expire(c.Arrived)
		c.Command.run(m, c)
	}
}

// needHistory asks for the history of a user, unless the call has it, and reports whether it does.
// The command runs again when it has been read. A history is read again if the user has cancelled a
// booking since, because the seat map has no cancelled bookings.
func (m *Machine) needHistory(c *call, user uuid.UUID) bool {
	if c.history != nil && c.cancels == m.cancels[user] {
		return false
	}
	c.cancels = m.cancels[user]
	m.ask(&ReadHistory{User: user, call: c})
	return true
}

func (m *Machine) historyRead(e HistoryRead) {
	m.inFlight--
	c := e.Of.call
	if e.Err != nil {
		m.respond(c, nil, e.Err)
		return
	}
	e.History.Holds = slices.DeleteFunc(e.History.Holds, func(h booking.Hold) bool { return !h.BelongsTo(m.seats.Train()) })
	c.history = &e.History
	m.receive(c)
}

// respond publishes the state and then responds. A call that depends on a hold in transit is
// parked until the hold's write has ended.
func (m *Machine) respond(c *call, value any, err error) {
	if transit, ok := errors.AsType[*booking.InTransitError](err); ok {
		m.park(transit.Hold, c)
		return
	}
	m.publish()
	if !m.valid() { // another process may own the train by now
		m.reply(c, Response{Retry: true, Lost: true})
		m.halt()
		return
	}
	m.finish(c, value, err)
}

// finish responds with a result.
func (m *Machine) finish(c *call, value any, err error) {
	err = clientError(err)
	failed, _ := errors.AsType[*booking.Error](err)
	definite := err == nil || failed != nil && failed.Outcome == ""
	switch {
	case !definite:
	case c.Conflicts > 0 && err != nil:
		m.report(LastingConflict, 1, err)
	case c.Lost:
		m.report(Resolved, 1, nil)
	}
	m.reply(c, Response{Value: value, Err: err})
}

// clientError is persistence.ClientError for a write, or for a read before it. A store that had no
// time for it has not executed it: otherwise the error would be ErrUnknown.
func clientError(err error) error {
	failure := persistence.ClientError(err)
	if _, domain := errors.AsType[*booking.Error](err); !domain && booking.CodeOf(failure) == booking.CodeTimeout {
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
	}
	return failure
}

func (m *Machine) reply(c *call, r Response) { m.do(Reply{c.Request, r}) }

// park lets a call wait for the end of a write of a hold.
func (m *Machine) park(id booking.HoldID, c *call) { m.parked = append(m.parked, parked{id, c}) }

// unpark runs the calls that waited for a hold. Each is decided as of its own arrival, so that
// one that arrived before a deadline is in time.
func (m *Machine) unpark(id booking.HoldID) {
	var ready []*call
	kept := m.parked[:0]
	for _, p := range m.parked {
		if p.hold == id {
			ready = append(ready, p.call)
		} else {
			kept = append(kept, p)
		}
	}
	m.parked = kept
	for _, c := range ready {
		m.receive(c)
	}
}

// parked is a call that waits for a hold.
type parked struct {
	hold booking.HoldID
	call *call
}
