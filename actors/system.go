package actors

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

const (
	// requestTimeout bounds a request from its arrival to its response (API.md, 504).
	requestTimeout = 5 * time.Second
	// storeTimeout bounds one call of a store that no batcher makes. It is as long as
	// requestTimeout: nobody waits for longer.
	storeTimeout = 5 * time.Second
	// loadTimeout bounds the load of a train. It is longer than a request waits, so that
	// the retry of a request finds even a large train on a slow disk loaded.
	loadTimeout = 30 * time.Second
)

// Options configure a System. Store, Holds and Rules are required.
type Options struct {
	Store persistence.Store
	Holds persistence.Holds
	Rules booking.HoldRules
	// SaleWriters and HoldWriters are how many batches of sales and of holds are written at a time;
	// 0: one, for a store that writes one after another.
	SaleWriters, HoldWriters int
	Cluster                  cluster.Cluster       // nil: a single process. The System starts and stops it
	Logger                   *slog.Logger          // nil: discard
	Registry                 prometheus.Registerer // nil: no metrics
}

// System implements booking.Service in one process. Create it with New, then call Start
// once; Leave and Stop end it.
type System struct {
	store     persistence.Store
	holdStore persistence.Holds
	rules     booking.HoldRules
	log       *slog.Logger
	metrics   *metrics

	actors      *actor.ActorSystem
	activations *activations
	passive     *passive
	changes     *changeLog
	placements  atomic.Uint64 // how often trains may have been proposed to other processes
	catalogue   *catalogue
	refreshes   refreshes
	cluster     cluster.Cluster
	monitor     *monitor
	holdWriter  *batcher[persistence.HoldWrite]
	saleWriter  *batcher[persistence.Sale]
	loads       *loads
	queries     *peerQueries
	watches     *watches
	workers     *workers
	members     signal          // the members have changed
	background  sync.WaitGroup  // store and peer calls
	commands    atomic.Int64    // being executed
	rebalances  chan struct{}   // gets a value when trains may have to move
	running     context.Context // from New until Stop
	cancel      context.CancelFunc
	shutdown    func() // of actors, once
	failed      chan error
}

var _ booking.Service = (*System)(nil)

// New returns a System that is not started.
func New(o Options) *System {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &System{
		store: o.Store, holdStore: o.Holds, rules: o.Rules, log: o.Logger,
		catalogue: newCatalogue(), changes: newChangeLog(), failed: make(chan error, 1),
		cluster: o.Cluster, rebalances: make(chan struct{}, 1),
	}
	if s.cluster == nil {
		s.cluster = cluster.NewSingle()
	}
	s.running, s.cancel = context.WithCancel(context.Background())
	s.actors = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(levelHandler{slog.LevelWarn, o.Logger.Handler()})
	}))
	s.shutdown = sync.OnceFunc(s.actors.Shutdown)
	s.workers = newWorkers(s.running)
	s.activations = newActivations(s)
	s.refreshes.read = s.refreshCatalogue
	s.passive = newPassive(o.Store, o.Holds, s.cluster.Address(), &s.commands)
	s.metrics = newMetrics(o.Registry, s.activations)
	s.holdWriter = newBatcher("holds", writeLimits(o.HoldWriters), s.workers,
		func(w persistence.HoldWrite) booking.TrainID { return w.Guard.Train }, o.Holds.WriteHolds, s.metrics.writer("holds"))
	s.saleWriter = newBatcher("bookings", writeLimits(o.SaleWriters), s.workers,
		func(s persistence.Sale) booking.TrainID { return s.Guard.Train }, o.Store.Book, s.metrics.writer("bookings"))
	s.loads = newLoads(s)
	s.queries = newPeerQueries(s)
	s.watches = newWatches(s)
	s.monitor = newMonitor(s)
	wire.RegisterTrainsServer(s.cluster.Registrar(), trainsServer{system: s})
	return s
}

// Start joins the cluster and reads the catalogue. Call it once.
func (s *System) Start(ctx context.Context) error {
	if err := s.cluster.Start(ctx, s.events()); err != nil {
		return fmt.Errorf("join the cluster: %w", err)
	}
	if err := s.refreshes.wait(ctx); err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	s.background.Go(func() { s.rebalance(s.running) })
	s.background.Go(func() { s.refreshPeriodically(s.running) })
	s.background.Go(func() { s.settlePeriodically(s.running) })
	s.background.Go(func() { s.monitor.run(s.running) })
	return nil
}

// Leave hands off every train to the peers. Requests are still served, by the peers. Without
// peers it does nothing. It must be followed by Stop.
func (s *System) Leave(ctx context.Context) error {
	if err := s.cluster.Drain(ctx); err != nil {
		s.log.Warn("the peers could not be notified of the leave", slog.Any("error", err))
	}
	if err := s.handOff(ctx); err != nil {
		return fmt.Errorf("hand off trains: %w", err)
	}
	return nil
}

// Stop refuses new requests, waits until every train has completed its requests in flight
// and every write is stored, and then stops the actors. The error is ctx's if ctx ends
// first. Stop may be called twice.
func (s *System) Stop(ctx context.Context) error {
	s.activations.stop()
	s.activations.send(activation.Stop{})
	for _, a := range s.activations.all() {
		select {
		case <-a.closed:
		case <-ctx.Done():
			return fmt.Errorf("stop trains: %w", ctx.Err())
		}
	}
	err := s.cluster.Stop(ctx)
	s.cancel()
	s.background.Wait()
	s.refreshes.done.Wait()
	s.loads.wait()
	s.queries.wait()
	s.watches.reads.wait()
	s.holdWriter.wait()
	s.saleWriter.wait()
	s.shutdown()
	return err
}

// Failed returns a channel that gets one error, cluster.ErrEvicted, when this process must end.
func (s *System) Failed() <-chan error { return s.failed }

// fail sends the first reason why this process must end to Failed.
func (s *System) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// levelHandler drops records below a level, because the actor library logs each of its steps.
type levelHandler struct {
	level slog.Level
	slog.Handler
}

func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}
