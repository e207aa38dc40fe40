package actors_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/cluster/clustertest"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/persistencetest/memory"
)

// virtualCluster is a cluster of several Systems in one process, on shared stores in memory
// and virtual time (testing/synctest), so that tests can check times exactly.
type virtualCluster struct {
	*testing.T
	store   *memory.Store
	shared  *memory.Shared
	network clustertest.Network
	nodes   int
}

// node is one System of the cluster.
type node struct {
	*actors.System
	address string
	link    *link
}

// link is the connection of a node to the stores. Tests can interrupt it.
type link struct {
	persistence.Store
	*memory.Client
	unreachable atomic.Bool // Redis
	storeless   atomic.Bool // Postgres, as Ping sees it
	outdated    atomic.Bool // the catalogue is not refreshed
	book        hook[persistence.Sale]
	holds       hook[persistence.HoldWrite]
	exchange    hook[persistence.Exchange]
	cancel      atomic.Pointer[error]                         // of CancelBooking
	read        atomic.Pointer[func([]booking.TrainID) error] // before SeatLegs
	load        atomic.Pointer[func([]booking.TrainID)]       // before LoadTrains
	restarted   atomic.Bool                                   // the next renewal returns ErrRestarted
	lost        atomic.Pointer[booking.TrainID]               // whose shard of Redis does not respond
	adopt       hook[persistence.Adoption]
	unlisted    atomic.Pointer[error] // of HoldsOfUser
	unbooked    atomic.Pointer[error] // of FindBookings
	calls       calls
}

var errShard = errors.New("a shard does not respond")

func (l *link) isLost(id booking.TrainID) bool {
	lost := l.lost.Load()
	return lost != nil && *lost == id
}

// calls counts the calls for the steps of loads, each of which takes a while.
type calls struct {
	duration                                           time.Duration
	epochs, leases, adoptions, holds, trains, releases atomic.Int64
}

func (c *calls) begin(counter *atomic.Int64) {
	counter.Add(1)
	if c.duration > 0 {
		wait(c.duration)
	}
}

func (l *link) Epochs(ctx context.Context, trains []booking.TrainID) ([]persistence.Result[int64], error) {
	l.calls.begin(&l.calls.epochs)
	return l.Store.Epochs(ctx, trains)
}

func (l *link) Adopt(ctx context.Context, activations []persistence.Adoption) ([]error, error) {
	l.calls.begin(&l.calls.adoptions)
	return l.adopt.call(activations, func() ([]error, error) { return l.Store.Adopt(ctx, activations) })
}

func (l *link) LoadHolds(
	ctx context.Context, trains []booking.TrainID, now time.Time,
) ([]persistence.Result[persistence.HeldTrain], error) {
	l.calls.begin(&l.calls.holds)
	held, err := l.Client.LoadHolds(ctx, trains, now)
	for i := range held {
		if l.isLost(trains[i]) {
			held[i] = persistence.Result[persistence.HeldTrain]{Err: errShard}
		}
	}
	return held, err
}

func (l *link) HoldsOfUser(ctx context.Context, user uuid.UUID, now time.Time) (persistence.HeldByUser, error) {
	if err := l.unlisted.Load(); err != nil {
		return persistence.HeldByUser{}, *err
	}
	held, err := l.Client.HoldsOfUser(ctx, user, now)
	held.Holds = slices.DeleteFunc(held.Holds, func(h booking.Hold) bool {
		lost := l.isLost(h.ID.Train())
		held.Incomplete = held.Incomplete || lost
		return lost
	})
	return held, err
}

func (l *link) FindBookings(ctx context.Context, ids []uuid.UUID) ([]booking.Booking, error) {
	if err := l.unbooked.Load(); err != nil {
		return nil, *err
	}
	return l.Store.FindBookings(ctx, ids)
}

func (l *link) LoadTrains(
	ctx context.Context, trains []booking.TrainID, became []uuid.UUID,
) ([]persistence.Result[persistence.LoadedTrain], error) {
	l.calls.begin(&l.calls.trains)
	if f := l.load.Load(); f != nil {
		(*f)(trains)
	}
	return l.Store.LoadTrains(ctx, trains, became)
}

func (l *link) SeatLegs(ctx context.Context, trains []booking.TrainID) ([]map[int]booking.Legs, error) {
	if f := l.read.Load(); f != nil {
		if err := (*f)(trains); err != nil {
			return nil, err
		}
	}
	return l.Store.SeatLegs(ctx, trains)
}

// Revision implements persistence.Store.
func (l *link) Revision(ctx context.Context) (int64, error) {
	if l.outdated.Load() {
		return 0, errUnreachable
	}
	return l.Store.Revision(ctx)
}

// Ping implements persistence.Store.
func (l *link) Ping(ctx context.Context) error {
	if l.storeless.Load() {
		return errUnreachable
	}
	return l.Store.Ping(ctx)
}

func (l *link) Book(ctx context.Context, sales []persistence.Sale) ([]error, error) {
	ctx = context.WithoutCancel(ctx) // a statement that was sent is executed
	return l.book.call(sales, func() ([]error, error) { return l.Store.Book(ctx, sales) })
}

