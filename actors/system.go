package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// askTimeout bounds a command from its arrival to its answer (API.md, 504).
	askTimeout = 5 * time.Second
	// storeTimeout bounds one call of a store. With the wait for a place in a batch it
	// stays in the order of askTimeout, so that an answer rarely comes to nobody.
	storeTimeout = 5 * time.Second
	// loadTimeout bounds the load of a train. It is longer than anyone waits: a large
	// train on a slow disk is there for those who ask again.
	loadTimeout = 30 * time.Second
	// idleTimeout is after how long without a message or a hold a train passivates.
	idleTimeout = 10 * time.Minute
)

// Options are what a System is made of. Store, Holds and Rules are required.
type Options struct {
	Store    persistence.Store
	Holds    persistence.Holds
	Rules    booking.HoldRules
	Cluster  *Cluster              // nil: this process is alone
	Logger   *slog.Logger          // nil: discard
	Registry prometheus.Registerer // nil: metrics are kept by nobody
}

// System is the booking service of one process.
type System struct {
	store     persistence.Store
	heldSeats persistence.Holds
	rules     booking.HoldRules
	log       *slog.Logger
	metrics   *metrics

	actors     *actor.ActorSystem
	placement  *placement
	catalogue  *catalogue
	cluster    *cluster // nil: alone
	holds      *batcher[persistence.HoldWrite]
	sales      *batcher[persistence.Sale]
	background sync.WaitGroup // calls of stores on behalf of actors
	shutdown   func()         // of actors, once
	failed     chan error
}

var _ booking.Service = (*System)(nil)

// New returns a System that is not started.
func New(o Options) *System {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &System{
		store: o.Store, heldSeats: o.Holds, rules: o.Rules, log: o.Logger,
		catalogue: newCatalogue(), failed: make(chan error, 1),
	}
	s.actors = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(atLeast{slog.LevelWarn, o.Logger.Handler()})
	}))
	s.shutdown = sync.OnceFunc(s.actors.Shutdown)
	s.placement = newPlacement(s)
	s.metrics = newMetrics(o.Registry, s.placement)
	s.holds = newBatcher("holds", o.Holds.WriteHolds, s.metrics.writer("holds"))
	s.sales = newBatcher("bookings", o.Store.Book, s.metrics.writer("bookings"))
	if o.Cluster != nil {
		s.cluster = newCluster(s, o.Cluster)
		s.cluster.members.log = s.log
	}
	return s
}

// Start joins the cluster, reads which trains there are and activates those of its own
// with live holds, so that every hold has an owner that ends it. Call it once.
func (s *System) Start(ctx context.Context) error {
	if s.cluster != nil {
		if err := s.cluster.join(ctx); err != nil {
			return fmt.Errorf("join the cluster: %w", err)
		}
	}
	if err := s.reconcile(ctx); err != nil {
		return fmt.Errorf("list trains: %w", err)
	}
	held, err := s.heldSeats.TrainsWithHolds(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("list trains with holds: %w", err)
	}
	held = slices.DeleteFunc(held, func(id booking.TrainID) bool { return !s.cluster.mine(id) })
	s.activateAll(ctx, held)
	return nil
}

// Leave hands every train over to the peers and owns none any more; what is asked here
// is still answered, by them. Alone it does nothing. Stop comes after it.
func (s *System) Leave(ctx context.Context) error {
	if s.cluster == nil {
		return nil
	}
	if err := s.cluster.leave(ctx); err != nil {
		return fmt.Errorf("hand over trains: %w", err)
	}
	return nil
}

// Stop refuses what comes from now on, lets every train finish what it has in flight,
// and returns when all is stored, or with ctx's error. It may be called twice.
func (s *System) Stop(ctx context.Context) error {
	s.placement.close()
	for _, a := range s.placement.all() {
		s.actors.Root.Send(a.pid, halt{})
	}
	for _, a := range s.placement.all() {
		select {
		case <-a.closed:
		case <-ctx.Done():
			return fmt.Errorf("stop trains: %w", ctx.Err())
		}
	}
	var err error
	if s.cluster != nil {
		err = s.cluster.stop(ctx)
	}
	s.background.Wait()
	s.holds.wait()
	s.sales.wait()
	s.shutdown()
	return err
}

// Ready says why the service cannot answer now: a store out of reach. On a full one it
// answers still, all reads and what it refuses to write.
func (s *System) Ready(ctx context.Context) error {
	err := s.store.Ping(ctx)
	if errors.Is(err, persistence.ErrFull) {
		s.log.Warn("the storage is full, nothing can be sold", slog.Any("error", err))
		return nil
	}
	return err
}

// Failed gets one error when this process must not go on: ErrEvicted.
func (s *System) Failed() <-chan error { return s.failed }

// Joined says why the process is no part of the cluster now, nil if it is, or alone.
func (s *System) Joined() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.members.joined()
}

// fail reports the first reason why this process must not go on.
func (s *System) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// atLeast passes on records of a level or above: the actor library logs each of its
// steps. That a connection to a peer is gone it calls an error each time; who is gone is
// the membership's matter.
type atLeast struct {
	level slog.Level
	slog.Handler
}

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h atLeast) Handle(ctx context.Context, record slog.Record) error {
	if strings.HasPrefix(record.Message, "Endpoint") {
		record.Level = slog.LevelDebug
		if !h.Handler.Enabled(ctx, record.Level) {
			return nil
		}
	}
	return h.Handler.Handle(ctx, record)
}
