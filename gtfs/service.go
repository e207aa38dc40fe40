package gtfs

import (
	"errors"
	"slices"
	"time"

	"trainbooking.dev/booking"
)

// service is a set of dates: the days of each week from one date until another, except for those that were
// added or removed.
type service struct {
	days           booking.Weekdays
	from, until    booking.Date
	added, removed []booking.Date
	calendar       *booking.Calendar // nil until it is needed
	order          int32             // among all services, by dates
}

// services returns the dates of each service_id. A feed has calendar.txt or calendar_dates.txt, or both.
func (r *reader) services(moved booking.Date) (map[string]*service, error) {
	_, weekly := r.feed.files[calendarFile]
	_, daily := r.feed.files[calendarDatesFile]
	if !weekly && !daily {
		return nil, errors.New("the feed has neither " + calendarFile + " nor " + calendarDatesFile)
	}
	services := map[string]*service{}
	if err := r.calendar(services, moved); err != nil {
		return nil, err
	}
	return services, r.calendarDates(services, moved)
}

var weekdayColumns = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

func (r *reader) calendar(services map[string]*service, moved booking.Date) error {
	t, err := r.table(calendarFile, append([]string{"service_id", "start_date", "end_date"}, weekdayColumns...)...)
	if err != nil || t == nil {
		return err
	}
	defer t.close()
	id, from, until := t.column("service_id"), t.column("start_date"), t.column("end_date")
	days := make([]int, len(weekdayColumns))
	for i, name := range weekdayColumns {
		days[i] = t.column(name)
	}
	for {
		more, err := t.next()
		if err != nil || !more {
			return err
		}
		s, name := &service{}, t.id(id)
		reason := newID(services, name)
		first, ok1 := parseDate(t.get(from))
		last, ok2 := parseDate(t.get(until))
		if s.from, s.until = first+moved, last+moved; !ok1 || !ok2 {
			reason = badDate
		}
		for day, column := range days {
			if t.get(column) == "1" {
				s.days |= booking.WeekdaysOf(time.Weekday(day))
			}
		}
		if reason == "" {
			services[name] = s
		} else if err := t.fault(reason, name); err != nil {
			return err
		}
	}
}

func (r *reader) calendarDates(services map[string]*service, moved booking.Date) error {
	t, err := r.table(calendarDatesFile, "service_id", "date", "exception_type")
	if err != nil || t == nil {
		return err
	}
	defer t.close()
	id, on, kind := t.column("service_id"), t.column("date"), t.column("exception_type")
	for {
		more, err := t.next()
		if err != nil || !more {
			return err
		}
		date, ok := parseDate(t.get(on))
		name, exception := t.get(id), t.get(kind)
		if !ok || name == "" || len(name) > maxID || exception != "1" && exception != "2" {
			if err := t.fault(badDate, name); err != nil {
				return err
			}
			continue
		}
		s := services[name]
		if s == nil {
			s = &service{}
			services[t.id(id)] = s
		}
		if exception == "1" {
			s.added = append(s.added, date+moved)
		} else {
			s.removed = append(s.removed, date+moved)
		}
	}
}

// dates returns the dates that can be service days of a schedule.
func (s *service) dates() []booking.Date {
	slices.Sort(s.removed)
	var dates []booking.Date
	keep := func(date booking.Date) {
		if _, removed := slices.BinarySearch(s.removed, date); !removed && date.Valid() {
			dates = append(dates, date)
		}
	}
	for date := max(s.from, booking.FirstDate); date <= min(s.until, booking.LastDate); date++ {
		if s.days.Has(date.Weekday()) {
			keep(date)
		}
	}
	for _, date := range s.added {
		keep(date)
	}
	return dates
}

// past reports whether the service has dates that were before those of schedules.
func (s *service) past() bool {
	return s.days != 0 && s.from <= s.until && s.from < booking.FirstDate ||
		slices.ContainsFunc(s.added, func(date booking.Date) bool { return date < booking.FirstDate })
}

// parseDate reads the form 20261201.
func parseDate(s string) (booking.Date, bool) {
	t, err := time.Parse("20060102", s)
	return booking.DateOf(t), err == nil
}
