package activation

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// IdleTimeout is how long a train stays active without a request or a hold.
const IdleTimeout = 10 * time.Minute

// State is the state of a Machine; see the package comment.
type State int

// The states, in the order in which they are reached.
const (
	Loading State = iota
	Serving
	Changing
	Halting
	Closed
)

// Options are what a Machine is made of.
type Options struct {
	Guard   persistence.Guard // without the epoch
	Rules   booking.HoldRules
	Handoff Handoff // of the last activation in this process, if there was one
}

// Machine is the state of one activation. It is not safe for concurrent use.
type Machine struct {
	guard   persistence.Guard
	rules   booking.HoldRules
	handoff Handoff

	state State
	term  Term // nil until the lease is acquired
	seats *booking.SeatMap
	load  load

	incarnation booking.Incarnation // of the train, for its stored holds

	now      time.Time // of the event
	effects  []Effect  // of the event
	inFlight int       // effects that asked for an event that has not arrived
	sales    int       // of them, sales
	quiet    func()    // runs when nothing is in flight
	quietFor *call     // that quiet is for; nil for the load
	deleting bool      // deleted, or the outcome is unknown: its holds need no owner

	cancels map[uuid.UUID]int            // the cancellations of each user
	booked  map[uuid.UUID]booking.HoldID // bookings whose holds may still be stored
	waiting []*call
	parked  []parked

	published   *booking.Snapshot
	lastRequest time.Time
	timer       time.Time // zero when it is not set
}

// New returns a machine in the state Loading. Its first event is Start.
func New(o Options) *Machine {
	return &Machine{
		guard: o.Guard, rules: o.Rules, handoff: o.Handoff,
		cancels: map[uuid.UUID]int{}, booked: map[uuid.UUID]booking.HoldID{},
	}
}

// State returns the current state.
func (m *Machine) State() State { return m.state }

// Handle handles an event at now and returns its effects. The slice is valid until the next call.
func (m *Machine) Handle(now time.Time, e Event) []Effect {
	m.now, m.effects = now, m.effects[:0]
	if m.state == Closed {
		return nil
	}
	switch e := e.(type) {
	case Start:
		m.start()
	case Stop:
		m.halt()
	case LeaseLost:
		m.leaseLost()
	case Recovered:
		m.recovered()
	case Arrived:
		m.receive(&call{Request: e.Request})
	case Tick:
		m.tick(e.At)
	case EpochFound, LeaseAcquired, Adopted, HoldsRead, TrainRead:
		m.loadStep(e)
	case HistoryRead:
		m.historyRead(e)
	case Written:
		m.inFlight--
		e.Write.written(e.Err)
	}
	m.advance()
	return m.effects
}

func (m *Machine) do(e Effect) { m.effects = append(m.effects, e) }

// ask is do for an effect that asks for an event.
func (m *Machine) ask(e Effect) {
	m.inFlight++
	m.do(e)
}

func (m *Machine) report(o Occurrence, count int, err error) {
	m.do(Report{Occurrence: o, Count: count, Err: err})
}

func (m *Machine) valid() bool { return m.term.Valid(m.now) }

// publish makes the current state visible to readers, if it has changed.
func (m *Machine) publish() {
	if s := m.seats.Snapshot(); s != m.published {
		m.published = s
		m.do(Publish{s})
	}
}

// advance does what follows when nothing is in flight, and sets the timer.
func (m *Machine) advance() {
	for m.inFlight == 0 && m.quiet != nil && m.state != Halting {
		then := m.quiet
		m.quiet, m.quietFor = nil, nil
		then()
	}
	switch {
	case m.state == Serving:
		m.setTimer()
	case m.state == Halting && m.inFlight == 0:
		m.do(m.close())
	}
}

// quiesce makes requests wait and runs then for a call when nothing is in flight. It must be
// followed by resume or halt.
func (m *Machine) quiesce(c *call, then func()) { m.state, m.quiet, m.quietFor = Changing, then, c }

