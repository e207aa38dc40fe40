package simulate

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/persistence"
)

var background = context.Background()

// errNotSent means that a call was not sent.
var errNotSent = errors.New("connection refused")

// server is Postgres or Redis.
type server struct {
	name    string
	timeout time.Duration // of a call
	down    bool
}

// call calls a server: it runs exec at some time and then done on the node. After a timeout
// (ErrUnknown), exec may have run or may run later.
func call[A any](n *node, to *server, exec func() (A, error), done func(A, error)) {
	w, returned := n.world, false
	var none A
	finish := func(a A, err error) {
		if !returned {
			returned = true
			done(a, err)
		}
	}
	if to.down || n.cut == to {
		w.coverage["calls to unreachable servers"]++
		wait, err := w.between(0, time.Millisecond), errNotSent
		if w.chance(0.5) {
			wait, err = to.timeout, unknownOutcome(w)
		}
		n.after(wait, func() { finish(none, err) })
		return
	}
	outbound, inbound := w.latency(), w.latency()
	lost := false
	if w.now < faultTime && w.chance(w.lossRate) {
		switch w.rng.IntN(4) {
		case 0:
			w.coverage["calls lost before execution"]++
			outbound = -1
		case 1:
			w.coverage["calls lost after execution"]++
			lost = true
		case 2:
			w.coverage["calls executed after their timeout"]++
			outbound = to.timeout + w.between(0, 8*time.Second)
		case 3:
			w.coverage["calls slow"]++
			outbound = w.between(0, to.timeout)
		}
	}
	n.after(to.timeout, func() { finish(none, unknownOutcome(w)) })
	if outbound < 0 {
		return
	}
	w.after(outbound, func() {
		if to.down {
			return
		}
		a, err := exec()
		if !lost {
			n.after(inbound, func() { finish(a, err) })
		}
	})
}

func unknownOutcome(w *world) error {
	if w.mutation == NothingIsUnknown {
		return errNotSent
	}
	return persistence.ErrUnknown
}

// latency returns the latency of one direction. After the last fault, two of them are shorter than
// every timeout, so that no call fails.
func (w *world) latency() time.Duration {
	longest := 300 * time.Millisecond
	if w.now >= faultTime {
		longest = 200 * time.Millisecond
	}
	if w.chance(0.02) {
		return w.between(0, longest)
	}
	return w.between(50*time.Microsecond, 3*time.Millisecond)
}

// batcher collects writes while a batch is in flight, like the batcher of package actors.
type batcher[T any] struct {
	flush    func([]T, func([]error, error))
	queue    []queued[T]
	flushing bool
	now      func() time.Duration
}

type queued[T any] struct {
	item  T
	since time.Duration
	done  func(error)
}

func (b *batcher[T]) add(item T, done func(error)) {
	b.queue = append(b.queue, queued[T]{item, b.now(), done})
	if !b.flushing {
		b.flushing = true
		b.next()
	}
}

func (b *batcher[T]) next() {
	batch := b.queue
	b.queue = nil
	if len(batch) == 0 {
		b.flushing = false
		return
	}
	var items []T
	var sent []queued[T]
	for _, q := range batch {
		if b.now()-q.since > time.Second {
			q.done(errNotSent)
			continue
		}
		items, sent = append(items, q.item), append(sent, q)
	}
	if len(items) == 0 {
		b.next()
		return
	}
	b.flush(items, func(results []error, err error) {
		for i, q := range sent {
			if err != nil {
				q.done(err)
			} else {
				q.done(results[i])
			}
		}
		b.next()
	})
}
