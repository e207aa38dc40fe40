package actors

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
)

var (
	// errStopping is returned for an idle train while the process shuts down.
	errStopping = errors.New("shutting down")
	// errOwnedElsewhere is returned for an idle train that is proposed to another process.
	errOwnedElsewhere = errors.New("the train belongs to another process")
)

// activations are the trains that are active in this process. A train is activated on
// demand, at most once at a time, and only if it is proposed to this process; its lease
// keeps other processes from activating it. Safe for concurrent use.
type activations struct {
	system *System
	props  func(*activeTrain) *actor.Props

	mu       sync.Mutex
	active   map[booking.TrainID]*activeTrain
	handoffs map[booking.TrainID]activation.Handoff
	stopping bool
}

// activeTrain is a train from its load to the close of its actor.
type activeTrain struct {
	id       booking.TrainID
	handoff  activation.Handoff // of the activation before; it is kept, because the load may fail
	pid      *actor.PID
	snapshot atomic.Pointer[booking.Snapshot] // nil while loading
	term     atomic.Pointer[cluster.Term]     // nil while loading
	epoch    atomic.Int64                     // 0 until it is adopted
	closing  atomic.Bool                      // the lease is being released
	backlog  backlog
	closed   chan struct{} // closed when the actor sends no more responses
}

func newActivations(s *System) *activations {
	// A restarted actor would serve the state that made it panic, and its requests would be
	// lost. A stopped actor closes its activation, and the requests go to the next one.
	stop := actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })
	return &activations{
		system:   s,
		active:   map[booking.TrainID]*activeTrain{},
		handoffs: map[booking.TrainID]activation.Handoff{},
		props: func(a *activeTrain) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return newTrainActor(s, a) },
				actor.WithGuardian(stop), actor.WithDispatcher(s.workers))
		},
	}
}

// snapshot returns the state that the train's activation published last; nil if it is not active
// here or may not be served at now. It may be served until then, unless a change of the train is counted.
func (as *activations) snapshot(id booking.TrainID, now time.Time) (snapshot *booking.Snapshot, until time.Time) {
	a := as.serving(id, now)
	if a == nil {
		return nil, now
	}
	if until = now.Add(keptTime); a.closing.Load() || !a.term.Load().Valid(until) {
		until = now
	}
	return a.snapshot.Load(), until
}

// published returns what snapshot returns, and the epoch of the activation.
func (as *activations) published(id booking.TrainID, now time.Time) (*booking.Snapshot, int64) {
	a := as.serving(id, now)
	if a == nil {
		return nil, 0
	}
	return a.snapshot.Load(), a.epoch.Load()
}

// serving returns the train's activation if what it publishes may be served at now; otherwise nil.
func (as *activations) serving(id booking.TrainID, now time.Time) *activeTrain {
	as.mu.Lock()
	defer as.mu.Unlock()
	a := as.active[id]
	if a == nil {
		return nil
	}
	if term := a.term.Load(); term == nil || !term.Valid(now) {
		return nil
	}
	return a
}

// isActive reports whether the train has an activation, which may be halting.
func (as *activations) isActive(id booking.TrainID) bool {
	as.mu.Lock()
	defer as.mu.Unlock()
	return as.active[id] != nil
}

// activate returns the train's activation, and creates it if the train is idle and proposed
// to this process. Errors: errStopping, errOwnedElsewhere.
func (as *activations) activate(id booking.TrainID) (*activeTrain, error) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if a := as.active[id]; a != nil {
		return a, nil
	}
	if !as.system.proposedHere(id) {
		return nil, errOwnedElsewhere
	}
	if as.stopping {
		return nil, errStopping
	}
	a := &activeTrain{id: id, handoff: as.handoffs[id], closed: make(chan struct{})}
	a.pid = as.system.actors.Root.SpawnPrefix(as.props(a), "train-")
	as.active[id] = a
	return a, nil
}

// reactivate activates a train whose activation closed with live holds, so that they are stored
// again if their store has lost them. If the train is proposed to another process, or this one shuts
// down, it does nothing: readers find the holds in their store.
func (as *activations) reactivate(id booking.TrainID) { _, _ = as.activate(id) }

// recovered makes the activations store their holds again, after an outage of the store of holds, and
// activates the trains that could not be activated during it.
func (as *activations) recovered() {
	as.send(activation.Recovered{})
	as.mu.Lock()
	var closed []booking.TrainID
	for id, h := range as.handoffs {
		if as.active[id] == nil && len(h.Holds) > 0 {
			closed = append(closed, id)
		}
	}
	as.mu.Unlock()
	for _, id := range closed {
		as.reactivate(id)
	}
}

// send sends an event to every activation.
func (as *activations) send(e activation.Event) {
	for _, a := range as.all() {
		as.system.actors.Root.Send(a.pid, e)
	}
}

func (as *activations) leaveHandoff(id booking.TrainID, h activation.Handoff) {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.handoffs[id] = h
}

// dropExpiredHandoffs drops the handoffs without a live hold.
func (as *activations) dropExpiredHandoffs(now time.Time) {
	as.mu.Lock()
	defer as.mu.Unlock()
	for id, h := range as.handoffs {
		if !slices.ContainsFunc(h.Holds, func(h booking.Hold) bool { return h.ExpiresAt.After(now) }) {
			delete(as.handoffs, id)
		}
	}
}

// remove removes a closed activation, so that the next request activates the train again.
func (as *activations) remove(a *activeTrain) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.active[a.id] == a {
		as.system.passive.drop(a.id)
		delete(as.active, a.id)
		as.system.changes.add(a.id)
		as.system.watches.published(a.id)
	}
}

// stop refuses new activations from now on.
func (as *activations) stop() {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.stopping = true
}

func (as *activations) all() []*activeTrain {
	as.mu.Lock()
	defer as.mu.Unlock()
	return slices.Collect(maps.Values(as.active))
}

func (as *activations) count() int {
	as.mu.Lock()
	defer as.mu.Unlock()
	return len(as.active)
}
