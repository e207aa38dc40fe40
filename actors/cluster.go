package actors

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ErrEvicted is sent to Failed when the peers have removed this process, because it was
// paused or partitioned. Other processes own its trains now, so it must be restarted.
var ErrEvicted = errors.New("evicted by its peers: restart the process")

// Cluster configures a System that is one of several processes. All fields except TLS are
// required.
type Cluster struct {
	Leases  persistence.Leases
	Members persistence.Members
	// Address is the host:port that peers dial and that leases contain. Listen is the
	// host:port to listen on.
	Address, Listen string
	// Tokens authenticate peers: the first one is sent, any of them is accepted.
	Tokens []string
	// TLS, if set, is used both to listen and to dial (mutual TLS).
	TLS *tls.Config
}

const (
	// reconcileInterval is how often the catalogue is reconciled with the store, which
	// applies the updates that this process has missed (DESIGN.md 5).
	reconcileInterval = 5 * time.Second
	// maxHandoffs is how many trains are handed off at a time (DESIGN.md 5).
	maxHandoffs = 50
	// orphanTime is how long after a change of members trains without an owner are searched
	// for: until the leases of a dead process have expired, and once more.
	orphanTime = persistence.LeaseTTL + reconcileInterval
)

// cluster is the part of a System that concerns its peers. It is nil without a cluster; the
// methods that queries and requests use then act for this process alone.
type cluster struct {
	system  *System
	members *membership
	leases  *lessor
	peers   *peers

	rebalances chan struct{}   // gets a value when trains may have to move
	running    context.Context // from New until stop
	cancel     context.CancelFunc
}

func newCluster(s *System, o *Cluster) *cluster {
	c := &cluster{system: s, rebalances: make(chan struct{}, 1)}
	c.running, c.cancel = context.WithCancel(context.Background())
	c.leases = &lessor{store: o.Leases, address: o.Address, system: s, held: map[booking.TrainID]*leaseTerm{}}
	c.members = newMembership(o.Members, o.Address)
	c.members.changed = c.changed
	c.members.evicted = func() { s.fail(ErrEvicted) }
	c.peers = newPeers(s, o)
	return c
}

// join makes this process a member that gets trains. When it returns, every peer has seen
// the new member, so that it misses none of their catalogue updates.
func (c *cluster) join(ctx context.Context) error {
	if err := c.peers.start(); err != nil {
		return err
	}
	if err := c.members.heartbeat(ctx); err != nil {
		return err
	}
	background := &c.system.background
	background.Go(func() { c.members.run(c.running) })
	background.Go(func() { c.leases.run(c.running) })
	background.Go(func() { c.rebalance(c.running) })
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := c.peers.broadcast(ctx, operationHello, empty{}); err != nil && ctx.Err() != nil {
		// The process can serve even so: it reconciles the updates that it misses.
		c.system.log.Warn("a peer did not acknowledge the join", slog.Any("error", err))
	}
	return nil
}

// changed is called after the members have changed, with the addresses that have departed.
func (c *cluster) changed(departed []string) {
	for _, address := range departed {
		c.peers.disconnect(address)
	}
	select {
	case c.rebalances <- struct{}{}:
	default: // one is queued already
	}
}

// leave hands off every train. Requests that arrive later are sent to the peers.
func (c *cluster) leave(ctx context.Context) error {
	if !c.members.isMember() {
		return nil
	}
	if err := c.members.drain(ctx); err != nil {
		c.system.log.Warn("the peers could not be notified of the leave", slog.Any("error", err))
	}
	return c.handOff(ctx)
}

// stop ends what join started. It is called when no train is active.
func (c *cluster) stop(ctx context.Context) error {
	err := c.members.leave(ctx)
	c.peers.stop()
	c.cancel()
	return err
}

// rebalance hands off trains when the members change, and reconciles the catalogue, until
// ctx ends.
func (c *cluster) rebalance(ctx context.Context) {
	tick := time.NewTicker(reconcileInterval)
	defer tick.Stop()
	var changedAt time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.rebalances:
			changedAt = time.Now()
			if err := c.handOff(ctx); err != nil {
				return
			}
		case <-tick.C:
			if err := c.system.reconcile(ctx); err != nil {
				c.system.log.Warn("catalogue not reconciled with the store", slog.Any("error", err))
			}
			c.system.activations.dropExpiredHandoffs(time.Now())
		}
		if time.Since(changedAt) < orphanTime {
			c.adoptOrphans(ctx)
		}
	}
}

// handOff halts the activations of trains that are proposed to another process, up to
// maxHandoffs at a time. Each completes the writes in flight and releases its lease.
func (c *cluster) handOff(ctx context.Context) error {
	slots := make(chan struct{}, maxHandoffs)
	for _, a := range c.system.activations.all() {
		if c.proposedHere(a.train) {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		c.system.actors.Root.Send(a.pid, halt{})
		c.system.background.Go(func() {
			<-a.closed
			<-slots
		})
	}
	for range cap(slots) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// adoptOrphans activates the trains of this process that have live holds and no owner, so
// that the holds are counted and expire in time.
func (c *cluster) adoptOrphans(ctx context.Context) {
	held, err := c.system.holdStore.TrainsWithHolds(ctx, time.Now())
	if err != nil {
		c.system.log.Warn("trains with holds not listed", slog.Any("error", err))
		return
	}
	orphans := held[:0]
	for _, id := range held {
		if _, active := c.system.activations.snapshot(id); !active && c.proposedHere(id) {
			orphans = append(orphans, id)
		}
	}
	c.system.activateAll(ctx, orphans)
}

// reactivate activates a train with live holds in its proposed process, if there is one.
func (c *cluster) reactivate(id booking.TrainID) {
	if c.proposedOwner(id) != "" {
		c.system.background.Go(func() { c.system.activateAll(c.running, []booking.TrainID{id}) })
	}
}

// proposedHere reports whether the train is proposed to this process.
func (c *cluster) proposedHere(id booking.TrainID) bool {
	return c == nil || c.members.proposedOwner(id) == c.peers.address
}

// proposedOwner returns the address of the process that the train is proposed to, or "".
func (c *cluster) proposedOwner(id booking.TrainID) string {
	if c == nil {
		return ""
	}
	return c.members.proposedOwner(id)
}

// isSelf reports whether an address is that of this process.
func (c *cluster) isSelf(address string) bool { return c == nil || address == c.peers.address }

// count returns the number of members.
func (c *cluster) count() int {
	if c == nil {
		return 1
	}
	return c.members.count()
}