func (l *link) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	return l.holds.call(writes, func() ([]error, error) {
		if l.unreachable.Load() {
			return nil, errUnreachable
		}
		return l.Client.WriteHolds(ctx, writes)
	})
}

func (l *link) ExchangeBooking(ctx context.Context, x persistence.Exchange) error {
	results, err := l.exchange.call([]persistence.Exchange{x}, func() ([]error, error) {
		return []error{l.Store.ExchangeBooking(ctx, x)}, nil
	})
	return errors.Join(append(results, err)...)
}

func (l *link) CancelBooking(
	ctx context.Context, guard persistence.Guard, id uuid.UUID, at time.Time, by booking.Canceller,
) error {
	if err := l.cancel.Load(); err != nil {
		return *err
	}
	return l.Store.CancelBooking(ctx, guard, id, at, by)
}

func (l *link) AcquireLeases(
	ctx context.Context, leases []persistence.Lease,
) ([]persistence.Result[persistence.Holder], error) {
	l.calls.begin(&l.calls.leases)
	if l.unreachable.Load() {
		return nil, errUnreachable
	}
	return l.Client.AcquireLeases(ctx, leases)
}

func (l *link) RenewLeases(ctx context.Context, leases []persistence.Lease) ([]error, error) {
	if l.unreachable.Load() {
		return nil, errUnreachable
	}
	results, err := l.Client.RenewLeases(ctx, leases)
	for i := range results {
		if l.isLost(leases[i].Train) {
			results[i] = errShard
		}
	}
	if l.restarted.CompareAndSwap(true, false) {
		err = persistence.ErrRestarted
	}
	return results, err
}

func (l *link) ReleaseLeases(ctx context.Context, leases []persistence.Lease) error {
	l.calls.begin(&l.calls.releases)
	if l.unreachable.Load() {
		return errUnreachable
	}
	return l.Client.ReleaseLeases(ctx, leases)
}

func (l *link) Heartbeat(ctx context.Context, member string) (persistence.Membership, error) {
	if l.unreachable.Load() {
		return persistence.Membership{}, errUnreachable
	}
	return l.Client.Heartbeat(ctx, member)
}

// onVirtualCluster runs a test on an empty cluster.
func onVirtualCluster(t *testing.T, test func(c *virtualCluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		t.Cleanup(func() { wait(time.Minute) }) // until a goroutine of the actor library ends
		test(&virtualCluster{T: t, store: memory.NewStore(), shared: memory.NewShared(time.Now)})
	})
}

// join starts another node.
func (c *virtualCluster) join() *node {
	c.Helper()
	c.nodes++
	n := &node{address: fmt.Sprintf("10.0.0.%d:8090", c.nodes)}
	n.link = &link{Store: c.store, Client: c.shared.At(n.address, time.Now)}
	n.System = actors.New(actors.Options{
		Store: n.link, Holds: n.link, Rules: rules, SaleWriters: 2, HoldWriters: 2,
		Cluster: cluster.New(cluster.Options{
			Leases: n.link, Members: n.link, Address: n.address, Listen: n.address, Tokens: func() []string { return []string{"token"} },
			Network: c.network.At(n.address),
		}),
	})
	require.NoError(c, n.Start(c.Context()))
	c.Cleanup(func() {
		c.network.Heal()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(c, n.Stop(ctx))
	})
	return n
}

// trainOf creates a train that is proposed to a node while all the nodes are members.
func (c *virtualCluster) trainOf(n *node, all ...*node) booking.TrainID {
	c.Helper()
	var addresses []string
	for _, other := range all {
		addresses = append(addresses, other.address)
	}
	for {
		id := booking.NewTrainID()
		if cluster.Rendezvous(addresses, cluster.Key(id)) != n.address {
			continue
		}
		_, err := n.CreateTrain(c.Context(), booking.Train{
			ID: id, Name: "Test Express", Capacity: 10, OnSale: true,
			Stops: []booking.Stop{{Station: "A"}, {Station: "B"}, {Station: "C"}},
		})
		require.NoError(c, err)
		return id
	}
}

// owner returns the address in the train's lease, or "".
func (c *virtualCluster) owner(id booking.TrainID) string {
	lease, _ := c.shared.Holder(id)
	return lease.Address
}

// hold holds a free seat.
func (c *virtualCluster) hold(n *node, id booking.TrainID, seatNumber int) booking.Hold {
	c.Helper()
	h, err := n.Hold(c.Context(), seat(id, uuid.New(), seatNumber))
	require.NoError(c, err)
	return h
}

// stored returns the train's holds in Redis.
func (c *virtualCluster) stored(id booking.TrainID) []booking.Hold {
	c.Helper()
	holds, err := persistencetest.LoadHolds(c.Context(), c.shared.At("", time.Now), id, time.Now())
	require.NoError(c, err)
	for i := range holds {
		holds[i].Incarnation = 0 // as in a reply
	}
	return holds
}

func wait(d time.Duration) { <-time.After(d) }
