package actors

import "context"

const (
	// maxIdleWorkers bounds the goroutines that are kept, of some KiB each.
	maxIdleWorkers = 32
	// maxMessages is after how many messages an actor lets others run.
	maxMessages = 300
)

// workers run functions and keep some of their goroutines for later ones. A new goroutine has a small stack, which
// the runtime would have to copy as it grows, for each message to an actor and each flush. Safe for concurrent use.
type workers struct {
	stop context.Context // ends the idle goroutines
	work chan func()
	idle chan struct{} // has a value for each idle goroutine
}

func newWorkers(stop context.Context) *workers {
	return &workers{stop: stop, work: make(chan func()), idle: make(chan struct{}, maxIdleWorkers)}
}

// Schedule runs f on another goroutine at once: on an idle one, or else on a new one. Nil workers always use a
// new one. It implements actor.Dispatcher.
func (w *workers) Schedule(f func()) {
	if w == nil {
		go f()
		return
	}
	select {
	case w.work <- f:
	default:
		go w.run(f)
	}
}

// Throughput implements actor.Dispatcher.
func (w *workers) Throughput() int { return maxMessages }

// run runs f, and then what Schedule passes on, until maxIdleWorkers others are idle.
func (w *workers) run(f func()) {
	for {
		f()
		select {
		case w.idle <- struct{}{}:
		default:
			return
		}
		select {
		case f = <-w.work:
			<-w.idle
		case <-w.stop.Done():
			return
		}
	}
}
