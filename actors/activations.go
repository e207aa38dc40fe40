package actors

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

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
	props  func(*activation) *actor.Props

	mu       sync.Mutex
	active   map[booking.TrainID]*activation
	handoffs map[booking.TrainID]handoff
	stopping bool
}

// activation is the time from the load of a train to the close of its actor.
type activation struct {
	train    booking.TrainID
	pid      *actor.PID
	snapshot atomic.Pointer[booking.Snapshot] // nil while loading
	term     atomic.Pointer[cluster.Term]     // nil while loading
	backlog  backlog
	closed   chan struct{} // closed when the actor sends no more responses
}

func newActivations(s *System) *activations {
	// A restarted actor would serve the state that made it panic, and its requests would be
	// lost. A stopped actor closes its activation, and the requests go to the next one.
	stop := actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })
	return &activations{
		system:   s,
		active:   map[booking.TrainID]*activation{},
		handoffs: map[booking.TrainID]handoff{},
		props: func(a *activation) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return newTrainActor(s, a) }, actor.WithGuardian(stop))
		},
	}
}

// snapshot returns the state that the train's activation published last, nil while it
// loads, and whether the train is active.
func (as *activations) snapshot(id booking.TrainID) (last *booking.Snapshot, active bool) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if a := as.active[id]; a != nil && a.serving() {
		return a.snapshot.Load(), true
	}
	return nil, false
}

// serving reports whether the activation may respond. While it loads, the requests to it wait.
func (a *activation) serving() bool {
	term := a.term.Load()
	return term == nil || term.Valid()
}

// isActive reports whether the train has an activation, which may be halting.
func (as *activations) isActive(id booking.TrainID) bool {
	as.mu.Lock()
	defer as.mu.Unlock()
	return as.active[id] != nil
}

// activate returns the train's activation, and creates it if the train is idle and proposed
// to this process. Errors: errStopping, errOwnedElsewhere.
func (as *activations) activate(id booking.TrainID) (*activation, error) {
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
	a := &activation{train: id, closed: make(chan struct{})}
	a.pid = as.system.actors.Root.SpawnPrefix(as.props(a), "train-")
	as.active[id] = a
	return a, nil
}

// reactivate activates a train whose activation closed with live holds, in the process that
// it is proposed to, so that the holds expire. It does nothing while the process shuts down.
func (as *activations) reactivate(id booking.TrainID) {
	if _, err := as.activate(id); errors.Is(err, errOwnedElsewhere) {
		as.system.reactivate(id)
	}
}

// rewriteHolds makes every activation store its live holds again. It follows an outage of
// their store, which may have lost the last of them.
func (as *activations) rewriteHolds() {
	for _, a := range as.all() {
		as.system.actors.Root.Send(a.pid, rewrite{})
	}
}

// handoff is what an activation leaves to the next one in this process. If no other process
// owned the train in between, its holds are authoritative, even if their store lost them.
type handoff struct {
	epoch int64
	holds []booking.Hold
}

func (as *activations) leaveHandoff(id booking.TrainID, h handoff) {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.handoffs[id] = h
}

// handoff returns the holds of the last activation in this process if its epoch is the
// given one, that is, if no other process has owned the train since. The handoff is kept,
// because the load may fail.
func (as *activations) handoff(id booking.TrainID, epoch int64) []booking.Hold {
	as.mu.Lock()
	defer as.mu.Unlock()
	h, found := as.handoffs[id]
	if found && h.epoch != epoch {
		delete(as.handoffs, id)
		return nil
	}
	return h.holds
}

// dropExpiredHandoffs drops the handoffs without a live hold.
func (as *activations) dropExpiredHandoffs(now time.Time) {
	as.mu.Lock()
	defer as.mu.Unlock()
	for id, h := range as.handoffs {
		if !slices.ContainsFunc(h.holds, func(h booking.Hold) bool { return h.ExpiresAt.After(now) }) {
			delete(as.handoffs, id)
		}
	}
}

// remove removes a closed activation, so that the next request activates the train again.
func (as *activations) remove(a *activation) {
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.active[a.train] == a {
		delete(as.active, a.train)
	}
}

// stop refuses new activations from now on.
func (as *activations) stop() {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.stopping = true
}

func (as *activations) all() []*activation {
	as.mu.Lock()
	defer as.mu.Unlock()
	return slices.Collect(maps.Values(as.active))
}

func (as *activations) count() int {
	as.mu.Lock()
	defer as.mu.Unlock()
	return len(as.active)
}
