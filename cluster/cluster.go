package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"trainbooking.dev/cluster/wire"
	"trainbooking.dev/persistence"
)

// joinTime bounds the wait until every peer has seen a member that joins.
const joinTime = 5 * time.Second

// ErrEvicted is returned when the peers have removed this process, because it was paused or
// partitioned. Other processes own its keys now, so it must be restarted.
var ErrEvicted = errors.New("evicted by its peers: restart the process")

// Key is what one process at a time owns, such as the id of a train.
type Key [16]byte

// LeaseEvent is a change of a lease, for metrics.
type LeaseEvent string

// The events of a lease.
const (
	LeaseAcquired LeaseEvent = "acquired"
	LeaseLost     LeaseEvent = "lost"    // not held at its renewal
	LeaseOverdue  LeaseEvent = "overdue" // the term ended because the store did not respond
)

// Events are called by a Cluster, concurrently, and must not block. All are required.
type Events struct {
	Changed func() // keys may have another proposed owner
	// Recovered reports that the store may have lost its last writes: renewals or heartbeats succeed
	// again after an outage, or it was restarted or replaced. It is called at most once in
	// RecoveryInterval.
	Recovered func()
	Evicted   func() // this process must be restarted
	Lease     func(LeaseEvent)
}

// Cluster is what one of the processes sees and does. It is safe for concurrent use.
type Cluster interface {
	// Registrar registers services that peers can call. Use it before Start.
	Registrar() grpc.ServiceRegistrar
	// Start makes this process a member that gets keys. When it returns, every peer has seen the
	// new member, or has had the time to. Call it once.
	Start(ctx context.Context, events Events) error
	// Drain makes this process a member that gets no keys. It still calls its peers.
	Drain(ctx context.Context) error
	// Stop leaves the cluster, and waits until the calls of peers are answered or ctx ends. Call it
	// when no lease is held.
	Stop(ctx context.Context) error

	// Address returns the address of this process, which its leases contain.
	Address() string
	// ProposedOwner returns the address of the member that is to own a key, "" if no member gets
	// keys. The lease of the key decides.
	ProposedOwner(key Key) string
	// Owns reports whether this process is the proposed owner.
	Owns(key Key) bool
	// Peer returns the peer with an address, or nil.
	Peer(address string) *Peer
	// Peers returns all peers.
	Peers() []*Peer
	// Members returns the number of members.
	Members() int
	// Joined returns an error that says why this process is not a member now, nil if it is one.
	Joined() error
	// Bounds returns the earliest and the latest time that it can be now on the clock that all
	// members share.
	Bounds() (earliest, latest time.Time)

	// Acquire acquires leases and renews them until Release. It returns one result each, in order;
	// the error is a *NotOwnerError when another process holds the lease.
	Acquire(ctx context.Context, wanted []Acquisition) []persistence.Result[*Term]
	// Release ends terms and releases those of their leases that the store still has.
	Release(ctx context.Context, terms []*Term)
	// Leases returns the number of leases that this process holds.
	Leases() int
}

// Acquisition is a lease to acquire.
type Acquisition struct {
	Lease persistence.Lease // without the address
	Lost  func()            // called when the term ends early, perhaps more than once
}

// Options configure a Node. All fields except TLS, Network and Logger are required.
type Options struct {
	Leases  persistence.Leases
	Members persistence.Members
	// Address is the host:port that peers dial and that leases contain. Listen is the
	// host:port to listen on.
	Address, Listen string
	// Tokens returns the tokens that authenticate peers: the first one is sent, any of them is accepted.
	// It is called for each call, so that they can be replaced.
	Tokens func() []string
	// TLS, if set, returns the settings both to listen and to dial (mutual TLS). It is called for each
	// connection, so that certificates can be replaced.
	TLS     func() *tls.Config
	Network Network      // nil: TCP
	Logger  *slog.Logger // nil: discard
}

// Node implements Cluster for one of several processes.
type Node struct {
	wire.UnimplementedMembersServer

	options    Options
	members    *membership
	leases     *lessor
	server     *grpc.Server
	recovery   recovery
	background sync.WaitGroup
	running    context.Context // from New until Stop
	cancel     context.CancelFunc
}

var _ Cluster = (*Node)(nil)

// New returns a Node that is not a member yet.
func New(o Options) *Node {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Network == nil {
		o.Network = tcp{}
	}
	n := &Node{options: o, members: newMembership(o.Members, o.Address), server: newServer(&o), recovery: make(recovery, 1)}
	n.members.dial, n.members.log = dialer(&o), o.Logger
	n.leases = &lessor{store: o.Leases, address: o.Address, log: o.Logger, held: map[persistence.Lease]*Term{}}
	n.running, n.cancel = context.WithCancel(context.Background())
	wire.RegisterMembersServer(n.server, n)
	return n
}

