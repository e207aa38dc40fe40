package booking_test

import (
	"testing"

	"trainbooking.dev/booking"
)

// BenchmarkDepartures looks for the service days of 60 days.
func BenchmarkDepartures(b *testing.B) {
	s := nightTrain(b)
	from := date(b, "2025-06-01")
	for d := from; d < from+60; d += 10 {
		s.Exceptions = append(s.Exceptions, booking.Exception{Date: d})
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range s.Departures(from, from+59) {
			n++
		}
		if n != 54 {
			b.Fatal(n)
		}
	}
}

// BenchmarkDeparture computes one departure with 20 stops.
func BenchmarkDeparture(b *testing.B) {
	s := canadian(b)
	for len(s.Stops) < 20 {
		s.Stops = append(s.Stops, s.Stops[len(s.Stops)%5])
	}
	d := date(b, "2025-06-18")
	b.ReportAllocs()
	for b.Loop() {
		if len(s.Train(d).Stops) != 20 {
			b.Fatal("stops are missing")
		}
	}
}

// BenchmarkSearchOfSchedules looks for the departures of one schedule that a search may find.
func BenchmarkSearchOfSchedules(b *testing.B) {
	s := canadian(b)
	segment, now, d := booking.Segment(1, 4), moment(b, "2025-06-18T12:00:00Z"), date(b, "2025-06-20")
	b.Run("next", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := next(s, segment, now); !ok {
				b.Fatal("no departure")
			}
		}
	})
	b.Run("date", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range s.LeavingOn(segment, d) {
			}
		}
	})
	b.Run("sold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !s.Sold(d-2, now) {
				b.Fatal("not sold")
			}
		}
	})
}
