package actors_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// write is an item of the batchers of these tests.
type write struct {
	train booking.TrainID
	n     int
}

func trainOf(w write) booking.TrainID { return w.train }

// writes are flushes, and the results of their items. They are safe for concurrent use.
type writes struct {
	mu      sync.Mutex
	batches [][]write
	results map[write]error
	done    map[write]time.Time
}

func (w *writes) flushed(items []write) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches = append(w.batches, items)
}

// last returns the last n flushes.
func (w *writes) last(n int) [][]write {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.batches[len(w.batches)-n:]
}

// add adds the items to a batcher and collects their results.
func (w *writes) add(b actors.Batcher[write], items ...write) {
	for _, item := range items {
		b.Add(item, func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.results == nil {
				w.results, w.done = map[write]error{}, map[write]time.Time{}
			}
			w.results[item], w.done[item] = err, time.Now()
		})
	}
}

// result returns when an item was done, which it must be, and its result.
func (w *writes) result(t *testing.T, item write) (time.Time, error) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Contains(t, w.done, item)
	return w.done[item], w.results[item]
}

// twoPartitions returns trains of two partitions of a batcher with two, two of the first and one of
// the second.
func twoPartitions(b actors.Batcher[write]) (first, same, other booking.TrainID) {
	first = booking.NewTrainID()
	for same = first; same == first || b.PartitionOf(same) != b.PartitionOf(first); {
		same = booking.NewTrainID()
	}
	for other = first; b.PartitionOf(other) == b.PartitionOf(first); {
		other = booking.NewTrainID()
	}
	return first, same, other
}

func TestBatcherCollectsWhileAFlushIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w writes
		release := make(chan struct{})
		b := actors.NewBatcher(1, trainOf, func(_ context.Context, items []write) ([]error, error) {
			w.flushed(items)
			<-release
			return make([]error, len(items)), nil
		})
		for i := range 300 {
			w.add(b, write{booking.NewTrainID(), i})
			synctest.Wait()
		}
		close(release)
		b.Wait()
		require.Len(t, w.results, 300)
		for _, err := range w.results {
			require.NoError(t, err)
		}
		require.Len(t, w.batches, 3, "the first item at once, then the collected items in bounded batches")
		require.Equal(t, 0, w.batches[0][0].n)
		require.Len(t, w.batches[1], 256)
		require.Equal(t, 1, w.batches[1][0].n)
		require.Len(t, w.batches[2], 43)
		require.Equal(t, 299, w.batches[2][42].n)
	})
}

func TestBatcherRefusesAnItemWhileAFlushIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w writes
		start, train := time.Now(), booking.NewTrainID()
		b := actors.NewBatcher(1, trainOf, func(_ context.Context, items []write) ([]error, error) {
			w.flushed(items)
			<-time.After(2500 * time.Millisecond)
			return make([]error, len(items)), nil
		})
		w.add(b, write{train, 1})
		synctest.Wait()
		wait(100 * time.Millisecond)
		w.add(b, write{train, 2})
		wait(500 * time.Millisecond)
		w.add(b, write{train, 3})
		wait(1200 * time.Millisecond)
		w.add(b, write{train, 4})
		b.Wait()
		require.Equal(t, [][]write{{{train, 1}}, {{train, 4}}}, w.batches)
		require.NoError(t, w.results[write{train, 1}])
		require.NoError(t, w.results[write{train, 4}])
		for n, after := range map[int]time.Duration{2: 1100 * time.Millisecond, 3: 1600 * time.Millisecond} {
			require.ErrorIs(t, w.results[write{train, n}], actors.ErrQueueAge, "%d was never sent", n)
			require.Equal(t, start.Add(after), w.done[write{train, n}], "%d is refused a second after it was added", n)
		}
	})
}

func TestSlowFlushDelaysOnlyItsPartition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w writes
		var slow booking.TrainID
		b := actors.NewBatcher(2, trainOf, func(_ context.Context, items []write) ([]error, error) {
			w.flushed(items)
			if items[0].train == slow {
				<-time.After(time.Minute)
			}
			return make([]error, len(items)), nil
		})
		var other booking.TrainID
		slow, _, other = twoPartitions(b)
		w.add(b, write{slow, 1})
		synctest.Wait()
		w.add(b, write{slow, 2}, write{other, 1})
		synctest.Wait()
		w.add(b, write{other, 2})
		synctest.Wait()
		require.Equal(t, [][]write{{{slow, 1}}, {{other, 1}}, {{other, 2}}}, w.batches, "one flush of a partition at a time")
		b.Wait()
		require.ErrorIs(t, w.results[write{slow, 2}], actors.ErrQueueAge)
	})
}

func TestLoadsThatHangDelayNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w writes
		train, hang := booking.NewTrainID(), make(chan struct{})
		b := actors.NewLoadBatcher(trainOf, func(_ context.Context, items []write) ([]error, error) {
			w.flushed(items)
			if items[0].n < 0 {
				<-hang
				return make([]error, len(items)), nil
			}
			<-time.After(time.Millisecond)
			return make([]error, len(items)), nil
		})
		for n := range 3 { // with each of these calls in flight
			w.add(b, write{train, -1 - n})
			synctest.Wait()
			w.add(b, write{train, 2 * n}, write{train, 2*n + 1})
			begun := time.Now()
			<-time.After(time.Second)
			require.Equal(t, [][]write{{{train, -1 - n}}, {{train, 2 * n}, {train, 2*n + 1}}}, w.last(2), "together")
			at, err := w.result(t, write{train, 2 * n})
			require.NoError(t, err)
			require.Equal(t, 51*time.Millisecond, at.Sub(begun))
		}
		w.add(b, write{train, 10})
		synctest.Wait()
		w.add(b, write{train, 11})
		hang <- struct{}{} // one of the calls that hang ends
		synctest.Wait()
		require.Equal(t, []write{{train, 10}}, w.last(1)[0], "its run does not add a call")
		<-time.After(time.Second)
		w.add(b, write{train, -4})
		<-time.After(time.Second)
		w.add(b, write{train, -5})
		<-time.After(time.Second)
		w.add(b, write{train, 6})
		<-time.After(time.Second)
		require.Equal(t, []write{{train, -5}}, w.last(1)[0], "no fifth call in flight")
		close(hang)
		<-time.After(time.Second)
		w.add(b, write{train, 7})
		synctest.Wait()
		w.add(b, write{train, 8}, write{train, 9})
		b.Wait()
		require.Equal(t, [][]write{{{train, 6}}, {{train, 7}}, {{train, 8}, {train, 9}}}, w.last(3), "one call at a time again")
	})
}

// lockable is a store in which trains can be locked.
type lockable struct {
	writes
	locked map[booking.TrainID]bool
	took   time.Duration // by each flush
	seats  bool          // the locks are of seats, which delay and fail a whole batch
}

const lockTimeout = 100 * time.Millisecond

func (l *lockable) isLocked(train booking.TrainID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked[train]
}

func (l *lockable) flush(_ context.Context, items []write) ([]error, error) {
	l.flushed(items)
	<-time.After(l.took)
	results := make([]error, len(items))
	for i, item := range items {
		if !l.isLocked(item.train) {
			continue
		}
		if l.seats {
			<-time.After(lockTimeout)
			return nil, fmt.Errorf("a seat: %w", persistence.ErrLocked)
		}
		results[i] = persistence.ErrLocked
	}
	return results, nil
}

func TestLockedTrainIsWrittenApart(t *testing.T) {
	t.Parallel()
	for name, seats := range map[string]bool{"Train": false, "Seat": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &lockable{seats: seats}
				b := actors.NewBatcher(2, trainOf, l.flush)
				locked, same, other := twoPartitions(b)
				l.locked = map[booking.TrainID]bool{locked: true}
				delay := time.Duration(0)
				for n := range 20 { // for 5 s
					start := time.Now()
					l.add(b, write{locked, n}, write{same, n}, write{other, n})
					wait(250 * time.Millisecond)
					for _, item := range []write{{same, n}, {other, n}} {
						done, err := l.result(t, item)
						require.NoError(t, err)
						delay = max(delay, done.Sub(start))
					}
				}
				b.Wait()
				if seats {
					require.LessOrEqual(t, delay, 2*lockTimeout, "in the batch that meets the lock first, and behind its train")
				} else {
					require.Zero(t, delay)
				}
				for n := range 20 {
					require.ErrorIs(t, l.results[write{locked, n}], actors.ErrQueueAge)
					require.ErrorIs(t, l.results[write{locked, n}], persistence.ErrLocked, "the reason")
				}
			})
		})
	}
}

func TestLockedTrainIsWrittenInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lockable{took: time.Millisecond}
		b := actors.NewBatcher(2, trainOf, l.flush)
		locked, same, _ := twoPartitions(b)
		l.locked = map[booking.TrainID]bool{locked: true}
		var want []write
		for n := range 5 {
			want = append(want, write{locked, n})
			l.add(b, write{locked, n}, write{same, n})
			wait(150 * time.Millisecond)
		}
		l.mu.Lock()
		l.locked = nil
		l.mu.Unlock()
		wait(100 * time.Millisecond)
		require.Equal(t, want, l.last(1)[0], "all of them, after the lock")
		l.add(b, write{same, 5})
		synctest.Wait()
		l.add(b, write{locked, 5}, write{same, 6})
		b.Wait()
		for _, err := range l.results {
			require.NoError(t, err)
		}
		require.Equal(t, [][]write{{{same, 5}}, {{locked, 5}, {same, 6}}}, l.last(2), "the train is back in its partition")
	})
}

// BenchmarkBatcher adds an item from each of many goroutines and waits until it is stored, which takes
// no time.
func BenchmarkBatcher(b *testing.B) {
	batcher := actors.NewBatcher(1, trainOf, func(_ context.Context, items []write) ([]error, error) {
		return make([]error, len(items)), nil
	})
	train := booking.NewTrainID()
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		stored := make(chan error, 1)
		done := func(err error) { stored <- err }
		for pb.Next() {
			batcher.Add(write{train: train}, done)
			require.NoError(b, <-stored)
		}
	})
	batcher.Wait()
}
