package actors

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

const (
	// maxBatch bounds the items of one flush. Larger flushes gain little and delay their
	// first item.
	maxBatch = 256
	// maxQueueAge is how long an item may wait for its flush. An older item is not executed,
	// so that a slow store does not get ever more work (RELIABILITY.md 3).
	maxQueueAge = time.Second
)

// limits bound a batcher.
type limits struct {
	items      int           // of a flush
	age, flush time.Duration // how long an item may wait for its flush, and how long that may take
}

var writeLimits = limits{items: maxBatch, age: maxQueueAge, flush: storeTimeout}

// errQueueAge is the error of an item that was not written because it waited too long.
var errQueueAge = errors.New("waited too long for the store")

// batcher writes items in batches. It flushes at once when idle, and collects items while a
// flush is in flight: group commit without a timer. Safe for concurrent use.
type batcher[T any] struct {
	limits  limits
	flush   func(context.Context, []T) ([]error, error)
	observe writerMetrics
	name    string // of its spans

	mu       sync.Mutex
	queue    []queued[T]
	flushing bool
	running  sync.WaitGroup
}

type queued[T any] struct {
	item  T
	since time.Time
	span  trace.SpanContext // of the request that it is written for
	done  func(error)
}

func newBatcher[T any](
	name string, l limits, flush func(context.Context, []T) ([]error, error), observe writerMetrics,
) *batcher[T] {
	return &batcher[T]{name: name, limits: l, flush: flush, observe: observe}
}

// add queues an item for the request of ctx. done is called once, from another goroutine,
// with nil when the item is stored. Items are written in the order of the calls.
func (b *batcher[T]) add(ctx context.Context, item T, done func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, queued[T]{item, time.Now(), trace.SpanContextFromContext(ctx), done})
	if !b.flushing {
		b.flushing = true
		b.running.Go(b.run)
	}
}

// wait returns when nothing is queued or in flight.
func (b *batcher[T]) wait() { b.running.Wait() }

func (b *batcher[T]) run() {
	for batch := b.take(); len(batch) > 0; batch = b.take() {
		b.write(batch)
	}
}

// take returns the next batch, which is empty at the end of the run.
func (b *batcher[T]) take() []queued[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.queue), b.limits.items)
	batch := b.queue[:n:n]
	b.queue = b.queue[n:]
	if n == 0 {
		b.queue, b.flushing = nil, false
	}
	return batch
}

func (b *batcher[T]) write(batch []queued[T]) {
	start := time.Now()
	items := make([]T, 0, len(batch))
	sent := make([]queued[T], 0, len(batch))
	for _, q := range batch {
		if start.Sub(q.since) > b.limits.age {
			q.done(errQueueAge)
			continue
		}
		items, sent = append(items, q.item), append(sent, q)
	}
	if len(items) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.limits.flush)
	defer cancel()
	ctx, end := startFlush(ctx, b.name, spansOf(sent))
	results, err := b.flush(ctx, items)
	end(err)
	b.observe(len(items), start.Sub(sent[0].since), time.Since(start))
	for i, q := range sent {
		if err != nil {
			q.done(err)
		} else {
			q.done(results[i])
		}
	}
}

func spansOf[T any](items []queued[T]) []trace.SpanContext {
	spans := make([]trace.SpanContext, len(items))
	for i, q := range items {
		spans[i] = q.span
	}
	return spans
}
