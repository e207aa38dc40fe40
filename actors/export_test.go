package actors

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// RequestTimeout is requestTimeout.
const RequestTimeout = requestTimeout

// PanicOnce asks the train a command that panics its actor the first time.
func PanicOnce(ctx context.Context, s *System, id booking.TrainID) error {
	_, _, err := sendRequest[empty](ctx, s, id, &panicOnce{})
	return err
}

type panicOnce struct{ done atomic.Bool }

func (c *panicOnce) run(t *trainActor, r *request) {
	if c.done.CompareAndSwap(false, true) {
		panic("a bug")
	}
	t.respond(r, empty{}, nil)
}

// Batcher is batcher for tests.
type Batcher[T any] struct{ *batcher[T] }

// NewBatcher returns a batcher that keeps no metrics.
func NewBatcher[T any](flush func(context.Context, []T) ([]error, error)) Batcher[T] {
	return Batcher[T]{newBatcher("test", flush, func(int, time.Duration, time.Duration) {})}
}

// Add queues an item.
func (b Batcher[T]) Add(item T, done func(error)) { b.add(context.Background(), item, done) }

// Wait returns when nothing is queued or in flight.
func (b Batcher[T]) Wait() { b.wait() }

// ErrQueueAge is errQueueAge.
var ErrQueueAge = errQueueAge

// Block keeps the train's actor from its mailbox until release is closed.
func Block(ctx context.Context, s *System, id booking.TrainID, release <-chan struct{}) error {
	_, _, err := sendRequest[empty](ctx, s, id, block{release})
	return err
}

type block struct{ release <-chan struct{} }

func (c block) run(t *trainActor, r *request) {
	<-c.release
	t.respond(r, empty{}, nil)
}

// Halt ends the present activation of a train, as idling does.
func Halt(s *System, id booking.TrainID) {
	s.activations.mu.Lock()
	defer s.activations.mu.Unlock()
	if a := s.activations.active[id]; a != nil {
		s.actors.Root.Send(a.pid, halt{})
	}
}

// WithoutPeers makes a system of a cluster listen for nobody. Call it before Start.
func WithoutPeers(s *System) { s.cluster.peers.start = func() error { return nil } }

// OwnerAmong returns which of the addresses a train is proposed to.
func OwnerAmong(addresses []string, id booking.TrainID) string {
	return (&membership{serving: addresses}).proposedOwner(id)
}

// ReconcileWhile reconciles with what is stored now; meanwhile happens after it was read.
func ReconcileWhile(ctx context.Context, s *System, meanwhile func()) error {
	before := s.catalogue.begin()
	trains, err := s.store.ListTrains(ctx)
	meanwhile()
	s.catalogue.reconcile(before, trains)
	return err
}

// DeleteFromPeer is the news of a peer that a train is deleted.
func DeleteFromPeer(s *System, train *booking.Train) {
	s.handleUpdate(context.Background(), catalogueUpdate{Deleted: train})
}

// Member is membership for tests.
type Member struct {
	*membership
	out *atomic.Bool
}

// NewMember returns a process that has not joined.
func NewMember(contract persistence.Members, address string) Member {
	m, out := newMembership(contract, address), new(atomic.Bool)
	m.changed = func([]string) {}
	m.evicted = func() { out.Store(true) }
	return Member{m, out}
}

// Heartbeat sends a heartbeat; the first joins.
func (m Member) Heartbeat(ctx context.Context) error { return m.heartbeat(ctx) }

// Drain tells the others that it is given no trains.
func (m Member) Drain(ctx context.Context) error { return m.drain(ctx) }

// Leave takes it off.
func (m Member) Leave(ctx context.Context) error { return m.leave(ctx) }

// Evicted reports whether the others went on without it.
func (m Member) Evicted() bool { return m.out.Load() }

// Wires carry the calls of the systems of one process to each other, in the place of the
// transport, which cannot follow a clock that is not real.
type Wires struct {
	mu      sync.Mutex
	systems map[string]*System
	cut     map[string]bool
}

// Connect makes a system one that the others reach. Call it before Start.
func (w *Wires) Connect(s *System) {
	peers := s.cluster.peers
	peers.start = func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.systems == nil {
			w.systems, w.cut = map[string]*System{}, map[string]bool{}
		}
		w.systems[peers.address] = s
		return nil
	}
	peers.post = func(to string, envelope *wire.Envelope) {
		w.mu.Lock()
		there := w.systems[to]
		lost := w.cut[to] || w.cut[peers.address]
		w.mu.Unlock()
		if there != nil && !lost {
			there.cluster.peers.dispatch(envelope)
		}
	}
}

// Cut loses what is sent from or to an address from now on, or no more.
func (w *Wires) Cut(address string, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[address] = cut
}

// Operations are the names of what peers may ask.
func Operations() (names []string) {
	for name := range operations {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Operate answers a call of a peer as the gateway does: the body of the answer, or why the
// call cannot be read.
func Operate(ctx context.Context, s *System, name string, body []byte) ([]byte, error) {
	value, err := operations[name](ctx, s, body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// ReadResponse reads the answer to an ask, as the process that asked does.
func ReadResponse(body []byte) (value booking.Hold, err error) {
	var back remoteResponse
	if err := readResponse(operationRequest, &wire.Envelope{Body: body}, &back); err != nil {
		return value, err
	}
	if back.Error != nil {
		return value, back.Error
	}
	return valueOf[booking.Hold](response{value: back.Value})
}

// ApplyMembership is what a member that knows nobody makes of what a heartbeat found: the
// addresses that trains are given to.
func ApplyMembership(address string, texts ...string) ([]string, error) {
	m := newMembership(nil, address)
	m.changed = func([]string) {}
	err := m.apply(persistence.Membership{Members: texts, Since: time.Hour})
	return m.serving, err
}

// MemberText is what a member writes of itself.
func MemberText(id uuid.UUID, address string) string { return member{ID: id, Address: address}.text() }

// The functions that trace requests and their writes.
var (
	StartRequest = startRequest
	StartFlush   = startFlush
	Inject       = inject
	Extract      = extract
)
