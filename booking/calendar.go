package booking

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"time"
)

// ErrMalformedWeekday is the error of ParseWeekdays.
var ErrMalformedWeekday = errors.New("must be mon, tue, wed, thu, fri, sat or sun")

// Weekdays is a set of days of the week: bit i is for time.Weekday(i).
type Weekdays uint8

// EveryDay has all days of the week.
const EveryDay Weekdays = 1<<len(weekdays) - 1

var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// WeekdaysOf returns the set of these days.
func WeekdaysOf(days ...time.Weekday) (set Weekdays) {
	for _, day := range days {
		set |= 1 << day
	}
	return set
}

// ParseWeekdays returns the set of the days with these names, in any order. Error:
// ErrMalformedWeekday.
func ParseWeekdays(names []string) (set Weekdays, err error) {
	for _, name := range names {
		day := slices.Index(weekdays[:], name)
		if day < 0 {
			return 0, ErrMalformedWeekday
		}
		set |= 1 << day
	}
	return set, nil
}

// Has reports whether a day is in the set.
func (w Weekdays) Has(day time.Weekday) bool { return w>>day&1 != 0 }

// Names returns the names of the days, from mon to sun. The slice is never nil.
func (w Weekdays) Names() []string {
	names := []string{}
	for i := range weekdays {
		if day := (time.Monday + time.Weekday(i)) % 7; w.Has(day) {
			names = append(names, weekdays[day])
		}
	}
	return names
}

// Exception is a date on which a schedule runs though its weekdays do not say so, or does not run
// though they do.
type Exception struct {
	Date Date `json:"date"`
	Runs bool `json:"runs"`
}

func (e Exception) compare(date Date) int { return cmp.Compare(e.Date, date) }

// Calendar is the service days of a schedule: the Days of each week from From until Until, both
// included, except as Exceptions say. These are in order of date, within From and Until, and have a
// date once, as Clean makes sure.
type Calendar struct {
	Days        Weekdays
	From, Until Date
	Exceptions  []Exception
}

// Runs reports whether date is a service day.
func (c *Calendar) Runs(date Date) bool {
	if date < c.From || date > c.Until {
		return false
	}
	if i, ok := slices.BinarySearchFunc(c.Exceptions, date, Exception.compare); ok {
		return c.Exceptions[i].Runs
	}
	return c.Days.Has(date.Weekday())
}

// Departures returns the service days from one date to another, both included, in order. It looks at
// no others.
func (c *Calendar) Departures(from, to Date) iter.Seq[Date] {
	return func(yield func(Date) bool) {
		from, to := max(from, c.From), min(to, c.Until)
		next, _ := slices.BinarySearchFunc(c.Exceptions, from, Exception.compare)
		for date := from; date <= to; date++ {
			runs := c.Days.Has(date.Weekday())
			if next < len(c.Exceptions) && c.Exceptions[next].Date == date {
				runs = c.Exceptions[next].Runs
				next++
			}
			if runs && !yield(date) {
				return
			}
		}
	}
}
