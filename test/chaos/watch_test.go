//go:build chaos

package chaos_test

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"

	"trainbooking.dev/booking"
)

// watcher applies the events of a train from the beginning to the end of the run, whatever becomes of the
// processes that send them.
type watcher struct {
	train booking.TrainID

	mu              sync.Mutex
	seats           map[int]booking.SeatState
	events, resyncs int
	invented        []booking.Seat // changes to the state that the seat had already
}

// watch watches trains until the end of the test.
func (r *run) watch(trains []booking.Train) {
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	r.t.Cleanup(func() { // before the processes are killed
		stop()
		watching.Wait()
	})
	for i := range trains {
		w := &watcher{train: trains[i].ID}
		r.watchers = append(r.watchers, w)
		watching.Go(func() {
			var last booking.EventID
			for ctx.Err() == nil {
				watch, err := r.service.WatchSeats(ctx, w.train, "", "", last)
				if err != nil {
					<-time.After(100 * time.Millisecond)
					continue
				}
				last = w.follow(ctx, watch, last)
				watch.Close()
			}
		})
	}
}

// follow applies the events of a watch until it breaks, and returns the id of the last one.
func (w *watcher) follow(ctx context.Context, watch booking.SeatWatch, last booking.EventID) booking.EventID {
	for {
		e, err := watch.Next(ctx)
		if err != nil {
			return last
		}
		last = e.ID
		w.apply(e)
	}
}

func (w *watcher) apply(e *booking.SeatEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events++
	if e.Type.Whole() {
		w.seats = map[int]booking.SeatState{}
		w.resyncs++
	}
	for _, seat := range e.Seats {
		if w.seats[seat.Number] == seat.State {
			w.invented = append(w.invented, seat)
		}
		w.seats[seat.Number] = seat.State
	}
}

// checkWatchers requires that the watchers have the state of each seat, and that each seat in an event had
// changed.
func (r *run) checkWatchers() {
	for _, w := range r.watchers {
		want := map[int]booking.SeatState{}
		agrees := func() bool { // the last holds are still expiring
			seats, err := r.service.SeatMap(r.t.Context(), w.train, "", "")
			for _, seat := range seats {
				want[seat.Number] = seat.State
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			return err == nil && maps.Equal(want, w.seats)
		}
		assert.Eventually(r.t, agrees, recovery, 50*time.Millisecond)
		w.mu.Lock()
		assert.Equal(r.t, want, w.seats, "train %s: the states that a watcher has", w.train)
		assert.Empty(r.t, w.invented, "train %s: seats in events that had not changed", w.train)
		assert.Greater(r.t, w.events, w.resyncs, "train %s: no change was seen", w.train)
		r.t.Logf("train %s: %d events, %d of them every seat", w.train, w.events, w.resyncs)
		w.mu.Unlock()
	}
}
