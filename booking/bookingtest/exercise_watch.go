package bookingtest

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// watchWithin is the longest time until every watcher has received a change.
const watchWithin = 10 * time.Second

var watchFacts = []fact{
	{"WatcherSeesEachChangeOnItsSegment", func(x *exercise) {
		train, user := x.create(x.draft(3)), uuid.New()
		x.book(x.between(request(train, uuid.New(), 3), "A", "B"))
		run, second := x.watch(train, "", ""), x.watch(train, x.station("B"), x.station("D"))
		run.await("aab")
		second.await("aaa")
		hold := x.hold(x.between(request(train, user, 1, 2), "A", "B"))
		run.await("hhb")
		b, err := x.Confirm(x.ctx(), byHold(hold))
		require.NoError(x, err)
		run.await("bbb")
		require.NoError(x, x.CancelBooking(x.ctx(), user, b.ID, 2))
		run.await("bab")
		x.hold(x.between(request(train, uuid.New(), 3), "B", "C"))
		second.await("aah")
		require.Equal(x, 2, second.events, "it gets no changes on other legs")
	}},
	{"SeatsThatChangeTogetherAreInOneEvent", func(x *exercise) {
		train := x.create(x.draft(10))
		w := x.watch(train, "", "")
		w.await("aaaaaaaaaa")
		for range 3 {
			hold := x.hold(request(train, uuid.New(), 2, 3, 5, 7))
			w.await("ahhahahaaa")
			require.NoError(x, x.Release(x.ctx(), byHold(hold)))
			w.await("aaaaaaaaaa")
		}
		require.Equal(x, 7, w.events)
	}},
	{"WatcherResumesAfterItsLastEvent", func(x *exercise) {
		train := x.create(x.draft(3))
		w := x.watch(train, "", "")
		w.await("aaa")
		x.hold(request(train, uuid.New(), 1))
		w.await("haa")
		again := x.watchAfter(train, w.last)
		again.seats = w.seats // it missed none
		x.hold(request(train, uuid.New(), 2))
		again.await("hha")
		unknown := x.watchAfter(train, booking.EventID{Epoch: 1 << 40, Sequence: 1})
		unknown.await("hha")
		require.Equal(x, booking.EventResync, unknown.first)
	}},
	{"ChangedTrainIsResynchronized", func(x *exercise) {
		train := x.create(x.draft(2))
		w := x.watch(train, "", "")
		w.await("aa")
		train.Capacity = 4
		_, _, err := x.PutTrain(x.ctx(), train)
		require.NoError(x, err)
		w.await("aaaa")
		x.hold(request(train, uuid.New(), 4))
		w.await("aaah")
	}},
	{"WatchEndsWhenTheTrainIsWithdrawnOrDeleted", func(x *exercise) {
		withdrawn, deleted := x.create(x.draft(2)), x.create(x.draft(2))
		first, second := x.watch(withdrawn, "", ""), x.watch(deleted, "", "")
		first.await("aa")
		second.await("aa")
		withdrawn.OnSale = false
		_, _, err := x.PutTrain(x.ctx(), withdrawn)
		require.NoError(x, err)
		require.NoError(x, x.DeleteTrain(x.ctx(), deleted.ID, false))
		first.awaitEnd(booking.EventWithdrawn)
		second.awaitEnd(booking.EventWithdrawn)
		late := x.watch(withdrawn, "", "")
		late.await("aa")
		late.awaitEnd(booking.EventWithdrawn)
		_, err = x.WatchSeats(x.ctx(), deleted.ID, "", "", booking.EventID{})
		x.requireCode(booking.CodeNotFound, err)
	}},
	{"WatchEndsWhenTheTrainLeaves", func(x *exercise) {
		train := x.draft(2)
		train.Stops[0].DepartsAt = time.Now().Add(2 * time.Second)
		train.Stops[2].DepartsAt = time.Now().Add(time.Hour)
		train = x.create(train)
		run, end := x.watch(train, "", ""), x.watch(train, x.station("C"), "")
		run.await("aa")
		end.await("aa")
		run.awaitEnd(booking.EventDeparted)
		x.hold(x.between(request(train, uuid.New(), 1), "C", "D"))
		end.await("ha")
	}},
	{"OnlySegmentsOfTheTrainAreWatched", func(x *exercise) {
		train := x.create(x.draft(2))
		_, err := x.WatchSeats(x.ctx(), train.ID, x.station("A"), "nowhere", booking.EventID{})
		x.requireCode(booking.CodeNotFound, err)
		_, err = x.WatchSeats(x.ctx(), train.ID, x.station("C"), x.station("B"), booking.EventID{})
		x.requireCode(booking.CodeInvalidRequest, err)
		_, err = x.WatchSeats(x.ctx(), booking.NewTrainID(), "", "", booking.EventID{})
		x.requireCode(booking.CodeNotFound, err)
	}},
}

// watcher applies the events of a watch.
type watcher struct {
	*exercise
	watch  booking.SeatWatch
	events int
	first  booking.SeatEventType
	last   booking.EventID
	seats  string // the states, as of exercise.seats
}

func (x *exercise) watch(train booking.Train, from, to string) *watcher {
	x.Helper()
	return x.startWatch(train, from, to, booking.EventID{})
}

func (x *exercise) watchAfter(train booking.Train, after booking.EventID) *watcher {
	x.Helper()
	return x.startWatch(train, "", "", after)
}

func (x *exercise) startWatch(train booking.Train, from, to string, after booking.EventID) *watcher {
	x.Helper()
	watch, err := x.WatchSeats(x.ctx(), train.ID, from, to, after)
	require.NoError(x, err)
	x.Cleanup(watch.Close)
	return &watcher{exercise: x, watch: watch}
}

// next applies an event.
func (w *watcher) next() booking.SeatEventType {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx(), watchWithin)
	defer cancel()
	e, err := w.watch.Next(ctx)
	require.NoError(w, err, "the seats are %s", w.seats)
	if w.events++; w.events == 1 {
		w.first = e.Type
	}
	require.False(w, e.Type.Last() && len(e.Seats) > 0)
	if e.Type.Last() {
		return e.Type
	}
	w.last = e.ID
	states := []byte(w.seats)
	if e.Type.Whole() {
		states = make([]byte, len(e.Seats))
	}
	require.NotEmpty(w, e.Seats)
	for _, seat := range e.Seats {
		require.NotEqual(w, states[seat.Number-1], seat.State[0], "it has changed")
		states[seat.Number-1] = seat.State[0]
	}
	w.seats = string(states)
	return e.Type
}

// await applies events until the seats have these states.
func (w *watcher) await(states string) {
	w.Helper()
	for w.seats != states {
		require.False(w, w.next().Last())
	}
}

// awaitEnd applies the last events.
func (w *watcher) awaitEnd(t booking.SeatEventType) {
	w.Helper()
	got := w.next()
	for !got.Last() {
		got = w.next()
	}
	require.Equal(w, t, got)
	_, err := w.watch.Next(w.ctx())
	require.ErrorIs(w, err, io.EOF)
}
