package booking_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// BenchmarkHold holds a seat and releases it, without publishing the change.
func BenchmarkHold(b *testing.B) {
	m := booking.NewSeatMap(lineABCD(1000))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		h := held(b, m, anna, "A", "B", noon, 1+n*7%1000)
		_, err := m.Release(booking.HoldRef{User: anna, Hold: h.ID}, none, noon)
		require.NoError(b, err)
		m.Released(h.ID)
	}
}

// BenchmarkPublish holds a seat, publishes the change, and releases it.
func BenchmarkPublish(b *testing.B) {
	for _, capacity := range []int{100, 1000, booking.MaxCapacity} {
		b.Run(fmt.Sprintf("seats=%d", capacity), func(b *testing.B) {
			m := booking.NewSeatMap(lineABCD(capacity))
			m.Snapshot()
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				publishHold(b, m, 1+n*7%capacity)
			}
		})
	}
}

// BenchmarkRefused asks for a seat of a train that is sold out.
func BenchmarkRefused(b *testing.B) {
	for _, capacity := range []int{100, 1000, booking.MaxCapacity} {
		b.Run(fmt.Sprintf("seats=%d", capacity), func(b *testing.B) {
			m := booking.NewSeatMap(lineABCD(capacity))
			for n := range capacity {
				booked(b, m, uuid.New(), "A", "D", noon, n+1)
			}
			m.Snapshot()
			for n := 0; b.Loop(); n++ {
				_, _, err := m.Hold(booking.HoldRequest{User: anna, Seats: []int{1 + n*7%capacity}, From: "A", To: "B"}, rules, none, noon)
				require.Error(b, err)
			}
		})
	}
}

// publishHold holds a seat, publishes the change, and releases the seat.
func publishHold(tb testing.TB, m *booking.SeatMap, seat int) *booking.Snapshot {
	tb.Helper()
	h := held(tb, m, anna, "A", "B", noon, seat)
	s := m.Snapshot()
	_, err := m.Release(booking.HoldRef{User: anna, Hold: h.ID}, none, noon)
	require.NoError(tb, err)
	m.Released(h.ID)
	return s
}

// BenchmarkSearchAfterHold reads 20 trains, as a search does, each after a hold of one of its seats.
func BenchmarkSearchAfterHold(b *testing.B) {
	for _, capacity := range []int{100, 1000, booking.MaxCapacity} {
		b.Run(fmt.Sprintf("seats=%d", capacity), func(b *testing.B) {
			maps := make([]*booking.SeatMap, 20)
			for i := range maps {
				maps[i] = booking.NewSeatMap(lineABCD(capacity))
				for n := 3; n <= capacity; n += 3 { // a third of the seats is sold, none beside another
					booked(b, maps[i], uuid.New(), "A", "C", noon, n)
				}
			}
			segment := booking.Segment(0, 2)
			var search time.Duration
			for n := 0; b.Loop(); n++ {
				snapshots := make([]*booking.Snapshot, len(maps))
				for i, m := range maps {
					snapshots[i] = publishHold(b, m, 1+n*3%(capacity-capacity%3))
				}
				begun := time.Now()
				for _, s := range snapshots {
					s.Availability(segment)
					s.SeatList(segment)
				}
				search += time.Since(begun)
			}
			b.ReportMetric(float64(search.Nanoseconds())/float64(b.N), "ns/search")
		})
	}
}
