package booking

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Clean returns the schedule with its names trimmed and in NFC and its exceptions in order, or an
// invalid_request error with every invalid field. Name, capacity and stations have the rules of trains.
// It does not check an id that is zero, and of the names only what Train.Clean does: see CheckNames.
func (s Schedule) Clean() (Schedule, error) {
	fields := map[string]string{}
	if s.ID != (ScheduleID{}) && !s.ID.Valid() {
		fields["id"] = "must be a UUID whose last 8 digits are 0"
	}
	s.cleanTrain(fields)
	if _, known := findZone(s.TimeZone); !known {
		fields["time_zone"] = unknownZone
	}
	s.cleanCalendar(fields)
	if s.SoldDaysAhead < 0 || s.SoldDaysAhead > MaxSoldDaysAhead {
		fields["sold_days_ahead"] = fmt.Sprintf("must be 0 to %d", MaxSoldDaysAhead)
	}
	if _, bad := fields["stops"]; !bad { // there is a first and a last
		s.checkTimes(fields)
	}
	if err := Invalid(fields); err != nil {
		return Schedule{}, err
	}
	return s, nil
}

const unknownZone = "must be the name of a time zone, such as Europe/Berlin"

// CheckNames is Train.CheckNames for the names of a schedule. A new one has no before: nil.
func (s *Schedule) CheckNames(before *Schedule) error {
	train := s.named()
	if before == nil {
		return train.CheckNames(nil)
	}
	known := before.named()
	return train.CheckNames(&known)
}

// named returns a departure without dates and times.
func (s *Schedule) named() Train {
	t := Train{Name: s.Name, Capacity: s.Capacity, Stops: make([]Stop, len(s.Stops))}
	for i := range s.Stops {
		t.Stops[i].Station = s.Stops[i].Station
	}
	return t
}

// cleanTrain cleans what the schedule has in common with a train.
func (s *Schedule) cleanTrain(fields map[string]string) {
	train, err := s.named().Clean()
	if e, ok := errors.AsType[*Error](err); ok {
		maps.Copy(fields, e.Fields)
		return
	}
	s.Name, s.Stops = train.Name, slices.Clone(s.Stops)
	for i := range s.Stops {
		s.Stops[i].Station = train.Stops[i].Station
	}
}

func (s *Schedule) checkTimes(fields map[string]string) {
	var latest time.Duration
	last := len(s.Stops) - 1
	for i, stop := range s.Stops {
		if _, known := findZone(stop.TimeZone); !known && stop.TimeZone != "" {
			fields[fmt.Sprintf("stops[%d].time_zone", i)] = unknownZone
		}
		for _, event := range []struct {
			field             string
			time              LocalTime
			required, refused bool
		}{
			{"arrives", stop.Arrives, i == last, i == 0},
			{"departs", stop.Departs, i == 0, i == last},
		} {
			if problem := timeProblem(event.time, latest, event.required, event.refused); problem != "" {
				fields[fmt.Sprintf("stops[%d].%s", i, event.field)] = problem
			}
			if !event.time.IsZero() {
				latest = event.time.Offset()
			}
		}
	}
}

// timeProblem returns what is wrong with a time that follows after latest, or "".
func timeProblem(t LocalTime, latest time.Duration, required, refused bool) string {
	switch at := t.Offset(); {
	case t.IsZero() && required:
		return "must be given: trains depart from their first stop and arrive at their last"
	case t.IsZero():
		return ""
	case refused:
		return "must not be given: trains only depart from their first stop and only arrive at their last"
	case at < 0 || at > MaxLocalTime:
		return fmt.Sprintf("must be 00:00 to %s", LocalTimeOf(MaxLocalTime))
	case at < latest:
		return "must not be before an earlier time of the train"
	}
	return ""
}

func (c *Calendar) cleanCalendar(fields map[string]string) {
	added := slices.ContainsFunc(c.Exceptions, func(e Exception) bool { return e.Runs })
	switch {
	case c.Days > EveryDay:
		fields["days"] = "must be days of the week"
	case c.Days == 0 && !added:
		fields["days"] = "must have a day, unless exceptions have a date on which it runs"
	}
	bounded := true
	for field, date := range map[string]Date{"from": c.From, "until": c.Until} {
		if !date.Valid() {
			fields[field] = fmt.Sprintf("must be %s to %s", FirstDate, LastDate)
			bounded = false
		}
	}
	if bounded && c.Until < c.From {
		fields["until"] = "must not be before from"
		bounded = false
	}
	c.cleanExceptions(bounded, fields)
}

// cleanExceptions orders the exceptions. bounded: From and Until are right, so that every date must be
// within them.
func (c *Calendar) cleanExceptions(bounded bool, fields map[string]string) {
	if len(c.Exceptions) > MaxExceptions {
		fields["exceptions"] = fmt.Sprintf("must be at most %d", MaxExceptions)
		return
	}
	seen := make(map[Date]int, len(c.Exceptions))
	for i, e := range c.Exceptions {
		field := fmt.Sprintf("exceptions[%d].date", i)
		first, twice := seen[e.Date]
		switch {
		case twice:
			fields[field] = fmt.Sprintf("is the same date as exceptions[%d]", first)
			continue
		case bounded && (e.Date < c.From || e.Date > c.Until):
			fields[field] = "must be within from and until: move those, or remove the exception"
		}
		seen[e.Date] = i
	}
	c.Exceptions = slices.SortedFunc(slices.Values(c.Exceptions), func(a, b Exception) int { return a.compare(b.Date) })
}
