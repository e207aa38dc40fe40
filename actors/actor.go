package actors

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

// trainActor is the protoactor actor of one activation of one train. Only its mailbox
// touches its fields. The package comment describes its states.
type trainActor struct {
	system     *System
	activation *activation
	self       *actor.PID
	guard      persistence.Guard
	seats      *booking.SeatMap
	term       *cluster.Term  // nil while loading, and if the lease was not acquired
	listed     *booking.Train // the train in the catalogue before a load or a delete began

	inFlight    int    // store calls whose continuation has not arrived
	busy        bool   // requests wait: loading, changing, deleting or halting
	halting     bool   // closes when nothing is in flight
	deleting    bool   // deleted, or the outcome is unknown: its holds need no owner
	rewriting   bool   // a rewrite of the live holds is scheduled
	onQuiescent func() // runs when nothing is in flight

	waiting  []*request                    // arrived while busy
	parked   map[booking.HoldID][]*request // wait for a write of the hold
	dropping map[booking.HoldID]bool       // holds whose stored record is being dropped

	superseded []superseded // in order of time

	lastRequest time.Time
	timer       *time.Timer // the only timer, for the next deadline
	timerAt     time.Time   // zero when the timer is not set
}

type (
	// continuation is the rest of a command, which runs after a store has responded.
	continuation struct{ rest func() }
	// timerFired reports that a deadline has passed. Deadlines are compared with the time at
	// which the timer fired, because requests behind this message in the mailbox may have
	// arrived before later deadlines.
	timerFired struct{ at time.Time }
	// halt asks the actor to close when nothing is in flight.
	halt struct{}
	// rewrite asks the actor to store its live holds again.
	rewrite struct{}
)

func newTrainActor(s *System, a *activation) *trainActor {
	return &trainActor{system: s, activation: a, parked: map[booking.HoldID][]*request{}, dropping: map[booking.HoldID]bool{}}
}

// Receive handles one message without blocking.
func (t *trainActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		t.self = ctx.Self()
		t.load()
	case *request:
		t.handle(m)
	case continuation:
		t.inFlight--
		m.rest()
		t.advance()
		t.tidy()
	case timerFired:
		t.timerAt = time.Time{}
		t.endHolds(m.at)
		t.passivate(m.at)
		t.tidy()
	case halt:
		t.halt()
	case rewrite:
		t.rewriting = false
		t.rewriteHolds()
	case *actor.Stopped:
		t.stopped()
	}
}

// handle runs a request, or queues it while the train is busy.
func (t *trainActor) handle(r *request) {
	t.lastRequest = r.arrived
	switch {
	case t.busy:
		t.waiting = append(t.waiting, r)
	case !t.term.Valid():
		r.send(response{retry: true})
		t.halt()
	case r.ctx.Err() != nil: // the client has disconnected: decide nothing
		r.send(response{err: booking.Timeout(r.ctx.Err())})
	default:
		t.endHolds(r.arrived)
		r.begun.Store(true)
		r.command.run(t, r)
		t.tidy()
	}
}

// tidy is called after every decision. It drops superseded records and sets the timer.
func (t *trainActor) tidy() {
	if t.busy {
		return
	}
	t.dropSuperseded()
	t.setTimer()
}

// dropSuperseded drops the superseded records of ended holds, but not before every request
// that can have ended the hold has timed out: if the response to an attempt is lost, the next
// attempt reads in the record that the hold was ended.
func (t *trainActor) dropSuperseded() {
	now := time.Now()
	for _, e := range t.seats.TakeSuperseded() {
		t.superseded = append(t.superseded, superseded{e, now.Add(requestTimeout)})
	}
	for len(t.superseded) > 0 && !t.superseded[0].drop.After(now) {
		if e := t.superseded[0]; t.seats.IsSuperseded(e.SupersededHold) {
			t.dropHold(e.ID)
		}
		t.superseded = t.superseded[1:]
	}
}

// superseded is an ended hold whose record is no longer needed, and when to drop it.
type superseded struct {
	booking.SupersededHold
	drop time.Time
}

