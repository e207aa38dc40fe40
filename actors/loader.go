package actors

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

// The limits of batchers for loads. A step waits for longer than a write, because the lease is
// renewed meanwhile, and what the steps before have done would be in vain.
var (
	stepLimits     = loadLimits(loadTimeout, flushTimeout)
	adoptionLimits = loadLimits(lockTimeout, flushTimeout)
	trainLimits    = loadLimits(loadTimeout, loadTimeout)
)

// loadLimits are for one call of a step at a time, with as many trains as possible, unless a call
// hangs: that must not delay the other trains.
func loadLimits(age, flush time.Duration) limits {
	return limits{partitions: 1, items: maxBatch, age: age, flush: flush, spare: 3, patience: 50 * time.Millisecond}
}

// maxSeatsPerLoad bounds the seats of the trains whose bookings one statement reads, so that it ends
// in time even if all of them are sold out. One train may have a fifth of it.
const maxSeatsPerLoad = 100_000

// loads are the batchers for the steps of loading trains, and for releasing their leases. When a
// process has died, many trains are loaded at the same time, and one call of a store makes the same
// step for all of them.
type loads struct {
	epochs    loader[booking.TrainID, int64]
	leases    loader[cluster.Acquisition, *cluster.Term]
	adoptions *batcher[persistence.Adoption]
	holds     loader[booking.TrainID, persistence.HeldTrain]
	trains    loader[trainToLoad, persistence.LoadedTrain]
	releases  *batcher[release]
}

// release is the lease of a train to release.
type release struct {
	train booking.TrainID
	term  *cluster.Term
}

// trainToLoad is a train and the ids of the bookings that its holds would become.
type trainToLoad struct {
	id       booking.TrainID
	capacity int
	became   []uuid.UUID
}

func newLoads(s *System) *loads {
	return &loads{
		epochs: newLoader("epochs", stepLimits, s.workers, s.store.Epochs),
		leases: newLoader("leases", stepLimits, s.workers,
			func(ctx context.Context, wanted []cluster.Acquisition) ([]persistence.Result[*cluster.Term], error) {
				return s.cluster.Acquire(ctx, wanted), nil
			}),
		adoptions: newBatcher("adoptions", adoptionLimits, s.workers,
			func(a persistence.Adoption) booking.TrainID { return a.Train }, s.store.Adopt, unobserved),
		holds: newLoader("loads of holds", stepLimits, s.workers,
			func(ctx context.Context, trains []booking.TrainID) ([]persistence.Result[persistence.HeldTrain], error) {
				return s.holdStore.LoadHolds(ctx, trains, time.Now())
			}),
		trains: newLoader("loads of trains", trainLimits, s.workers, s.loadTrains),
		releases: newBatcher("releases", stepLimits, s.workers,
			func(r release) booking.TrainID { return r.train },
			func(ctx context.Context, releases []release) ([]error, error) {
				terms := make([]*cluster.Term, len(releases))
				for i, r := range releases {
					terms[i] = r.term
				}
				s.cluster.Release(ctx, terms)
				return make([]error, len(terms)), nil
			}, unobserved),
	}
}

// loadTrains loads trains in parts of at most maxSeatsPerLoad, each of which may fail.
func (s *System) loadTrains(
	ctx context.Context, trains []trainToLoad,
) (loaded []persistence.Result[persistence.LoadedTrain], _ error) {
	for len(trains) > 0 {
		var part []booking.TrainID
		var became []uuid.UUID
		for seats := 0; len(part) < len(trains); {
			next := trains[len(part)]
			if seats += next.capacity; seats > maxSeatsPerLoad && len(part) > 0 {
				break
			}
			part, became = append(part, next.id), append(became, next.became...)
		}
		trains = trains[len(part):]
		results, err := s.store.LoadTrains(ctx, part, became)
		if err != nil {
			results = make([]persistence.Result[persistence.LoadedTrain], len(part))
			for i := range results {
				results[i].Err = err
			}
		}
		loaded = append(loaded, results...)
	}
	return loaded, nil
}

// wait returns when nothing is queued or in flight.
func (l *loads) wait() {
	l.epochs.wait()
	l.leases.wait()
	l.adoptions.wait()
	l.holds.wait()
	l.trains.wait()
	l.releases.wait()
}

// loader is a batcher for calls that return a value for each item. Safe for concurrent use.
type loader[K, V any] struct{ *batcher[*loading[K, V]] }

type loading[K, V any] struct {
	train booking.TrainID
	key   K
	value V
}

func newLoader[K, V any](
	name string, l limits, w *workers, call func(context.Context, []K) ([]persistence.Result[V], error),
) loader[K, V] {
	flush := func(ctx context.Context, items []*loading[K, V]) ([]error, error) {
		keys := make([]K, len(items))
		for i, item := range items {
			keys[i] = item.key
		}
		results, err := call(ctx, keys)
		errs := make([]error, len(results))
		for i, r := range results {
			items[i].value, errs[i] = r.Value, r.Err
		}
		return errs, err
	}
	train := func(item *loading[K, V]) booking.TrainID { return item.train }
	return loader[K, V]{newBatcher(name, l, w, train, flush, unobserved)}
}

// load queues the key of a train. done is called once, from another goroutine, with its value or an error.
func (l loader[K, V]) load(ctx context.Context, train booking.TrainID, key K, done func(V, error)) {
	item := &loading[K, V]{train: train, key: key}
	l.add(ctx, item, func(err error) { done(item.value, err) })
}

func unobserved(flushed) {}

// signal notifies any number of goroutines. Safe for concurrent use.
type signal struct {
	mu   sync.Mutex
	next chan struct{}
}

// wait returns a channel that is closed by the next notify.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	return s.next
}

func (s *signal) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
}