// resume runs the requests that waited. Expired holds are left to the timer, because requests
// that are still queued may have arrived before the deadline.
func (m *Machine) resume() {
	if m.state == Halting {
		return
	}
	m.state = Serving
	waiting := m.waiting
	m.waiting = nil
	for _, c := range waiting {
		m.receive(c)
	}
}

// halt closes the activation as soon as nothing is in flight.
func (m *Machine) halt() { m.state = max(m.state, Halting) }

func (m *Machine) leaseLost() {
	if m.sales > 0 {
		m.report(TakeoverDuringConfirm, 1, nil)
	}
	m.halt()
}

func (m *Machine) close() Close {
	m.state = Closed
	c := Close{Waiting: m.abandoned()}
	if m.seats != nil && !m.deleting {
		c.Reactivate = m.seats.HasHolds()
		if m.term.Shared() {
			c.Handoff = &Handoff{m.guard.Epoch, m.storedHolds()}
		}
	}
	return c
}

// Abort returns what Close would contain after a panic, which may have left the state damaged.
// Requests that were being executed have no response.
func (m *Machine) Abort() Close {
	m.state = Closed
	return Close{Waiting: m.abandoned(), Reactivate: m.seats != nil}
}

// abandoned returns the requests that were not run.
func (m *Machine) abandoned() (requests []*Request) {
	for _, c := range m.waiting {
		requests = append(requests, c.Request)
	}
	for _, p := range m.parked {
		requests = append(requests, p.call.Request)
	}
	if m.quietFor != nil {
		requests = append(requests, m.quietFor.Request)
	}
	m.waiting, m.parked, m.quietFor = nil, nil, nil
	return requests
}

// failed handles the error of a write for a call, if the activation cannot continue after it. The
// call is then sent again to the next activation. A call that meets its second conflict is refused
// instead, so that it does not go on.
func (m *Machine) failed(c *call, err error) bool {
	conflict := errors.Is(err, persistence.ErrConflict)
	if conflict && c.Conflicts > 0 || !m.contradicts(err) {
		return false
	}
	m.reply(c, Response{Retry: true, Lost: errors.Is(err, persistence.ErrUnknown), Conflict: conflict})
	m.halt()
	return true
}

// contradicts reports whether the result of a write shows that the seat map may be wrong: the
// write was fenced, the store contradicts it, or its outcome is unknown.
func (m *Machine) contradicts(err error) bool {
	switch {
	case errors.Is(err, persistence.ErrUnknown):
		m.report(Unknown, 1, err)
	case errors.Is(err, persistence.ErrFenced):
		m.report(Fenced, 1, err)
	case errors.Is(err, persistence.ErrConflict):
		m.report(Conflict, 1, err)
	case errors.Is(err, persistence.ErrNotFound): // the train was deleted
	default:
		return false
	}
	return true
}

// tick ends the holds that have expired, and closes an idle activation.
func (m *Machine) tick(at time.Time) {
	m.timer = time.Time{}
	if m.state != Serving {
		return
	}
	m.expire(at)
	if m.idle() && at.Sub(m.lastRequest) >= IdleTimeout {
		m.halt()
	}
}

func (m *Machine) expire(now time.Time) {
	if n := m.seats.Expire(now); n > 0 {
		m.report(Expired, n, nil)
		m.publish()
	}
}

// idle reports whether the train has no hold and nothing is in flight.
func (m *Machine) idle() bool { return m.inFlight == 0 && !m.seats.HasHolds() }

// setTimer sets the timer to the next deadline: of a hold or of the idle timeout. A timer that
// fires too early has no effect and is set again.
func (m *Machine) setTimer() {
	next, ok := m.seats.NextDeadline()
	if idle := m.lastRequest.Add(IdleTimeout); m.idle() && (!ok || idle.Before(next)) {
		next, ok = idle, true
	}
	if ok && (m.timer.IsZero() || next.Before(m.timer)) {
		m.timer = next
		m.do(SetTimer{next})
	}
}
