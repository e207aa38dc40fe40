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
)

var (
	// errClosed says that the process is shutting down.
	errClosed = errors.New("shutting down")
	// errNotMine says that the train belongs to another process.
	errNotMine = errors.New("the train belongs to another process")
)

// placement knows which trains are active in this process and activates them on demand:
// at most one activation of a train at a time, and in a cluster only those that belong
// here. That no other process has one is the lease's matter.
type placement struct {
	system *System
	props  func(*activation) *actor.Props

	mu     sync.Mutex
	active map[booking.TrainID]*activation
	legacy map[booking.TrainID]legacy
	closed bool
}

// activation is one life of a train's actor, as others see it.
type activation struct {
	train    booking.TrainID
	pid      *actor.PID
	snapshot atomic.Pointer[booking.Snapshot] // nil while loading
	tenure   atomic.Pointer[tenure]           // nil while loading, or alone
	pressure pressure
	closed   chan struct{} // closed when the actor answers no more
}

func newPlacement(s *System) *placement {
	// A restarted actor would serve a state that panicked it, with its asks lost. One
	// that is stopped closes its activation, and the asks go to the next one.
	stop := actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })
	return &placement{
		system: s,
		active: map[booking.TrainID]*activation{},
		legacy: map[booking.TrainID]legacy{},
		props: func(a *activation) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return newTrainActor(s, a) }, actor.WithGuardian(stop))
		},
	}
}

// snapshot returns the state that the train's activation published last, nil while it is
// loading, and whether the train is active at all.
func (p *placement) snapshot(id booking.TrainID) (last *booking.Snapshot, active bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.active[id]; a != nil && a.tenure.Load().valid() {
		return a.snapshot.Load(), true
	}
	return nil, false
}

// isActive reports whether the train has an activation, be it one that closes.
func (p *placement) isActive(id booking.TrainID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.active[id] != nil
}

// activate returns the train's activation and makes one when it is idle and belongs
// here. Errors: errClosed, errNotMine.
func (p *placement) activate(id booking.TrainID) (*activation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.active[id]; a != nil {
		return a, nil
	}
	if !p.system.cluster.mine(id) {
		return nil, errNotMine
	}
	if p.closed {
		return nil, errClosed
	}
	a := &activation{train: id, closed: make(chan struct{})}
	a.pid = p.system.actors.Root.SpawnPrefix(p.props(a), "train-")
	p.active[id] = a
	return a, nil
}

// revive activates a train whose activation closed with live holds, unless the process
// shuts down: they need an owner that ends them, and a train without one counts as idle.
// One that belongs elsewhere is activated there.
func (p *placement) revive(id booking.TrainID) {
	if _, err := p.activate(id); errors.Is(err, errNotMine) {
		p.system.cluster.revive(id)
	}
}

// rewriteHolds makes every activation store its live holds again, after a time in which
// their store was away: it may have come back without the last of them.
func (p *placement) rewriteHolds() {
	for _, a := range p.all() {
		p.system.actors.Root.Send(a.pid, rewrite{})
	}
}

// legacy is what an activation leaves to the next one in this process: if nobody was
// owner in between, its holds are the truth, whatever became of their store.
type legacy struct {
	epoch int64
	holds []booking.Hold
}

func (p *placement) bequeath(id booking.TrainID, l legacy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.legacy[id] = l
}

// inherit returns the holds of the last activation if it had the epoch, that is, if it
// was the last one anywhere. They stay until they are forgotten: the load may fail.
func (p *placement) inherit(id booking.TrainID, epoch int64) []booking.Hold {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, left := p.legacy[id]
	if left && l.epoch != epoch {
		delete(p.legacy, id)
		return nil
	}
	return l.holds
}

// forgetLegacies drops those in which every hold has ended.
func (p *placement) forgetLegacies(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, l := range p.legacy {
		if !slices.ContainsFunc(l.holds, func(h booking.Hold) bool { return h.ExpiresAt.After(now) }) {
			delete(p.legacy, id)
		}
	}
}

// remove makes the next ask for the train activate it anew.
func (p *placement) remove(a *activation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active[a.train] == a {
		delete(p.active, a.train)
	}
}

// close refuses activations from now on.
func (p *placement) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

func (p *placement) all() []*activation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.active))
}

// owned returns how many trains this process has to itself.
func (p *placement) owned() int {
	if c := p.system.cluster; c != nil {
		return c.leases.count()
	}
	return p.count()
}

func (p *placement) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.active)
}