// Registrar implements Cluster.
func (n *Node) Registrar() grpc.ServiceRegistrar { return n.server }

// Start implements Cluster.
func (n *Node) Start(ctx context.Context, events Events) error {
	n.members.changed, n.members.evicted, n.members.recovered = events.Changed, events.Evicted, n.recovery.ended
	n.leases.event, n.leases.restarted, n.leases.recovered = events.Lease, n.recovery.ended, func() {
		if !n.members.unreachable() { // otherwise the outage goes on: no lease is left to be renewed
			n.recovery.ended()
		}
	}
	listener, err := n.options.Network.Listen(ctx, n.options.Listen)
	if err != nil {
		return fmt.Errorf("listen for peers on %s: %w", n.options.Listen, err)
	}
	n.background.Go(func() {
		if err := n.server.Serve(listener); err != nil {
			n.options.Logger.Error("calls of peers are not served", slog.Any("error", err))
		}
	})
	if err := n.members.heartbeat(ctx); err != nil {
		return err
	}
	n.background.Go(func() { n.members.run(n.running) })
	n.background.Go(func() { n.leases.run(n.running) })
	n.background.Go(func() { n.recovery.run(n.running, events.Recovered) })
	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	err = Broadcast(ctx, n, func(ctx context.Context, p *Peer) error {
		_, err := wire.NewMembersClient(p.Connection()).Refresh(ctx, &wire.RefreshRequest{})
		return err
	})
	if err != nil { // it can serve even so
		n.options.Logger.Warn("a peer did not acknowledge the join", slog.Any("error", err))
	}
	return nil
}

// Refresh implements wire.MembersServer.
func (n *Node) Refresh(ctx context.Context, _ *wire.RefreshRequest) (*wire.RefreshResponse, error) {
	_ = n.members.heartbeat(ctx) // after an error the next heartbeat reads them
	return &wire.RefreshResponse{}, nil
}

// Drain implements Cluster.
func (n *Node) Drain(ctx context.Context) error {
	if !n.members.isMember() {
		return nil
	}
	return n.members.drain(ctx)
}

// Stop implements Cluster.
func (n *Node) Stop(ctx context.Context) error {
	err := n.members.leave(ctx)
	n.cancel()
	stopped := context.AfterFunc(ctx, n.server.Stop)
	n.server.GracefulStop()
	stopped()
	n.members.close()
	n.background.Wait()
	return err
}

// Address implements Cluster.
func (n *Node) Address() string { return n.options.Address }

// ProposedOwner implements Cluster.
func (n *Node) ProposedOwner(key Key) string { return n.members.owner(key) }

// Owns implements Cluster.
func (n *Node) Owns(key Key) bool { return n.members.owner(key) == n.options.Address }

// Peer implements Cluster.
func (n *Node) Peer(address string) *Peer { return n.members.at(address) }

// Peers implements Cluster.
func (n *Node) Peers() []*Peer { return n.members.all() }

// Members implements Cluster.
func (n *Node) Members() int { return n.members.count() }

// Joined implements Cluster.
func (n *Node) Joined() error { return n.members.joined() }

// Bounds implements Cluster.
func (n *Node) Bounds() (earliest, latest time.Time) { return n.members.clock.bounds() }

// Acquire implements Cluster.
func (n *Node) Acquire(ctx context.Context, wanted []Acquisition) []persistence.Result[*Term] {
	return n.leases.acquire(ctx, wanted)
}

// Release implements Cluster.
func (n *Node) Release(ctx context.Context, terms []*Term) { n.leases.release(ctx, terms) }

// Leases implements Cluster.
func (n *Node) Leases() int { return n.leases.count() }

// broadcastAttempt is the timeout of the first attempt of a Broadcast at a peer.
const broadcastAttempt = 400 * time.Millisecond

// Broadcast calls every peer, and repeats the call until the peer has responded or left, or does
// not have the method. The error is that of the peers that had not responded when ctx ended.
func Broadcast(ctx context.Context, c Cluster, call func(context.Context, *Peer) error) error {
	peers := c.Peers()
	results := make(chan error, len(peers))
	for _, p := range peers {
		go func() { results <- deliver(ctx, p, call) }()
	}
	var errs []error
	for range peers {
		errs = append(errs, <-results)
	}
	return errors.Join(errs...)
}

func deliver(ctx context.Context, p *Peer, call func(context.Context, *Peer) error) error {
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for timeout := broadcastAttempt; ; timeout *= 2 {
		attempt, cancel := context.WithTimeout(ctx, timeout)
		err := call(attempt, p)
		cancel()
		if err == nil || status.Code(err) == codes.Unimplemented {
			return nil
		}
		select {
		case <-p.Left():
			return nil
		case <-ctx.Done():
			return fmt.Errorf("%s did not respond: %w", p.Address(), err)
		case <-pause.C:
		}
	}
}
