package actors

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// trainActor is the actor of one activation of one train. Everything in it belongs to its
// mailbox; see the package comment for its life.
type trainActor struct {
	system     *System
	activation *activation
	self       *actor.PID
	guard      persistence.Guard
	seats      *booking.SeatMap
	tenure     *tenure
	listed     *booking.Train // in the catalogue before the store was asked to load or delete it

	inFlight int                       // calls of stores whose resume has not come
	busy     bool                      // asks wait: loading, changing or halting
	halting  bool                      // closes when nothing is in flight
	removing bool                      // deleted, or perhaps: its holds are nobody's
	storing  bool                      // live holds will be stored again
	then     func()                    // what busy waits to do when nothing is in flight
	waiting  []*ask                    // came while busy
	parked   map[booking.HoldID][]*ask // wait until the hold settles
	dropping map[booking.HoldID]bool   // its stored record is being dropped

	superseded []superseded // in order of time

	asked   time.Time   // when the last ask came
	alarm   *time.Timer // the one timer, for the next deadline
	alarmAt time.Time   // zero when not set
}

type (
	// resume is the rest of a command, after the answer of a store.
	resume struct{ rest func() }
	// wake is the alarm: a deadline has come. It is judged by when the alarm went off, as
	// what arrived later, and is behind it in the mailbox, may be in time for the next.
	wake struct{ at time.Time }
	// halt asks the actor to close when nothing is in flight.
	halt struct{}
	// rewrite asks the actor to store its live holds again.
	rewrite struct{}
)

func newTrainActor(s *System, a *activation) *trainActor {
	return &trainActor{system: s, activation: a, parked: map[booking.HoldID][]*ask{}, dropping: map[booking.HoldID]bool{}}
}

// Receive takes one message. It never waits.
func (t *trainActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		t.self = ctx.Self()
		t.load()
	case *ask:
		t.take(m)
	case resume:
		t.inFlight--
		m.rest()
		t.advance()
		t.tidy()
	case wake:
		t.alarmAt = time.Time{}
		t.endHolds(m.at)
		t.passivate(m.at)
		t.tidy()
	case halt:
		t.halt()
	case rewrite:
		t.storing = false
		t.rewriteHolds()
	case *actor.Stopped:
		t.closed()
	}
}

// take runs an ask, or lets it wait while the train is busy.
func (t *trainActor) take(a *ask) {
	t.asked = a.arrived
	switch {
	case t.busy:
		t.waiting = append(t.waiting, a)
	case !t.tenure.valid():
		a.send(reply{retry: true})
		t.halt()
	case a.ctx.Err() != nil: // nobody waits for the answer any more: decide nothing
		a.send(reply{err: booking.Timeout(a.ctx.Err())})
	default:
		t.endHolds(a.arrived)
		a.begun.Store(true)
		a.command.run(t, a)
		t.tidy()
	}
}

// tidy does what follows from whatever was decided: it drops stored records that nobody
// needs, and sets the alarm.
func (t *trainActor) tidy() {
	if t.busy {
		return
	}
	t.dropSuperseded()
	t.setAlarm()
}

// dropSuperseded drops records that tell nothing any more, but not before every request is
// over that can have ended the hold: when the answer to an attempt was lost, the record tells
// the next one that it was done.
func (t *trainActor) dropSuperseded() {
	now := time.Now()
	for _, e := range t.seats.TakeSuperseded() {
		t.superseded = append(t.superseded, superseded{e, now.Add(askTimeout)})
	}
	for len(t.superseded) > 0 && !t.superseded[0].drop.After(now) {
		if e := t.superseded[0]; t.seats.IsSuperseded(e.EndedHold) {
			t.dropHold(e.ID)
		}
		t.superseded = t.superseded[1:]
	}
}

// superseded is a record that tells nothing any more, and when to drop it.
type superseded struct {
	booking.EndedHold
	drop time.Time
}

// answer replies, after what it says is published. An ask whose answer depends on a
// hold in transit is parked until that settles.
func (t *trainActor) answer(a *ask, value any, err error) {
	if transit, ok := errors.AsType[*booking.InTransitError](err); ok {
		t.parked[transit.Hold] = append(t.parked[transit.Hold], a)
		return
	}
	t.publish()
	if !t.tenure.valid() { // another may own the train by now, which answers
		a.send(reply{retry: true, lost: true})
		t.halt()
		return
	}
	a.send(reply{value: value, err: persistence.Failure(err)})
}

