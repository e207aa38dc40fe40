package actors

import (
	"context"
	"errors"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// maxBatch bounds the items of one flush. Larger flushes gain little and delay their
	// first item.
	maxBatch = 256
	// maxQueueAge is how long an item may wait for its flush. An older item is not executed,
	// so that a slow store does not get ever more work (RELIABILITY.md 3).
	maxQueueAge = time.Second
	// flushTimeout bounds one flush. With maxQueueAge it leaves a second of requestTimeout, in
	// which the next activation can settle a write whose outcome is unknown.
	flushTimeout = 3 * time.Second
)

// limits bound a batcher.
type limits struct {
	partitions int           // at least one
	items      int           // of a flush
	age, flush time.Duration // how long an item may wait for its flush, and how long that may take
	// spare is how many more flushes a partition may have in flight, each when those before it have
	// taken longer than patience. Only for items that need no order.
	spare    int
	patience time.Duration
}

// writeLimits are those of writes in a number of partitions.
func writeLimits(partitions int) limits {
	return limits{partitions: partitions, items: maxBatch, age: maxQueueAge, flush: flushTimeout}
}

// errQueueAge is the error of an item that was not written because it waited too long.
var errQueueAge = errors.New("waited too long for the store")

// batcher writes items in batches. The items of a train are written in the order in which they were
// added. Each train belongs to one of a few partitions, which are written concurrently, so that a
// slow flush delays only its partition. Safe for concurrent use.
type batcher[T any] struct {
	limits  limits
	flush   func(context.Context, []T) ([]error, error)
	train   func(T) booking.TrainID
	observe writerMetrics
	name    string // of its spans
	workers *workers

	seed       maphash.Seed
	partitions []*partition[T]
	alone      chan struct{} // has a value while a train is written apart from its partition
	running    sync.WaitGroup
}

// newBatcher returns a batcher. It calls flush for at most one batch of each partition at a time, and
// its spare ones, and for one more batch.
func newBatcher[T any](
	name string, l limits, w *workers, train func(T) booking.TrainID,
	flush func(context.Context, []T) ([]error, error), observe writerMetrics,
) *batcher[T] {
	b := &batcher[T]{
		name: name, limits: l, workers: w, train: train, flush: flush, observe: observe,
		seed: maphash.MakeSeed(), alone: make(chan struct{}, 1),
	}
	for range max(l.partitions, 1) {
		b.partitions = append(b.partitions, &partition[T]{batcher: b, locked: map[booking.TrainID]bool{}})
	}
	return b
}

// add queues an item for the request of ctx, which is used for its span only. done is called once, from another goroutine, with nil
// when the item is stored.
func (b *batcher[T]) add(ctx context.Context, item T, done func(error)) {
	q := queued[T]{item: item, train: b.train(item), span: trace.SpanContextFromContext(ctx), done: done}
	b.partition(q.train).add(q)
}

func (b *batcher[T]) partition(train booking.TrainID) *partition[T] {
	return b.partitions[maphash.Comparable(b.seed, train)%uint64(len(b.partitions))]
}

// wait returns when nothing is queued or in flight.
func (b *batcher[T]) wait() { b.running.Wait() }

// partition is the queue of some trains. It flushes when idle, as soon as no other goroutine is ready to
// run, and collects items while a flush is in flight: group commit without a timer.
//
//	         ┌─────────────── locked ◀──────────────┐
//	         ▼                                      │
//	add ──▶ queue ──▶ flush of many trains ──▶ persistence.ErrLocked
//	         │                                      ▲
//	         └──────▶ flush of one locked train ────┘
//
// Where somebody else has locked a train, its items return to the queue, and the train is written
// apart from the others, again and again, until a flush of it does not meet the lock.
type partition[T any] struct {
	batcher *batcher[T]

	mu       sync.Mutex
	queue    []queued[T]              // by age
	used     []queued[T]              // a batch that was written, whose memory the queue can use; nil if none
	flushing int                      // flushes in flight that are not slow
	slow     int                      // flushes in flight that have taken longer than patience
	expiry   *time.Timer              // calls expire
	timed    bool                     // it is set, for the oldest item or earlier
	locked   map[booking.TrainID]bool // the trains that are written apart; true while one is
}

type queued[T any] struct {
	item  T
	train booking.TrainID
	since time.Time
	span  trace.SpanContext // of the request that it is written for
	err   error             // of the last attempt to write it: ErrLocked
	done  func(error)
}

func (q *queued[T]) metLock() bool { return errors.Is(q.err, persistence.ErrLocked) }

func (p *partition[T]) add(q queued[T]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q.since = time.Now()
	p.queue = append(p.queue, q)
	if !p.timed {
		p.setExpiry()
	}
	p.start(q.train)
}

// start makes sure that the items of a train in the queue will be written.
func (p *partition[T]) start(train booking.TrainID) {
	apart, locked := p.locked[train]
	switch {
	case locked && !apart:
		p.locked[train] = true
		p.batcher.start(func() { p.runApart(train) })
	case !locked:
		p.startRun()
	}
}

func (p *partition[T]) startRun() {
	if p.flushing == 0 && p.slow <= p.batcher.limits.spare {
		p.flushing++
		p.batcher.start(p.run)
	}
}

// start runs f on another goroutine.
func (b *batcher[T]) start(f func()) {
	b.running.Add(1)
	b.workers.Schedule(func() {
		defer b.running.Done()
		f()
	})
}