// respond publishes the state and then responds. A request that depends on a hold in
// transit is parked until the hold's write has ended.
func (t *trainActor) respond(r *request, value any, err error) {
	if transit, ok := errors.AsType[*booking.InTransitError](err); ok {
		t.parked[transit.Hold] = append(t.parked[transit.Hold], r)
		return
	}
	t.publish()
	if !t.term.Valid() { // another process may own the train by now
		r.send(response{retry: true, lost: true})
		t.halt()
		return
	}
	r.send(response{value: value, err: persistence.ClientError(err)})
}

// settle responds to the request whose write of a hold has ended, and runs the requests
// that were parked on that hold. Each is decided as of its own arrival, so that one that
// arrived before a deadline is in time.
func (t *trainActor) settle(id booking.HoldID, r *request, value any, err error) {
	t.respond(r, value, err)
	t.unpark(id)
}

func (t *trainActor) unpark(id booking.HoldID) {
	parked := t.parked[id]
	delete(t.parked, id)
	for _, r := range parked {
		t.handle(r)
	}
}

// haltOnLoss halts the activation if err is the result of a write after which it cannot
// continue: it was fenced, the store contradicts it, or the outcome is unknown. The request
// is then sent again to the next activation.
func (t *trainActor) haltOnLoss(r *request, err error) bool {
	unknown := errors.Is(err, persistence.ErrUnknown)
	if !unknown && !errors.Is(err, persistence.ErrFenced) &&
		!errors.Is(err, persistence.ErrConflict) && !errors.Is(err, persistence.ErrNotFound) {
		return false
	}
	if errors.Is(err, persistence.ErrFenced) {
		t.system.metrics.fenced.Inc()
	}
	t.warnUnlessNotFound("train activation halts after a failed write", err)
	r.send(response{retry: true, lost: unknown})
	t.halt()
	return true
}

// runAsync runs work for a request off the actor, and the function that work returns on the
// actor. Neither stops when the client disconnects.
func (t *trainActor) runAsync(r *request, work func(context.Context) func()) {
	t.runAsyncWithin(context.WithoutCancel(r.ctx), storeTimeout, work)
}

func (t *trainActor) runAsyncWithin(ctx context.Context, timeout time.Duration, work func(context.Context) func()) {
	t.inFlight++
	t.system.background.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		t.send(continuation{work(ctx)})
	})
}

// writeHold queues a write of a hold for the request of ctx; then runs on the actor.
func (t *trainActor) writeHold(ctx context.Context, op persistence.HoldOp, h booking.Hold, then func(error)) {
	t.inFlight++
	t.system.holdWriter.add(ctx, persistence.HoldWrite{Guard: t.guard, Op: op, Hold: h}, func(err error) {
		t.send(continuation{func() { then(err) }})
	})
}

// dropHold drops the stored record of an ended hold. Only a new request with the hold's id
// waits for it, because the drop must not hit the record of that request. A drop that may
// still be executed is fenced by the next activation.
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

// rewriteHolds stores the live holds again, except those in transit, which are being written.
func (t *trainActor) rewriteHolds() {
	if t.seats == nil || t.halting || t.deleting {
		return
	}
	for _, h := range t.seats.LiveHolds() {
		if phase, _ := t.seats.Phase(h.ID); phase == booking.PhaseHeld {
			t.rewriteHold(h)
		}
	}
}

// rewriteHold stores a hold unchanged. A refused write is repeated. A write that may still
// be executed is fenced by the next activation's lease.
func (t *trainActor) rewriteHold(h booking.Hold) {
	t.writeHold(context.Background(), persistence.HoldPut, h, func(err error) {
		switch {
		case err == nil:
		case errors.Is(err, persistence.ErrFenced), errors.Is(err, persistence.ErrUnknown):
			t.warnUnlessNotFound("hold not stored again", err)
			t.halt()
		case !t.rewriting:
			t.rewriting = true
			time.AfterFunc(cluster.RenewRetry, func() { t.send(rewrite{}) })
		}
	})
}

// quiesce makes requests wait and runs then when nothing is in flight. It must be followed
// by resume or halt.
func (t *trainActor) quiesce(then func()) {
	t.busy, t.onQuiescent = true, then
	t.advance()
}