// settle answers the ask whose write about a hold is done, and takes up what was parked on
// that hold. Each is judged by the time of its own arrival, so that whoever came in time
// is in time.
func (t *trainActor) settle(id booking.HoldID, a *ask, value any, err error) {
	t.answer(a, value, err)
	t.unpark(id)
}

func (t *trainActor) unpark(id booking.HoldID) {
	parked := t.parked[id]
	delete(t.parked, id)
	for _, p := range parked {
		t.take(p)
	}
}

// lost deals with the results of a write after which this activation must not go on:
// it is fenced, the store contradicts it, or nobody knows. The next activation answers.
func (t *trainActor) lost(a *ask, err error) bool {
	unknown := errors.Is(err, persistence.ErrUnknown)
	if !unknown && !errors.Is(err, persistence.ErrFenced) &&
		!errors.Is(err, persistence.ErrConflict) && !errors.Is(err, persistence.ErrNotFound) {
		return false
	}
	if errors.Is(err, persistence.ErrFenced) {
		t.system.metrics.fenced.Inc()
	}
	t.logUnlessGone("train activation ends", err)
	a.send(reply{retry: true, lost: unknown})
	t.halt()
	return true
}

// later runs work for an ask off the actor; what it returns runs on the actor. It goes on
// when nobody waits for the answer any more.
func (t *trainActor) later(a *ask, work func(context.Context) func()) {
	t.laterWithin(context.WithoutCancel(a.ctx), storeTimeout, work)
}

func (t *trainActor) laterWithin(ctx context.Context, timeout time.Duration, work func(context.Context) func()) {
	t.inFlight++
	t.system.background.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		t.send(resume{work(ctx)})
	})
}

// writeHold queues a write of a hold, for whom ctx is of; then runs on the actor.
func (t *trainActor) writeHold(ctx context.Context, op persistence.HoldOp, h booking.Hold, then func(error)) {
	t.inFlight++
	t.system.holds.add(ctx, persistence.HoldWrite{Guard: t.guard, Op: op, Hold: h}, func(err error) {
		t.send(resume{func() { then(err) }})
	})
}

// dropHold drops a record that tells nothing any more. Only a request that comes again
// under the hold's id waits for it: its record must not be dropped instead. A drop that
// may yet land is fenced by the next activation.
func (t *trainActor) dropHold(id booking.HoldID) {
	t.dropping[id] = true
	t.writeHold(context.Background(), persistence.HoldDrop, booking.Hold{ID: id}, func(err error) {
		delete(t.dropping, id)
		if errors.Is(err, persistence.ErrUnknown) {
			t.halt()
		}
		t.unpark(id)
	})
}

// rewriteHolds stores the live holds again; those in transit are being stored anyway.
func (t *trainActor) rewriteHolds() {
	if t.seats == nil || t.halting || t.removing {
		return
	}
	for _, h := range t.seats.LiveHolds() {
		if phase, _ := t.seats.Phase(h.ID); phase == booking.PhaseHeld {
			t.storeAgain(h)
		}
	}
}

// storeAgain stores a hold as it is. If that may yet land, the next activation's lease
// fences it; what was refused is tried again.
func (t *trainActor) storeAgain(h booking.Hold) {
	t.writeHold(context.Background(), persistence.HoldPut, h, func(err error) {
		switch {
		case err == nil:
		case errors.Is(err, persistence.ErrFenced), errors.Is(err, persistence.ErrUnknown):
			t.logUnlessGone("hold not stored again", err)
			t.halt()
		case !t.storing:
			t.storing = true
			time.AfterFunc(renewRetry, func() { t.send(rewrite{}) })
		}
	})
}

// whenQuiet makes asks wait and runs then when nothing is in flight. End it with reopen
// or halt.
func (t *trainActor) whenQuiet(then func()) {
	t.busy, t.then = true, then
	t.advance()
}

