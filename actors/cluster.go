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

// ErrEvicted is what Failed gets when peers have taken this process off while it was
// paused or cut off: they have given its trains to others, so it must be started anew.
var ErrEvicted = errors.New("evicted by its peers: start again")

// Cluster is what makes several Systems act as one. All fields but TLS are required.
type Cluster struct {
	Leases  persistence.Leases
	Members persistence.Members
	// Address is the host:port that peers dial, and what leases name; Listen is where
	// to listen for them.
	Address, Listen string
	// Tokens are what peers prove to each other: the first is shown, any is accepted.
	Tokens []string
	// TLS, where it is set, is used both to listen and to dial: mutual TLS.
	TLS *tls.Config
}

const (
	// reconcileEvery is how often the catalogue is compared with the store, which repairs
	// what no peer told (DESIGN.md 5).
	reconcileEvery = 5 * time.Second
	// maxHandover is how many trains are handed over at a time (DESIGN.md 5).
	maxHandover = 50
	// orphanTime is for how long after a change of members trains are looked for whose
	// owner is gone: until its leases have ended, and once more.
	orphanTime = persistence.LeaseTTL + reconcileEvery
)

// cluster is this process among its peers; nil in a System that is alone.
type cluster struct {
	system  *System
	members *membership
	leases  *leaseKeeper
	peers   *peers

	moved   chan struct{}   // the members have changed: trains may have to move
	running context.Context // from New until stop
	cancel  context.CancelFunc
}

func newCluster(s *System, o *Cluster) *cluster {
	c := &cluster{system: s, moved: make(chan struct{}, 1)}
	c.running, c.cancel = context.WithCancel(context.Background())
	c.leases = &leaseKeeper{contract: o.Leases, address: o.Address, system: s, held: map[booking.TrainID]*tenure{}}
	c.members = newMembership(o.Members, o.Address)
	c.members.changed = c.changed
	c.members.evicted = func() { s.fail(ErrEvicted) }
	c.peers = newPeers(s, o)
	return c
}

// join makes this process one that trains are given to. When it returns every peer knows
// it, so that none of their news passes it by.
func (c *cluster) join(ctx context.Context) error {
	if err := c.peers.start(); err != nil {
		return err
	}
	if err := c.members.beat(ctx); err != nil {
		return err
	}
	background := &c.system.background
	background.Go(func() { c.members.run(c.running) })
	background.Go(func() { c.leases.run(c.running) })
	background.Go(func() { c.rebalance(c.running) })
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := c.peers.tellAll(ctx, operationHello, nothing{}); err != nil && ctx.Err() != nil {
		// It must not keep this process from serving. What news passes it by is reconciled.
		c.system.log.Warn("a peer was not told that this process has joined", slog.Any("error", err))
	}
	return nil
}

// changed is called after the members have changed, with those that are gone.
func (c *cluster) changed(gone []string) {
	for _, address := range gone {
		c.peers.forget(address)
	}
	select {
	case c.moved <- struct{}{}:
	default: // one is waiting already
	}
}

// leave hands every train over and stays a client of the peers.
func (c *cluster) leave(ctx context.Context) error {
	if !c.members.isMember() {
		return nil
	}
	if err := c.members.drain(ctx); err != nil {
		c.system.log.Warn("the peers were not told that this process leaves", slog.Any("error", err))
	}
	return c.handOver(ctx)
}

// stop ends what join began. No train is active any more.
func (c *cluster) stop(ctx context.Context) error {
	err := c.members.leave(ctx)
	c.peers.stop()
	c.cancel()
	return err
}

// rebalance moves trains when members come or go, and repairs what was missed.
func (c *cluster) rebalance(ctx context.Context) {
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	var movedAt time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.moved:
			movedAt = time.Now()
			if err := c.handOver(ctx); err != nil {
				return
			}
		case <-tick.C:
			if err := c.system.reconcile(ctx); err != nil {
				c.system.log.Warn("the catalogue was not compared with the store", slog.Any("error", err))
			}
			c.system.placement.forgetLegacies(time.Now())
		}
		if time.Since(movedAt) < orphanTime {
			c.adoptOrphans(ctx)
		}
	}
}

// handOver closes the activations that belong elsewhere, some at a time. Each stores
// what it has in flight and gives up its lease before the new owner can serve.
func (c *cluster) handOver(ctx context.Context) error {
	slots := make(chan struct{}, maxHandover)
	for _, a := range c.system.placement.all() {
		if c.mine(a.train) {
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

// adoptOrphans activates the trains of this process that have live holds and no owner,
// so that the holds end when they should and are counted until then.
func (c *cluster) adoptOrphans(ctx context.Context) {
	held, err := c.system.heldSeats.TrainsWithHolds(ctx, time.Now())
	if err != nil {
		c.system.log.Warn("trains with holds not looked for", slog.Any("error", err))
		return
	}
	mine := held[:0]
	for _, id := range held {
		if _, active := c.system.placement.snapshot(id); !active && c.mine(id) {
			mine = append(mine, id)
		}
	}
	c.system.activateAll(ctx, mine)
}

// revive activates a train with live holds where it belongs, if there is anybody.
func (c *cluster) revive(id booking.TrainID) {
	if c.owner(id) != "" {
		c.system.background.Go(func() { c.system.activateAll(c.running, []booking.TrainID{id}) })
	}
}

// mine reports whether this process is the one that the train is proposed to.
func (c *cluster) mine(id booking.TrainID) bool {
	return c == nil || c.members.owner(id) == c.peers.address
}

// owner returns the address of the process that the train is proposed to, "" if there is
// none.
func (c *cluster) owner(id booking.TrainID) string {
	if c == nil {
		return ""
	}
	return c.members.owner(id)
}

// here reports whether an address is this process's own.
func (c *cluster) here(address string) bool { return c == nil || address == c.peers.address }

// count returns how many members there are.
func (c *cluster) count() int {
	if c == nil {
		return 1
	}
	return c.members.count()
}
