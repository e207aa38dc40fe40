package actors

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trainbooking.dev/actors/feed"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// watchLinger is how long a segment is followed after its last watcher has left, so that a watcher that
// returns can resume.
const watchLinger = 30 * time.Second

// WatchSeats implements booking.Service.
func (s *System) WatchSeats(
	ctx context.Context, id booking.TrainID, from, to string, after booking.EventID,
) (booking.SeatWatch, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	train, err := s.findTrain(ctx, id)
	if err != nil {
		return nil, err
	}
	segment, err := train.Segment(from, to)
	if err != nil {
		return nil, err
	}
	first, last := train.Ends(segment)
	return s.watches.watch(ctx, watchedSegment{id, first.Station, last.Station}, after)
}

// watchedSegment is a segment that somebody watches.
type watchedSegment struct {
	train    booking.TrainID
	from, to string // as the train spelled them when the first watcher began
}

// watches are the segments that are watched in this process. Each has a feed, and a goroutine that follows
// the train through the snapshots of its activation, its process, or the stores. No actor waits for that
// goroutine. It is safe for concurrent use.
type watches struct {
	system *System
	reads  loader[*booking.Train, *booking.Snapshot] // of trains that no process owns
	turn   chan struct{}                             // has a value while a feed is given a state

	mu    sync.Mutex
	feeds map[booking.TrainID][]*watched
	count atomic.Int64 // number of feeds
}

// watched is a segment that is followed.
type watched struct {
	watchedSegment
	*feed.Feed

	publish  chan struct{} // has a value if the activation has published a snapshot or closed
	stop     context.CancelFunc
	watchers atomic.Int64
	linger   *time.Timer // runs when there are no watchers; guarded by watches.mu
}

func newWatches(s *System) *watches {
	return &watches{
		system: s, feeds: map[booking.TrainID][]*watched{}, turn: make(chan struct{}, 1),
		reads: newLoader("watched trains", stepLimits, s.readSnapshots),
	}
}

// readSnapshots reads trains from the stores in one batch.
func (s *System) readSnapshots(
	ctx context.Context, trains []*booking.Train,
) ([]persistence.Result[*booking.Snapshot], error) {
	snapshots, err := s.passive.snapshots(ctx, trains)
	results := make([]persistence.Result[*booking.Snapshot], len(trains))
	for i, snapshot := range snapshots {
		if results[i].Value = snapshot; snapshot == nil {
			results[i].Err = errors.Join(errUnread, err)
		}
	}
	return results, nil
}

// published is called when the activation of a train has published a snapshot or closed. It does not wait.
func (w *watches) published(id booking.TrainID) {
	if w.count.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.feeds[id] {
		select {
		case f.publish <- struct{}{}:
		default: // a value is there already
		}
	}
}

// watch returns a watch of a segment once its state is known.
func (w *watches) watch(ctx context.Context, of watchedSegment, after booking.EventID) (booking.SeatWatch, error) {
	f := w.enter(of)
	watch := &seatWatch{f.Watch(after), func() { w.leave(f) }}
	for {
		changed := f.Ready()
		if changed == nil {
			return watch, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			watch.Close()
			return nil, booking.Timeout(ctx.Err())
		}
	}
}

// seatWatch is a booking.SeatWatch.
type seatWatch struct {
	*feed.Watcher
	leave func()
}

func (w *seatWatch) Close() { w.leave() }

// enter returns the feed of a segment, with one more watcher.
func (w *watches) enter(of watchedSegment) *watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.feeds[of.train] {
		if f.watchedSegment == of {
			f.watchers.Add(1)
			f.linger.Stop()
			return f
		}
	}
	ctx, stop := context.WithCancel(w.system.running)
	f := &watched{watchedSegment: of, publish: make(chan struct{}, 1), stop: stop}
	f.Feed = feed.New(func() time.Duration { return max(eventInterval, time.Duration(f.watchers.Load())*restPerWatcher) })
	f.watchers.Store(1)
	f.linger = time.AfterFunc(watchLinger, func() { w.forget(f) })
	f.linger.Stop()
	w.feeds[of.train] = append(w.feeds[of.train], f)
	w.count.Add(1)
	w.system.background.Go(func() {
		w.follow(ctx, f)
		stop()
		w.remove(f)
	})
	return f
}

func (w *watches) leave(f *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.watchers.Add(-1) == 0 {
		f.linger.Reset(watchLinger)
	}
}

// forget stops following a segment that nobody watches.
func (w *watches) forget(f *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.watchers.Load() == 0 {
		w.removeLocked(f)
		f.stop()
	}
}

// remove removes a feed, so that the next watcher of the segment gets a new one.
func (w *watches) remove(f *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeLocked(f)
}

func (w *watches) removeLocked(f *watched) {
	at := slices.Index(w.feeds[f.train], f)
	if at < 0 {
		return
	}
	w.count.Add(-1)
	if w.feeds[f.train] = slices.Delete(w.feeds[f.train], at, at+1); len(w.feeds[f.train]) == 0 {
		delete(w.feeds, f.train)
	}
}
