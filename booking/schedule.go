package booking

import (
	"slices"
	"time"
)

// StopTime is a station where the trains of a schedule call, and when. The times are optional, but for
// the departure from the first station and the arrival at the last.
type StopTime struct {
	Station string    `json:"station"`
	Arrives LocalTime `json:"arrives,omitzero"`
	Departs LocalTime `json:"departs,omitzero"`
	// TimeZone is the zone of the station, "" for that of the schedule. The times count on the clock of
	// the schedule all the same, as in GTFS: the zone gives a departure's times here their UTC offset,
	// and so the local date by which searches find them.
	TimeZone string `json:"time_zone,omitempty"`
}

// Schedule is a train that runs on many days. It has a departure on each service day of its calendar: a
// train that is computed, and has a definition of its own only when something is sold on it or somebody
// changes it. A Schedule that is shared is never modified; a change makes a new one.
//
// A service day begins twelve hours before noon in TimeZone, see LocalTime. If this machine does not
// know the zone, departures have no times and are not on sale: only a machine that knew it has accepted
// the schedule.
type Schedule struct {
	ID       ScheduleID
	Name     string
	Capacity int
	OnSale   bool
	TimeZone string // an IANA name
	Calendar
	// SoldDaysAhead is how many days before its service day a departure goes on sale, at the beginning
	// of that date in TimeZone. 0: on the day itself.
	SoldDaysAhead int
	Stops         []StopTime
	CreatedAt     time.Time // UTC
	UpdatedAt     time.Time // UTC
}

// The bounds and defaults of schedules.
const (
	MaxExceptions        = 1000
	DefaultSoldDaysAhead = 60
	MaxSoldDaysAhead     = 730
)

// Train returns the departure on a date, as the schedule defines it. It is not on sale if the schedule
// does not run on that date.
func (s *Schedule) Train(date Date) Train {
	day := s.day(date)
	stops := make([]Stop, len(s.Stops))
	for i := range s.Stops {
		stop := &s.Stops[i]
		stops[i] = Stop{Station: stop.Station, ArrivesAt: day.time(stop.Arrives, stop), DepartsAt: day.time(stop.Departs, stop)}
	}
	t := Train{
		ID: s.ID.Departure(date), Name: s.Name, Capacity: s.Capacity, Stops: stops,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
	if day.zone != nil {
		t.OnSale = s.OnSale && s.Runs(date)
		t.SalesOpenAt = (date - Date(s.SoldDaysAhead)).Begins(day.zone).UTC() //nolint:gosec // MaxSoldDaysAhead
	}
	return t
}

// Departure returns Train(date).Departure(segment), without the rest of the train.
func (s *Schedule) Departure(segment Legs, date Date) time.Time {
	leaves, stop := s.leaves(segment)
	return s.day(date).time(leaves, stop)
}

// leaves returns when the trains leave the stop where the segment begins, as Train.Departure does, and
// the stop at which they have that time.
func (s *Schedule) leaves(segment Legs) (LocalTime, *StopTime) {
	i, _ := segment.Bounds()
	if stop := &s.Stops[i]; !stop.Departs.IsZero() {
		return stop.Departs, stop
	}
	for ; i < len(s.Stops); i++ {
		for _, at := range []LocalTime{s.Stops[i].Arrives, s.Stops[i].Departs} {
			if !at.IsZero() {
				return at, &s.Stops[i]
			}
		}
	}
	return LocalTime{}, nil
}

// Same reports whether both schedules are equal except for their ids and the times of creation and
// change.
func (s *Schedule) Same(o *Schedule) bool {
	return s.Name == o.Name && s.Capacity == o.Capacity && s.OnSale == o.OnSale && s.TimeZone == o.TimeZone &&
		s.Days == o.Days && s.From == o.From && s.Until == o.Until && slices.Equal(s.Exceptions, o.Exceptions) &&
		s.SoldDaysAhead == o.SoldDaysAhead && slices.Equal(s.Stops, o.Stops)
}

// Ended returns the schedule as it is after its deletion: it runs on no date.
func (s *Schedule) Ended() Schedule {
	ended := *s
	ended.Days, ended.Exceptions = 0, nil
	return ended
}

// Without returns the schedule without its departures on these dates, which are ascending.
func (s *Schedule) Without(dates []Date) Schedule {
	without := *s
	if len(dates) == 0 {
		return without
	}
	without.Exceptions = slices.DeleteFunc(slices.Clone(s.Exceptions), func(e Exception) bool {
		_, found := slices.BinarySearch(dates, e.Date)
		return found
	})
	for _, date := range dates {
		without.Exceptions = append(without.Exceptions, Exception{Date: date})
	}
	slices.SortFunc(without.Exceptions, func(a, b Exception) int { return a.compare(b.Date) })
	return without
}

// serviceDay is a service day in the zone of a schedule.
type serviceDay struct {
	begins time.Time
	zone   *time.Location // nil: not known
}

func (s *Schedule) day(date Date) serviceDay {
	zone, known := findZone(s.TimeZone)
	if !known {
		return serviceDay{}
	}
	return serviceDay{begins: date.at(12, zone).Add(-12 * time.Hour), zone: zone}
}

// time returns a local time of the day, with the UTC offset at the stop. It is zero if the time is not
// given.
func (d serviceDay) time(at LocalTime, stop *StopTime) time.Time {
	if at.IsZero() || d.zone == nil {
		return time.Time{}
	}
	zone := d.zone
	if stop.TimeZone != "" {
		if own, known := findZone(stop.TimeZone); known {
			zone = own
		}
	}
	return d.begins.Add(at.Offset()).In(zone)
}
