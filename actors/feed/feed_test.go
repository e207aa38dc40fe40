package feed_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/actors/feed"
	"trainbooking.dev/booking"
)

func id(n int) booking.EventID { return booking.EventID{Epoch: 1, Sequence: int64(n)} }

func atOnce() time.Duration { return 0 }

// seats returns the seats whose states are the letters of a text: a, h or b.
func seats(states string) []booking.Seat {
	of := map[rune]booking.SeatState{'a': booking.SeatAvailable, 'h': booking.SeatHeld, 'b': booking.SeatBooked}
	all := make([]booking.Seat, len(states))
	for i, s := range states {
		all[i] = booking.Seat{Number: i + 1, State: of[s]}
	}
	return all
}

// drain returns the events that can be read without waiting.
func drain(t require.TestingT, w *feed.Watcher) (events []*booking.SeatEvent) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		e, err := w.Next(ctx)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			return events
		}
		events = append(events, e)
	}
}

func TestWatcherGetsTheStateAndThenTheChanges(t *testing.T) {
	t.Parallel()
	f := feed.New(atOnce)
	first := f.Watch(booking.EventID{})
	require.NotNil(t, f.Ready())
	require.Empty(t, drain(t, first))
	f.Update(id(1), "A", "C", seats("aaa"))
	require.Nil(t, f.Ready())
	f.Update(id(2), "A", "C", seats("aaa"))
	f.Update(id(3), "A", "C", seats("hah"))
	second := f.Watch(booking.EventID{})
	f.Change(id(4), seats("b"))

	events := drain(t, first)
	require.Len(t, events, 1, "it began before there was a state")
	require.Equal(t, booking.EventSeats, events[0].Type)
	require.Equal(t, seats("bah"), events[0].Seats)
	events = drain(t, second)
	require.Equal(t, booking.EventSeats, events[0].Type)
	f.Change(id(5), []booking.Seat{{Number: 2, State: booking.SeatHeld}, {Number: 99, State: booking.SeatHeld}})
	events = drain(t, first)
	require.Len(t, events, 1)
	require.Equal(t, id(5), events[0].ID)
	require.Same(t, events[0], drain(t, second)[0])
}

func TestWatcherResumesAfterAKeptEvent(t *testing.T) {
	t.Parallel()
	f := feed.New(atOnce)
	f.Update(id(1), "A", "C", seats("aaa"))
	for n := 2; n <= 4; n++ {
		f.Change(id(n), seats([]string{"h", "b", "a"}[n-2]))
	}
	for after, want := range map[int]int{1: 3, 2: 2, 3: 1, 4: 0} {
		events := drain(t, f.Watch(id(after)))
		require.Len(t, events, want)
		for i, e := range events {
			require.Equal(t, id(after+1+i), e.ID)
		}
	}
	for _, unknown := range []booking.EventID{id(5), {Epoch: 2, Sequence: 2}} {
		events := drain(t, f.Watch(unknown))
		require.Len(t, events, 1)
		require.Equal(t, booking.EventResync, events[0].Type)
		require.Equal(t, id(4), events[0].ID)
	}
}

func TestChangeOfTheTrainIsAResync(t *testing.T) {
	t.Parallel()
	f := feed.New(atOnce)
	f.Update(id(1), "A", "C", seats("aaa"))
	w := f.Watch(booking.EventID{})
	drain(t, w)
	f.Change(id(2), seats("h"))
	f.Update(id(3), "A", "C", seats("haaa"))
	events := drain(t, w)
	require.Len(t, events, 1)
	require.Equal(t, booking.EventResync, events[0].Type)
	require.Equal(t, seats("haaa"), events[0].Seats)
	f.Update(id(4), "A", "D", seats("haaa"))
	require.Equal(t, "D", drain(t, w)[0].To)
}

func TestFeedEndsAfterItsLastEvent(t *testing.T) {
	t.Parallel()
	f := feed.New(atOnce)
	f.Update(id(1), "A", "C", seats("aaa"))
	f.Change(id(2), seats("h"))
	w, late := f.Watch(id(1)), f.Watch(booking.EventID{})
	f.End(booking.EventDeparted)
	for _, each := range []struct {
		*feed.Watcher
		first booking.SeatEventType
	}{{w, booking.EventSeat}, {late, booking.EventSeats}} {
		for _, want := range []booking.SeatEventType{each.first, booking.EventDeparted} {
			e, err := each.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, e.Type)
		}
		_, err := each.Next(t.Context())
		require.ErrorIs(t, err, io.EOF)
	}

	f, failure := feed.New(atOnce), errors.New("test")
	f.Fail(failure)
	require.Nil(t, f.Ready())
	_, err := f.Watch(booking.EventID{}).Next(t.Context())
	require.ErrorIs(t, err, failure)
}

func TestNextWaitsForAnEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := feed.New(atOnce)
		f.Update(id(1), "A", "C", seats("aaa"))
		w := f.Watch(id(1))
		got := make(chan *booking.SeatEvent, 1)
		go func() {
			e, err := w.Next(context.Background())
			require.NoError(t, err)
			got <- e
		}()
		synctest.Wait()
		require.Empty(t, got)
		f.Change(id(2), seats("h"))
		require.Equal(t, id(2), (<-got).ID)
	})
}

// TestWatchersAgreeWithTheFeed changes seats at random. Watchers that read at their own pace, and resume
// now and then, have the state of the feed whenever they have read all events.
func TestWatchersAgreeWithTheFeed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, n := feed.New(atOnce), 0
		state := rapid.StringMatching(`[ahb]{1,40}`)
		last := state.Draw(t, "state")
		f.Update(id(n), "A", "C", seats(last))
		type watcher struct {
			*feed.Watcher
			seen  booking.EventID
			seats map[int]booking.SeatState
		}
		watchers := []*watcher{{}, {}, {}}
		for _, w := range watchers {
			w.Watcher = f.Watch(booking.EventID{})
		}
		update := func(to string) {
			last = to
			n++
			f.Update(id(n), "A", "C", seats(last))
		}
		t.Repeat(map[string]func(*rapid.T){
			"change some": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 3, 300}).Draw(t, "times") {
					at := rapid.IntRange(0, len(last)-1).Draw(t, "seat")
					update(last[:at] + rapid.StringMatching(`[ahb]`).Draw(t, "to") + last[at+1:])
				}
			},
			"change all": func(t *rapid.T) { update(state.Draw(t, "state")) },
			"resume": func(t *rapid.T) {
				w := rapid.SampledFrom(watchers).Draw(t, "watcher")
				w.Watcher = f.Watch(w.seen)
			},
			"read": func(t *rapid.T) {
				w := rapid.SampledFrom(watchers).Draw(t, "watcher")
				for _, e := range drain(t, w.Watcher) {
					if e.Type.Whole() {
						w.seats = map[int]booking.SeatState{}
					}
					for _, seat := range e.Seats {
						require.True(t, e.Type.Whole() || w.seats[seat.Number] != seat.State, "the seat changed")
						w.seats[seat.Number] = seat.State
					}
					w.seen = e.ID
				}
				require.Len(t, w.seats, len(last))
				for _, seat := range seats(last) {
					require.Equal(t, seat.State, w.seats[seat.Number])
				}
			},
		})
	})
}

func TestChangesWithinAnIntervalAreOneEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := feed.New(func() time.Duration { return time.Second })
		f.Update(id(1), "A", "C", seats("aaaa"))
		w := f.Watch(booking.EventID{})
		require.Len(t, drain(t, w), 1)
		f.Update(id(2), "A", "C", seats("haaa"))
		require.Len(t, drain(t, w), 1, "the first one is due at once")
		f.Update(id(3), "A", "C", seats("hhaa"))
		f.Update(id(4), "A", "C", seats("habh"))
		f.Update(id(5), "A", "C", seats("baba"))
		require.Empty(t, drain(t, w))
		require.Equal(t, seats("haaa"), drain(t, f.Watch(booking.EventID{}))[0].Seats)
		<-time.After(time.Second)
		synctest.Wait()
		events := drain(t, w)
		require.Len(t, events, 1)
		require.Equal(t, id(5), events[0].ID)
		require.Equal(t, []booking.Seat{{Number: 1, State: booking.SeatBooked}, {Number: 3, State: booking.SeatBooked}}, events[0].Seats)

		f.Update(id(6), "A", "C", seats("bbba"))
		f.Update(id(7), "A", "C", seats("bbbaa"))
		require.Equal(t, booking.EventResync, drain(t, w)[0].Type, "this does not wait")
		<-time.After(time.Minute)
		synctest.Wait()
		require.Empty(t, drain(t, w))
		f.Update(id(8), "A", "C", seats("bbbah"))
		f.Update(id(9), "A", "C", seats("bbbhh"))
		f.End(booking.EventWithdrawn)
		e, err := w.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, booking.EventSeat, e.Type, "what has changed is not lost")
		<-time.After(time.Minute)
	})
}
