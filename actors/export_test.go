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

// PanicOnce sends the train a command that makes its actor panic the first time.
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

// Block blocks the train's actor until release is closed.
func Block(ctx context.Context, s *System, id booking.TrainID, release <-chan struct{}) error {
	_, _, err := sendRequest[empty](ctx, s, id, block{release})
	return err
}

type block struct{ release <-chan struct{} }

func (c block) run(t *trainActor, r *request) {
	<-c.release
	t.respond(r, empty{}, nil)
}

// Halt halts the present activation of a train.
func Halt(s *System, id booking.TrainID) {
	s.activations.mu.Lock()
	defer s.activations.mu.Unlock()
	if a := s.activations.active[id]; a != nil {
		s.actors.Root.Send(a.pid, halt{})
	}
}

// WithoutPeers keeps a System of a cluster from listening for peers. Call it before Start.
func WithoutPeers(s *System) { s.cluster.peers.start = func() error { return nil } }

// OwnerAmong returns the address that a train is proposed to, among those given.
func OwnerAmong(addresses []string, id booking.TrainID) string {
	return (&membership{serving: addresses}).proposedOwner(id)
}

// ReconcileWhile reconciles the catalogue. It calls meanwhile after it has read the store.
func ReconcileWhile(ctx context.Context, s *System, meanwhile func()) error {
	before := s.catalogue.begin()
	trains, err := s.store.ListTrains(ctx)
	meanwhile()
	s.catalogue.reconcile(before, trains)
	return err
}

// DeleteFromPeer handles the update of a peer that has deleted a train.
func DeleteFromPeer(s *System, train *booking.Train) {
	s.handleUpdate(context.Background(), catalogueUpdate{Deleted: train})
}

// Member is membership for tests.
type Member struct {
	*membership
	evicted *atomic.Bool
}

// NewMember returns a member that has not joined.
func NewMember(store persistence.Members, address string) Member {
	m, evicted := newMembership(store, address), new(atomic.Bool)
	m.changed = func([]string) {}
	m.evicted = func() { evicted.Store(true) }
	return Member{m, evicted}
}

// Heartbeat sends a heartbeat; the first joins.
func (m Member) Heartbeat(ctx context.Context) error { return m.heartbeat(ctx) }

// Drain makes it a member that gets no trains.
func (m Member) Drain(ctx context.Context) error { return m.drain(ctx) }

// Leave ends the membership.
func (m Member) Leave(ctx context.Context) error { return m.leave(ctx) }

// Evicted reports whether the peers have evicted it.
func (m Member) Evicted() bool { return m.evicted.Load() }

// Network carries the calls between several Systems of one process. It replaces the gRPC
// transport, which does not work on virtual time.
type Network struct {
	mu          sync.Mutex
	systems     map[string]*System
	partitioned map[string]bool
}

// Connect adds a System. Call it before its Start.
func (n *Network) Connect(s *System) {
	peers := s.cluster.peers
	peers.start = func() error {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.systems == nil {
			n.systems, n.partitioned = map[string]*System{}, map[string]bool{}
		}
		n.systems[peers.address] = s
		return nil
	}
	peers.post = func(to string, envelope *wire.Envelope) {
		n.mu.Lock()
		peer := n.systems[to]
		lost := n.partitioned[to] || n.partitioned[peers.address]
		n.mu.Unlock()
		if peer != nil && !lost {
			peer.cluster.peers.dispatch(envelope)
		}
	}
}

// Partition loses all messages from and to an address from now on, or stops losing them.
func (n *Network) Partition(address string, lose bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.partitioned[address] = lose
}

// Operations returns the names of the operations that peers can call.
func Operations() (names []string) {
	for name := range operations {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Operate executes a call of a peer as the gateway does. It returns the body of the response,
// or the error of a call that cannot be decoded.
func Operate(ctx context.Context, s *System, name string, body []byte) ([]byte, error) {
	value, err := operations[name](ctx, s, body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// ReadResponse decodes the response of a peer to a hold.
func ReadResponse(body []byte) (booking.Hold, error) {
	var remote remoteResponse
	if err := readResponse(operationRequest, &wire.Envelope{Body: body}, &remote); err != nil {
		return booking.Hold{}, err
	}
	if remote.Error != nil {
		return booking.Hold{}, remote.Error
	}
	return valueOf[booking.Hold](response{value: remote.Value})
}

// ApplyMembership applies the membership that the first heartbeat of a member returned. It
// returns the addresses that get trains.
func ApplyMembership(address string, texts ...string) ([]string, error) {
	m := newMembership(nil, address)
	m.changed = func([]string) {}
	err := m.apply(persistence.Membership{Members: texts, Since: time.Hour})
	return m.serving, err
}

// MemberText returns the description of a member.
func MemberText(id uuid.UUID, address string) string { return member{ID: id, Address: address}.text() }

// The functions that trace requests and their writes.
var (
	StartRequest = startRequest
	StartFlush   = startFlush
	Inject       = inject
	Extract      = extract
)