// run writes the trains that are not locked, until none of them has an item in the queue, or another
// run writes them.
func (p *partition[T]) run() {
	for {
		runtime.Gosched() // goroutines that are ready may add to the batch; if none is, this returns at once
		batch := p.takeUnlocked()
		if len(batch) == 0 {
			return
		}
		end := p.watch()
		locked := p.batcher.write(batch)
		end()
		p.putBack(locked)
		p.reuse(batch)
	}
}

// reuse lets the queue use the memory of a batch that was written.
func (p *partition[T]) reuse(batch []queued[T]) {
	clear(batch)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used = batch[:0]
}

// watch starts another run if a flush takes longer than patience. end ends the flush.
func (p *partition[T]) watch() (end func()) {
	if p.batcher.limits.spare == 0 {
		return func() {}
	}
	slow, ended := false, false
	timer := time.AfterFunc(p.batcher.limits.patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if slow = !ended; slow {
			p.flushing, p.slow = p.flushing-1, p.slow+1
			p.startRun()
		}
	})
	return func() {
		timer.Stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		if ended = true; slow {
			p.flushing, p.slow = p.flushing+1, p.slow-1
		}
	}
}

func (p *partition[T]) takeUnlocked() []queued[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	var batch []queued[T]
	if p.flushing > 1 { // another run has begun
		p.flushing--
		return nil
	}
	if len(p.locked) == 0 {
		batch = p.takeFirst(min(len(p.queue), p.batcher.limits.items))
	} else {
		batch = p.take(func(train booking.TrainID) bool {
			_, locked := p.locked[train]
			return !locked
		})
	}
	if len(batch) == 0 {
		p.flushing--
	}
	return batch
}

// takeFirst removes the n oldest items from the queue.
func (p *partition[T]) takeFirst(n int) []queued[T] {
	first := p.queue[:n:n]
	if p.queue = p.queue[n:]; len(p.queue) == 0 {
		p.queue, p.used = p.used, nil
	}
	return first
}

// take removes the next batch of the trains that match from the queue.
func (p *partition[T]) take(match func(booking.TrainID) bool) (batch []queued[T]) {
	kept := make([]queued[T], 0, len(p.queue))
	for _, q := range p.queue {
		if len(batch) < p.batcher.limits.items && match(q.train) {
			batch = append(batch, q)
		} else {
			kept = append(kept, q)
		}
	}
	p.queue = kept
	return batch
}

// putBack returns items to the queue that met a lock, and has their trains written apart.
func (p *partition[T]) putBack(items []queued[T]) {
	if len(items) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = slices.Concat(items, p.queue)
	slices.SortStableFunc(p.queue, func(a, b queued[T]) int { return a.since.Compare(b.since) })
	p.setExpiry()
	for _, q := range items {
		if _, locked := p.locked[q.train]; !locked {
			p.locked[q.train] = false
		}
		p.start(q.train)
	}
}

// runApart writes one train, until a flush of it does not meet a lock or none of its items is left
// in the queue. Then the next item that is added runs it again.
func (p *partition[T]) runApart(train booking.TrainID) {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		p.batcher.alone <- struct{}{}
		batch := p.takeOf(train)
		locked := p.batcher.write(batch)
		p.putBack(locked)
		<-p.batcher.alone
		switch {
		case len(batch) == 0:
			return
		case len(locked) == 0:
			p.unlock(train)
			return
		}
		<-time.After(backoff)
	}
}

func (p *partition[T]) takeOf(train booking.TrainID) []queued[T] {
	p.mu.Lock()
	defer p.mu.Unlock()
	batch := p.take(func(t booking.TrainID) bool { return t == train })
	p.locked[train] = len(batch) > 0
	return batch
}

// unlock returns a train to the others.
func (p *partition[T]) unlock(train booking.TrainID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.locked, train)
	if slices.ContainsFunc(p.queue, func(q queued[T]) bool { return q.train == train }) {
		p.start(train)
	}
}

// write writes a batch and returns the items that met a lock. The others are done.
func (b *batcher[T]) write(batch []queued[T]) (locked []queued[T]) {
	if len(batch) == 0 {
		return nil
	}
	start := time.Now()
	items := make([]T, len(batch))
	for i, q := range batch {
		items[i] = q.item
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.limits.flush)
	defer cancel()
	ctx, end := startFlush(ctx, b.name, spansOf(batch))
	results, err := b.flush(ctx, items)
	end(err)
	took := time.Since(start)
	for i := range batch {
		q := &batch[i]
		if q.err = err; err == nil {
			q.err = results[i]
		}
		if q.metLock() {
			locked = append(locked, *q)
		}
	}
	b.observe(flushed{len(batch), len(locked), start.Sub(batch[0].since), took})
	for i := range batch {
		if q := &batch[i]; !q.metLock() {
			q.done(q.err)
		}
	}
	return locked
}

// spansOf returns the spans of the requests of a batch; none if none is sampled.
func spansOf[T any](items []queued[T]) []trace.SpanContext {
	if !slices.ContainsFunc(items, func(q queued[T]) bool { return q.span.IsSampled() }) {
		return nil
	}
	spans := make([]trace.SpanContext, len(items))
	for i, q := range items {
		spans[i] = q.span
	}
	return spans
}
