package activation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ErrLeaseExpired is the error of a load that outlasted its lease.
var ErrLeaseExpired = errors.New("the lease has expired")

// load is what the steps of the load have found so far.
type load struct {
	epoch int64 // before the adoption
	holds []booking.Hold
	lost  []booking.Hold // handed off, and not stored
}

// start finds the epoch before the lease is acquired, and the epoch is adopted before the rest is
// read, so that what is read is final (RELIABILITY.md 2).
func (m *Machine) start() {
	m.lastRequest = m.now
	m.ask(FindEpoch{})
}

// loadStep handles the result of a step and asks for the next one.
func (m *Machine) loadStep(e Event) {
	m.inFlight--
	var err error
	var next func()
	switch e := e.(type) {
	case EpochFound:
		err, next = e.Err, func() { m.epochFound(e.Epoch) }
	case LeaseAcquired:
		m.term = e.Term
		err, next = e.Err, func() { m.leaseAcquired(e.Owner) }
	case Adopted:
		err, next = e.Err, func() { m.adopted(e.Epoch) }
	case HoldsRead:
		err, next = e.Err, func() { m.holdsRead(e.Holds) }
	case TrainRead:
		err, next = e.Err, func() { m.trainRead(e.Train) }
	}
	switch {
	case err != nil:
		m.notLoaded(err)
	case m.state == Loading:
		next()
	}
}

func (m *Machine) epochFound(epoch int64) {
	m.load.epoch = epoch
	m.ask(AcquireLease{m.guard})
}

func (m *Machine) leaseAcquired(owner string) {
	if m.term == nil { // another process has it
		m.replyToAll(Response{Retry: true, Owner: owner})
		m.halt()
		return
	}
	m.ask(Adopt{m.guard, m.load.epoch})
}

func (m *Machine) adopted(epoch int64) {
	m.guard.Epoch = epoch
	m.ask(ReadHolds{})
}

// holdsRead adds the holds that the last activation in this process handed off. They count if no
// other process has owned the train since.
func (m *Machine) holdsRead(stored []booking.Hold) {
	found := make(map[booking.HoldID]bool, len(stored))
	for _, h := range stored {
		found[h.ID] = true
	}
	if m.handoff.Epoch == m.load.epoch {
		for _, h := range m.handoff.Holds {
			if !found[h.ID] {
				m.load.lost = append(m.load.lost, h)
			}
		}
	}
	m.load.holds = slices.Concat(stored, m.load.lost)
	became := make([]uuid.UUID, len(m.load.holds))
	for i, h := range m.load.holds {
		became[i] = booking.BookingIDOf(h.User, h.ID)
	}
	m.ask(ReadTrain{became})
}

// trainRead builds the seat map, stores the holds again that are not stored in this form, and then
// serves. No client may be sent a hold that would be lost with this process.
func (m *Machine) trainRead(l persistence.LoadedTrain) {
	seats := booking.NewSeatMap(l.Train)
	m.incarnation = l.Train.Incarnation()
	changed, differing := seats.Restore(booking.Stored{
		Bookings: l.Bookings, Seats: l.Seats, Holds: m.load.holds, Cancelled: l.Cancelled,
	}, m.rules.TTL, m.now)
	if len(differing) > 0 {
		m.do(Report{Occurrence: Inconsistent, Count: 1, Seats: differing})
	}
	for _, h := range m.load.holds {
		if id := booking.BookingIDOf(h.User, h.ID); slices.Contains(l.Cancelled, id) {
			m.booked[id] = h.ID
		}
		for _, id := range seats.BookedFrom(h) {
			m.booked[id] = h.ID
		}
	}
	again := slices.DeleteFunc(seats.LiveHolds(), func(h booking.Hold) bool {
		same := func(o booking.Hold) bool { return o.ID == h.ID }
		return !slices.ContainsFunc(m.load.lost, same) && !slices.ContainsFunc(changed, same)
	})
	m.load = load{}
	if !m.valid() {
		m.notLoaded(ErrLeaseExpired)
		return
	}
	m.storeAgain(again, m.notLoaded)
	m.quiet = func() { m.serve(seats) }
}

func (m *Machine) serve(seats *booking.SeatMap) {
	if !m.valid() {
		m.notLoaded(ErrLeaseExpired)
		return
	}
	m.seats = seats
	m.do(Serve{seats.Train()})
	m.publish()
	m.resume()
}

// recovered stores the live holds again. Those that are being written need it no more than before.
func (m *Machine) recovered() {
	if m.state != Serving && m.state != Changing || m.deleting {
		return
	}
	var live []booking.Hold
	for _, h := range m.seats.LiveHolds() {
		if phase, _ := m.seats.Phase(h.ID); phase == booking.PhaseHeld || phase == booking.PhaseConfirming {
			live = append(live, h)
		}
	}
	m.storeAgain(live, func(err error) {
		m.contradicts(err)
		m.halt()
	})
}

// storeAgain stores holds that their store may have lost. It is the only way in which that is
// done. After an error the activation halts, and the next one stores them.
func (m *Machine) storeAgain(holds []booking.Hold, failed func(error)) {
	if len(holds) == 0 {
		return
	}
	m.report(HoldStoredAgain, len(holds), nil)
	for _, h := range holds {
		m.writeHold(nil, persistence.HoldPutAgain, h, func(err error) {
			if err != nil {
				failed(fmt.Errorf("store a hold again: %w", err))
			}
		})
	}
}

// storedHolds returns the live holds, without those that no client has been sent yet.
func (m *Machine) storedHolds() (stored []booking.Hold) {
	for _, h := range m.seats.LiveHolds() {
		if phase, _ := m.seats.Phase(h.ID); phase != booking.PhasePending {
			stored = append(stored, h)
		}
	}
	return stored
}

// notLoaded responds to the requests that waited for the load, and halts. After a failure that
// the next activation may not have, they are sent there.
func (m *Machine) notLoaded(err error) {
	if m.state != Loading { // it failed before, or the activation was stopped
		return
	}
	m.report(NotLoaded, 1, err)
	r := Response{Err: loadFailure(err)}
	for _, passing := range []error{persistence.ErrFenced, persistence.ErrConflict, persistence.ErrStale, ErrLeaseExpired} {
		if errors.Is(err, passing) {
			r = Response{Retry: true}
		}
	}
	m.replyToAll(r)
	m.halt()
}

func (m *Machine) replyToAll(r Response) {
	for _, c := range m.waiting {
		m.reply(c, r)
	}
	m.waiting = nil
}

// loadFailure returns the error of requests whose command was not run because the load failed:
// they were not executed, even where the outcome of the load itself is unknown.
func loadFailure(err error) error {
	failure := persistence.ClientError(err)
	switch booking.CodeOf(failure) {
	case booking.CodeUnavailable, booking.CodeTimeout:
		return booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)
	}
	return failure
}
