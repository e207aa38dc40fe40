package actors

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"trainbooking.dev/booking"
)

// errClosed says that the process is shutting down.
var errClosed = errors.New("shutting down")

// placement knows which train is active where and activates it on demand: at most one
// activation of a train at a time. In one process, where is here.
type placement struct {
	system *System
	props  func(*activation) *actor.Props

	mu     sync.Mutex
	active map[booking.TrainID]*activation
	closed bool
}

// activation is one life of a train's actor, as others see it.
type activation struct {
	train    booking.TrainID
	pid      *actor.PID
	snapshot atomic.Pointer[booking.Snapshot] // nil while loading
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
		props: func(a *activation) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return newTrain(s, a) }, actor.WithGuardian(stop))
		},
	}
}

// snapshot returns the state that the train's activation published last, nil while it is
// loading, and whether the train is active at all.
func (p *placement) snapshot(id booking.TrainID) (last *booking.Snapshot, active bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.active[id]; a != nil {
		return a.snapshot.Load(), true
	}
	return nil, false
}

// activate returns the train's activation and makes one when it is idle. Error:
// errClosed.
func (p *placement) activate(id booking.TrainID) (*activation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.active[id]; a != nil {
		return a, nil
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
func (p *placement) revive(id booking.TrainID) {
	_, _ = p.activate(id) // errClosed
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

func (p *placement) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.active)
}
