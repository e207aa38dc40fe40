package actors

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

const (
	// maxBatch bounds one flush. Larger ones gain little and delay their first item.
	maxBatch = 256
	// maxQueueAge is how old an item may get before it is sent. A store that is slower
	// than that is refused more work, with nothing executed (RELIABILITY.md 3).
	maxQueueAge = time.Second
)

// errQueueAge says that an item was not sent: the store is too slow.
var errQueueAge = errors.New("waited too long for the store")

// batcher writes items in batches: it collects while one flush is in flight and
// flushes at once when idle. That is group commit without a timer, and without delay
// when idle. Safe for concurrent use.
type batcher[T any] struct {
	flush   func(context.Context, []T) ([]error, error)
	observe writerMetrics
	name    string // in traces

	mu       sync.Mutex
	queue    []queued[T]
	flushing bool
	running  sync.WaitGroup
}

type queued[T any] struct {
	item  T
	since time.Time
	ask   trace.SpanContext // for whom it is written
	done  func(error)
}

func newBatcher[T any](name string, flush func(context.Context, []T) ([]error, error), observe writerMetrics) *batcher[T] {
	return &batcher[T]{name: name, flush: flush, observe: observe}
}

// add queues an item, for whom ctx is of. done is called once, from another goroutine, with nil when the
// item is stored; items are sent in the order in which they were added.
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

// take returns the next batch; none ends the run.
func (b *batcher[T]) take() []queued[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.queue), maxBatch)
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
		if start.Sub(q.since) > maxQueueAge {
			q.done(errQueueAge)
			continue
		}
		items, sent = append(items, q.item), append(sent, q)
	}
	if len(items) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	ctx, end := startFlush(ctx, b.name, asksOf(sent))
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

func asksOf[T any](items []queued[T]) []trace.SpanContext {
	asks := make([]trace.SpanContext, len(items))
	for i, q := range items {
		asks[i] = q.ask
	}
	return asks
}
