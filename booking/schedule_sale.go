package booking

import (
	"iter"
	"time"
)

// SaleWindow returns the first and the last date whose departures can be on sale at now, whether or not
// the schedule runs on them: from the first that has not left every stop at which a segment can begin,
// which may have begun days ago, until SoldDaysAhead days after today in the zone of the schedule.
func (s *Schedule) SaleWindow(now time.Time) (from, to Date) {
	zone, known := findZone(s.TimeZone)
	if !known {
		return LastDate, FirstDate // none
	}
	last := len(s.Stops) - 1
	to = DateOf(now.In(zone)) + Date(s.SoldDaysAhead) //nolint:gosec // MaxSoldDaysAhead
	return s.firstAhead(Segment(last-1, last), now, zone), to
}

// Today returns the date at now in the zone of the schedule, 0 if that is not known.
func (s *Schedule) Today(now time.Time) Date {
	zone, known := findZone(s.TimeZone)
	if !known {
		return 0
	}
	return DateOf(now.In(zone))
}

// Sold reports whether the departure on date is for sale at now: it runs, its sales have begun, and
// there is a segment on which it has not left.
func (s *Schedule) Sold(date Date, now time.Time) bool {
	if !s.OnSale || !s.Runs(date) {
		return false
	}
	from, to := s.SaleWindow(now)
	return from <= date && date <= to
}

// Bookable returns the dates of the departures that a passenger can book on the segment at now, in order:
// Sold, and not Departed. Those that have a definition of their own may differ.
func (s *Schedule) Bookable(segment Legs, now time.Time) iter.Seq[Date] {
	return func(yield func(Date) bool) {
		zone, known := findZone(s.TimeZone)
		if !s.OnSale || !known {
			return
		}
		_, to := s.SaleWindow(now)
		s.Departures(s.firstAhead(segment, now, zone), to)(yield)
	}
}

// firstAhead returns the first date whose departure has not left at now where the segment begins.
func (s *Schedule) firstAhead(segment Legs, now time.Time, zone *time.Location) Date {
	leaves, stop := s.leaves(segment)
	// Those of earlier dates have left, even if a clock change made their day an hour longer.
	date := DateOf(now.In(zone)) - leaves.days() - 1
	for {
		if at := s.day(date).time(leaves, stop); at.IsZero() || now.Before(at) {
			return date
		}
		date++
	}
}

// LeavingOn returns the service days of the departures that leave on a local date where the segment
// begins, by the clock there, in order. Mostly that is one or none.
func (s *Schedule) LeavingOn(segment Legs, local Date) iter.Seq[Date] {
	return func(yield func(Date) bool) {
		leaves, stop := s.leaves(segment)
		// The clocks of two zones differ by up to 26 hours, and a clock change may add one.
		about, most := local-leaves.days(), Date(2)
		for date := range s.Departures(about-most, about+most) {
			at := s.day(date).time(leaves, stop)
			if !at.IsZero() && DateOf(at) == local && !yield(date) {
				return
			}
		}
	}
}

// days returns the number of whole days before the time.
func (t LocalTime) days() Date { return Date(t.seconds / daySeconds) }
