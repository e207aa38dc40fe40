package booking_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// maxCachedLists is how many encoded lists a snapshot keeps at most.
const maxCachedLists = 32

func TestSeatListIsEncodedOnceForEachSegment(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(4))
	held(t, m, anna, "B", "C", noon, 2)
	s := m.Snapshot()
	require.JSONEq(t, `[1,3,4]`, s.SeatList(booking.Segment(0, 2)).String())
	require.JSONEq(t, `[1,2,3,4]`, s.SeatList(booking.Segment(0, 1)).String())
	require.True(t, cached(s, booking.Segment(0, 2)))
	require.True(t, cached(s, booking.Segment(0, 1)))

	list := s.SeatList(booking.Segment(0, 2))
	booked(t, m, anna, "A", "B", noon, 1)
	require.NotSame(t, s, m.Snapshot())
	require.JSONEq(t, `[3,4]`, m.Snapshot().SeatList(booking.Segment(0, 2)).String())
	require.JSONEq(t, `[1,3,4]`, list.String(), "lists that were returned do not change")
	require.Same(t, &list.Bytes()[0], &s.SeatList(booking.Segment(0, 2)).Bytes()[0])
}

// cached reports whether two calls return the same bytes in memory.
func cached(s *booking.Snapshot, segment booking.Legs) bool {
	first, second := s.SeatList(segment).Bytes(), s.SeatList(segment).Bytes()
	return &first[0] == &second[0]
}

func TestSnapshotIsReusedUntilSomethingVisibleChanges(t *testing.T) {
	t.Parallel()
	m := booking.NewSeatMap(lineABCD(2))
	hold := held(t, m, anna, "A", "B", noon, 1)
	s := m.Snapshot()
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"a refusal", func() { _, _, _ = m.Hold(booking.HoldRequest{User: anna, Count: 9}, rules, none, noon) }},
		{"the same hold", func() { _, _, _ = m.Hold(booking.HoldRequest{User: anna, Seats: []int{1}, To: "B"}, rules, none, noon) }},
		{"a confirm", func() { _, _, _, _ = m.Confirm(booking.HoldRef{User: anna, Seat: 1}, none, noon) }},
		{"its failure", func() { m.ConfirmFailed(hold.ID) }},
		{"a release", func() { _, _ = m.Release(booking.HoldRef{User: anna, Seat: 1}, none, noon) }},
		{"its failure too", func() { m.ReleaseFailed(hold.ID) }},
		{"no deadline", func() { require.Zero(t, m.Expire(hold.ExpiresAt.Add(-1))) }},
		{"no such booking", func() { m.Cancelled(uuid.UUID{9}) }},
		{"a settled hold", func() { m.HoldWritten(hold.ID); m.HoldFailed(hold.ID); m.Released(hold.ID) }},
		{"a check of a change", func() { require.NoError(t, m.CheckChange(lineABCD(1))) }},
	} {
		step.do()
		require.Same(t, s, m.Snapshot(), step.name)
	}
	require.Equal(t, 1, m.Expire(hold.ExpiresAt))
	require.NotSame(t, s, m.Snapshot())
}

func TestSellableUntilTheTrainLeavesOrIsOffSale(t *testing.T) {
	t.Parallel()
	train := lineABCD(3)
	train.Stops[0].DepartsAt = noon
	m := booking.NewSeatMap(train)
	booked(t, m, anna, "B", "C", noon.Add(-time.Hour), 2)
	s := m.Snapshot()
	require.True(t, s.Sellable(train.Run(), noon.Add(-1)))
	require.False(t, s.Sellable(train.Run(), noon))
	require.True(t, s.Sellable(booking.Segment(1, 2), noon))
	a := s.Availability(booking.Segment(0, 2))
	require.Equal(t, booking.Tally{Booked: 1, Available: 2}, a.Tally)
	require.Equal(t, booking.Segment(0, 2), a.Segment)
	require.Equal(t, train.ID, a.Train.ID)
	require.True(t, a.SeatList.IsZero())
	text, err := json.Marshal(s.Seats(booking.Segment(1, 2)))
	require.NoError(t, err)
	require.JSONEq(t, `[{"seat_number":1,"state":"available"},{"seat_number":2,"state":"booked"},
		{"seat_number":3,"state":"available"}]`, string(text))
	train.SalesOpenAt = noon.Add(time.Minute)
	m.Change(train)
	require.False(t, m.Snapshot().Sellable(booking.Segment(1, 2), noon))
	require.True(t, m.Snapshot().Sellable(booking.Segment(1, 2), noon.Add(time.Minute)))
	train.OnSale, train.SalesOpenAt = false, time.Time{}
	m.Change(train)
	require.False(t, m.Snapshot().Sellable(booking.Segment(1, 2), noon))
}

func TestConcurrentReadersCacheABoundedNumberOfLists(t *testing.T) {
	t.Parallel()
	train := lineABCD(50)
	train.Stops = manyStops(booking.MaxStops)
	m := booking.NewSeatMap(train)
	held(t, m, anna, "", "", noon, 7)
	s := m.Snapshot()
	var segments []booking.Legs
	for i := range booking.MaxLegs {
		for j := i + 1; j <= booking.MaxLegs; j++ {
			segments = append(segments, booking.Segment(i, j))
		}
	}
	want := s.SeatList(train.Run()).String()

	start := make(chan struct{})
	var readers sync.WaitGroup
	lists := make([]string, len(segments))
	for i, segment := range segments[:400] {
		readers.Go(func() {
			<-start
			lists[i] = s.SeatList(segment).String()
			s.Tally(segment)
		})
	}
	close(start)
	held(t, m, anna, "", "", noon, 8)
	readers.Wait()

	count := 0
	for i, segment := range segments {
		if i < 400 {
			require.Equal(t, want, lists[i])
		}
		if cached(s, segment) {
			count++
		}
	}
	require.Equal(t, maxCachedLists, count)
	require.True(t, cached(s, train.Run()))
	require.Equal(t, fmt.Sprint(booking.Tally{Held: 1, Available: 49}), fmt.Sprint(s.Tally(train.Run())))
}
