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
	// requestTimeout bounds a request from its arrival to its response (API.md, 504).
	requestTimeout = 5 * time.Second
	// storeTimeout bounds one call of a store. With the wait in the batcher it is about as
	// long as requestTimeout, so that few responses are sent after their clients have disconnected.
	storeTimeout = 5 * time.Second
	// loadTimeout bounds the load of a train. It is longer than a request waits, so that
	// the retry of a request finds even a large train on a slow disk loaded.
	loadTimeout = 30 * time.Second
	// idleTimeout is how long a train stays active without a request or a hold.
	idleTimeout = 10 * time.Minute
)

// Options configure a System. Store, Holds and Rules are required.
type Options struct {
	Store    persistence.Store
	Holds    persistence.Holds
	Rules    booking.HoldRules
	Cluster  *Cluster              // nil: a single process
	Logger   *slog.Logger          // nil: discard
	Registry prometheus.Registerer // nil: no metrics
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
	catalogue   *catalogue
	cluster     *cluster // nil: a single process
	holdWriter  *batcher[persistence.HoldWrite]
	saleWriter  *batcher[persistence.Sale]
	background  sync.WaitGroup // store and peer calls
	shutdown    func()         // of actors, once
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
		catalogue: newCatalogue(), failed: make(chan error, 1),
	}
	s.actors = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(levelHandler{slog.LevelWarn, o.Logger.Handler()})
	}))
	s.shutdown = sync.OnceFunc(s.actors.Shutdown)
	s.activations = newActivations(s)
	s.metrics = newMetrics(o.Registry, s.activations)
	s.holdWriter = newBatcher("holds", o.Holds.WriteHolds, s.metrics.writer("holds"))
	s.saleWriter = newBatcher("bookings", o.Store.Book, s.metrics.writer("bookings"))
	if o.Cluster != nil {
		s.cluster = newCluster(s, o.Cluster)
		s.cluster.members.log = s.log
	}
	return s
}

// Start joins the cluster, reads the catalogue, and activates those of its own trains that
// have live holds, so that the holds expire. Call it once.
func (s *System) Start(ctx context.Context) error {
	if s.cluster != nil {
		if err := s.cluster.join(ctx); err != nil {
			return fmt.Errorf("join the cluster: %w", err)
		}
	}
	if err := s.reconcile(ctx); err != nil {
		return fmt.Errorf("list trains: %w", err)
	}
	held, err := s.holdStore.TrainsWithHolds(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("list trains with holds: %w", err)
	}
	held = slices.DeleteFunc(held, func(id booking.TrainID) bool { return !s.cluster.proposedHere(id) })
	s.activateAll(ctx, held)
	return nil
}

// Leave hands off every train to the peers. Requests are still served, by the peers. Without
// a cluster it does nothing. It must be followed by Stop.
func (s *System) Leave(ctx context.Context) error {
	if s.cluster == nil {
		return nil
	}
	if err := s.cluster.leave(ctx); err != nil {
		return fmt.Errorf("hand off trains: %w", err)
	}
	return nil
}

// Stop refuses new requests, waits until every train has completed its requests in flight
// and every write is stored, and then stops the actors. The error is ctx's if ctx ends
// first. Stop may be called twice.
func (s *System) Stop(ctx context.Context) error {
	s.activations.stop()
	for _, a := range s.activations.all() {
		s.actors.Root.Send(a.pid, halt{})
	}
	for _, a := range s.activations.all() {
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
	s.holdWriter.wait()
	s.saleWriter.wait()
	s.shutdown()
	return err
}

// Ready returns an error if the store cannot be reached. A full store is not an error, because
// reads still work and writes are refused with a code of their own.
func (s *System) Ready(ctx context.Context) error {
	err := s.store.Ping(ctx)
	if errors.Is(err, persistence.ErrFull) {
		s.log.Warn("the storage is full; sales are refused", slog.Any("error", err))
		return nil
	}
	return err
}

// Failed returns a channel that gets one error, ErrEvicted, when this process must end.
func (s *System) Failed() <-chan error { return s.failed }

// Joined returns an error that says why the process is not a member of the cluster now. It is
// nil for a member, and without a cluster.
func (s *System) Joined() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.members.joined()
}

// fail sends the first reason why this process must end to Failed.
func (s *System) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// levelHandler drops records below a level, because the actor library logs each of its
// steps. It turns the library's errors about lost connections into debug records:
// membership reports peers that are unreachable.
type levelHandler struct {
	level slog.Level
	slog.Handler
}

func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h levelHandler) Handle(ctx context.Context, record slog.Record) error {
	if strings.HasPrefix(record.Message, "Endpoint") {
		record.Level = slog.LevelDebug
		if !h.Handler.Enabled(ctx, record.Level) {
			return nil
		}
	}
	return h.Handler.Handle(ctx, record)
}