// resume runs the requests that waited. Expired holds are left to the timer, because
// requests in the mailbox may have arrived before the deadline.
func (t *trainActor) resume() {
	t.busy = t.halting
	waiting := t.waiting
	t.waiting = nil
	for _, r := range waiting {
		t.handle(r)
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
	case t.onQuiescent != nil:
		then := t.onQuiescent
		t.onQuiescent = nil
		then()
	}
}

// stopped releases the lease and closes the activation.
func (t *trainActor) stopped() {
	if t.timer != nil {
		t.timer.Stop()
	}
	for _, parked := range t.parked {
		t.waiting = append(t.waiting, parked...)
	}
	if t.term == nil {
		t.close()
		return
	}
	if t.seats != nil && !t.deleting && t.term.Shared() {
		t.system.activations.leaveHandoff(t.guard.Train, handoff{t.guard.Epoch, t.storedHolds()})
	}
	t.system.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		defer cancel()
		t.system.cluster.Release(ctx, t.term)
		t.close()
	})
}

// storedHolds returns the live holds, without those that no client has been sent yet.
func (t *trainActor) storedHolds() []booking.Hold {
	return slices.DeleteFunc(t.seats.LiveHolds(), func(h booking.Hold) bool {
		phase, _ := t.seats.Phase(h.ID)
		return phase == booking.PhasePending
	})
}

// close removes the activation and lets the waiting requests be sent to the next one.
func (t *trainActor) close() {
	t.system.activations.remove(t.activation)
	for _, r := range t.waiting {
		r.send(response{retry: true})
	}
	close(t.activation.closed)
	if t.seats != nil && t.seats.HasHolds() && !t.deleting {
		t.system.activations.reactivate(t.activation.train)
	}
}

// publish makes the current state visible to queries.
func (t *trainActor) publish() *booking.Snapshot {
	snapshot := t.seats.Snapshot()
	t.activation.snapshot.Store(snapshot)
	return snapshot
}

// endHolds ends the holds that have expired at now. While requests wait it ends none,
// because they arrived before now and may be in time.
func (t *trainActor) endHolds(now time.Time) {
	if t.busy {
		return
	}
	if ended := t.seats.Expire(now); ended > 0 {
		t.system.metrics.expired.Add(float64(ended))
		t.publish()
	}
}

// passivate closes an idle activation after idleTimeout. (The library's receive timeout is
// not used, because its timer has a data race with the mailbox.)
func (t *trainActor) passivate(now time.Time) {
	if !t.busy && t.idle() && now.Sub(t.lastRequest) >= idleTimeout {
		t.halt()
	}
}

// idle reports whether the train has no hold and nothing is in flight.
func (t *trainActor) idle() bool { return t.inFlight == 0 && !t.seats.HasHolds() }

// setTimer sets the timer to the next deadline: of the seat map, of a superseded record, or
// of the idle timeout. A timer that fires too early has no effect and is set again.
func (t *trainActor) setTimer() {
	next, ok := t.seats.NextDeadline()
	if idle := t.lastRequest.Add(idleTimeout); t.idle() && (!ok || idle.Before(next)) {
		next, ok = idle, true
	}
	if len(t.superseded) > 0 && (!ok || t.superseded[0].drop.Before(next)) {
		next, ok = t.superseded[0].drop, true
	}
	if !ok || !t.timerAt.IsZero() && !next.Before(t.timerAt) {
		return
	}
	t.timerAt = next
	if t.timer == nil {
		t.timer = time.AfterFunc(time.Until(next), func() { t.send(timerFired{time.Now()}) })
		return
	}
	t.timer.Reset(time.Until(next))
}

func (t *trainActor) send(message any) { t.system.actors.Root.Send(t.self, message) }

// warnUnlessNotFound logs err, unless it is that the train was deleted.
func (t *trainActor) warnUnlessNotFound(message string, err error) {
	if !errors.Is(err, persistence.ErrNotFound) {
		t.system.log.Warn(message, slog.String("train", t.guard.Train.String()), slog.Any("error", err))
	}
}
