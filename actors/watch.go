package actors

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"trainbooking.dev/actors/feed"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// watchLinger is how long a segment is followed after its last watcher has left, so that a watcher that
	// returns can resume.
	watchLinger = 30 * time.Second
	// maxWatchedSeats bounds the seats of all segments that a process follows: each takes up to 70 bytes of
	// memory, and up to 0.1 µs for each event. Anyone may watch each of the 2,016 segments of a train.
	maxWatchedSeats = 1_000_000
)

var errTooManyWatched = errors.New("too many segments of trains are watched")

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
	return s.watches.watch(ctx, watchedSegment{id, first.Station, last.Station}, train.Capacity, after)
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
	trains sync.Map                                  // booking.TrainID → *watchedTrain
	turn   chan struct{}                             // has a value while a feed is given a state
	owed   time.Duration                             // the rest that follows turns; of whoever has the turn

	mu    sync.Mutex // guards what follows, and the segments of trains
	seats int        // of all feeds
}

// watchedTrain is a train of which segments are watched.
type watchedTrain struct {
	published signal // its activation has published a snapshot or closed
	segments  map[watchedSegment]*watched
}

// watched is a segment that is followed.
type watched struct {
	watchedSegment
	*feed.Feed

	published *signal // of the train
	seats     int
	stop      context.CancelFunc
	watchers  atomic.Int64
	linger    *time.Timer // runs when there are no watchers; guarded by watches.mu
}

func newWatches(s *System) *watches {
	return &watches{
		system: s, turn: make(chan struct{}, 1),
		reads: newLoader("watched trains", watchLimits(), s.workers, s.readSnapshots),
	}
}

// watchLimits are those of a loader that makes one call at a time, so that searches can make others.
func watchLimits() limits {
	l := loadLimits(loadTimeout, flushTimeout)
	l.spare = 0
	return l
}

// readSnapshots reads trains from the stores in one batch.
func (s *System) readSnapshots(
	ctx context.Context, trains []*booking.Train,
) ([]persistence.Result[*booking.Snapshot], error) {
	snapshots, _, err := s.passive.snapshots(ctx, trains)
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
	if t, found := w.trains.Load(id); found {
		t.(*watchedTrain).published.notify() //nolint:forcetypeassert // see trains
	}
}

// watch returns a watch of a segment of a train with so many seats, once its state is known.
func (w *watches) watch(
	ctx context.Context, of watchedSegment, seats int, after booking.EventID,
) (booking.SeatWatch, error) {
	f, err := w.enter(of, seats)
	if err != nil {
		return nil, err
	}
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

// enter returns the feed of a segment, with one more watcher. Error: unavailable.
func (w *watches) enter(of watchedSegment, seats int) (*watched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.train(of.train)
	if f := t.segments[of]; f != nil {
		f.watchers.Add(1)
		f.linger.Stop()
		return f, nil
	}
	if w.seats+seats > maxWatchedSeats {
		w.forgetAll()
	}
	if w.seats+seats > maxWatchedSeats {
		w.forgetTrain(of.train)
		return nil, booking.Unavailable(booking.OutcomeNotExecuted, watchLinger, errTooManyWatched)
	}
	ctx, stop := context.WithCancel(w.system.running)
	f := &watched{watchedSegment: of, published: &t.published, seats: seats, stop: stop}
	f.Feed = feed.New(func() time.Duration { return max(eventInterval, time.Duration(f.watchers.Load())*restPerWatcher) })
	f.watchers.Store(1)
	f.linger = time.AfterFunc(watchLinger, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.forget(f)
	})
	f.linger.Stop()
	t.segments[of] = f
	w.seats += seats
	w.system.background.Go(func() {
		w.follow(ctx, f)
		stop()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.remove(f) // the next watcher begins with a new feed
	})
	return f, nil
}

// train returns a train, which is watched from now on. It is called with mu locked, as are those below.
func (w *watches) train(id booking.TrainID) *watchedTrain {
	t, _ := w.trains.LoadOrStore(id, &watchedTrain{segments: map[watchedSegment]*watched{}})
	return t.(*watchedTrain) //nolint:forcetypeassert // see trains
}

// forgetTrain drops a train of which no segment is watched.
func (w *watches) forgetTrain(id booking.TrainID) {
	if len(w.train(id).segments) == 0 {
		w.trains.Delete(id)
	}
}

// forgetAll stops following all segments that nobody watches.
func (w *watches) forgetAll() {
	w.trains.Range(func(_, t any) bool {
		for _, f := range t.(*watchedTrain).segments { //nolint:forcetypeassert // see trains
			w.forget(f)
		}
		return true
	})
}

// forget stops following a segment if nobody watches it.
func (w *watches) forget(f *watched) {
	if f.watchers.Load() == 0 {
		w.remove(f)
		f.stop()
	}
}

func (w *watches) remove(f *watched) {
	t := w.train(f.train)
	if t.segments[f.watchedSegment] == f {
		delete(t.segments, f.watchedSegment)
		w.seats -= f.seats
	}
	w.forgetTrain(f.train)
}

func (w *watches) leave(f *watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.watchers.Add(-1) == 0 {
		f.linger.Reset(watchLinger)
	}
}