// reopen takes up the asks that waited. What expired meanwhile is left to the alarm:
// there may be asks in the mailbox that came in time.
func (t *trainActor) reopen() {
	t.busy = t.halting
	waiting := t.waiting
	t.waiting = nil
	for _, a := range waiting {
		t.take(a)
	}
}

// halt closes the activation as soon as nothing is in flight.
func (t *trainActor) halt() {
	t.busy, t.halting = true, true
	t.advance()
}

func (t *trainActor) advance() {
	switch {
	case t.inFlight > 0:
	case t.halting:
		t.system.actors.Root.Stop(t.self)
	case t.then != nil:
		then := t.then
		t.then = nil
		then()
	}
}

// closed gives the train up.
func (t *trainActor) closed() {
	if t.alarm != nil {
		t.alarm.Stop()
	}
	for _, parked := range t.parked {
		t.waiting = append(t.waiting, parked...)
	}
	if t.tenure == nil {
		t.handOn()
		return
	}
	if t.seats != nil && !t.removing {
		t.system.placement.bequeath(t.guard.Train, legacy{t.guard.Epoch, t.storedHolds()})
	}
	t.system.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		defer cancel()
		t.system.cluster.leases.release(ctx, t.tenure)
		t.handOn()
	})
}

// storedHolds are the live holds but those that nobody was told of yet.
func (t *trainActor) storedHolds() []booking.Hold {
	return slices.DeleteFunc(t.seats.LiveHolds(), func(h booking.Hold) bool {
		phase, _ := t.seats.Phase(h.ID)
		return phase == booking.PhasePending
	})
}

// handOn leaves what was not executed to the next activation. Nothing else of this one
// goes on.
func (t *trainActor) handOn() {
	t.system.placement.remove(t.activation)
	for _, a := range t.waiting {
		a.send(reply{retry: true})
	}
	close(t.activation.closed)
	if t.seats != nil && t.seats.HasHolds() && !t.removing {
		t.system.placement.revive(t.activation.train)
	}
}

// publish shows readers what is decided.
func (t *trainActor) publish() *booking.Snapshot {
	snapshot := t.seats.Snapshot()
	t.activation.snapshot.Store(snapshot)
	return snapshot
}

// endHolds ends what has expired at now. Not while asks wait: they came before now, and
// may be in time.
func (t *trainActor) endHolds(now time.Time) {
	if t.busy {
		return
	}
	if ended := t.seats.Expire(now); ended > 0 {
		t.system.metrics.expired.Add(float64(ended))
		t.publish()
	}
}

// passivate closes an activation that nobody has asked for long. (The library's receive
// timeout is not used: its timer writes what the mailbox reads, without a lock.)
func (t *trainActor) passivate(now time.Time) {
	if !t.busy && t.quiet() && now.Sub(t.asked) >= idleTimeout {
		t.halt()
	}
}

// quiet reports whether nothing is under way: only then does the train idle.
func (t *trainActor) quiet() bool { return t.inFlight == 0 && !t.seats.HasHolds() }

// setAlarm makes the alarm go off at the next deadline: of the seat map, of a record that is
// to be dropped, or of idling.
// One that goes off too early finds nothing to do and is set again.
func (t *trainActor) setAlarm() {
	next, ok := t.seats.NextDeadline()
	if idle := t.asked.Add(idleTimeout); t.quiet() && (!ok || idle.Before(next)) {
		next, ok = idle, true
	}
	if len(t.superseded) > 0 && (!ok || t.superseded[0].drop.Before(next)) {
		next, ok = t.superseded[0].drop, true
	}
	if !ok || !t.alarmAt.IsZero() && !next.Before(t.alarmAt) {
		return
	}
	t.alarmAt = next
	if t.alarm == nil {
		t.alarm = time.AfterFunc(time.Until(next), func() { t.send(wake{time.Now()}) })
		return
	}
	t.alarm.Reset(time.Until(next))
}

func (t *trainActor) send(message any) { t.system.actors.Root.Send(t.self, message) }

func (t *trainActor) logUnlessGone(message string, err error) {
	if !errors.Is(err, persistence.ErrNotFound) {
		t.system.log.Warn(message, slog.String("train", t.guard.Train.String()), slog.Any("error", err))
	}
}
