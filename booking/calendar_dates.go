package booking

import (
	"slices"
	"time"
)

// CalendarOf returns the calendar that runs on these dates and on no others, with the fewest exceptions.
// The dates may be in any order, and more than once. Equal sets of dates have equal calendars. It is the
// zero Calendar, which never runs, if there are no dates. It may have more than MaxExceptions.
func CalendarOf(dates []Date) Calendar {
	if len(dates) == 0 {
		return Calendar{}
	}
	runs := slices.Compact(slices.Sorted(slices.Values(dates)))
	c := Calendar{From: runs[0], Until: runs[len(runs)-1]}
	c.Days = mostDays(runs)
	next := 0
	for date := c.From; date <= c.Until; date++ {
		listed := runs[next] == date
		if listed {
			next++
		}
		if listed != c.Days.Has(date.Weekday()) {
			c.Exceptions = append(c.Exceptions, Exception{Date: date, Runs: listed})
		}
	}
	return c
}

// mostDays returns the weekdays with more of the dates, which are ascending, than days between the first
// and the last of them that are not among the dates.
func mostDays(dates []Date) (days Weekdays) {
	var listed [len(weekdays)]Date
	for _, date := range dates {
		listed[date.Weekday()]++
	}
	from, until := dates[0], dates[len(dates)-1]
	for day := range time.Weekday(len(weekdays)) {
		if 2*listed[day] > occurrences(day, from, until) {
			days |= WeekdaysOf(day)
		}
	}
	return days
}

// occurrences returns how often a weekday occurs from one date until another, both included.
func occurrences(day time.Weekday, from, until Date) Date {
	first := from + Date((day-from.Weekday()+7)%7)
	if first > until {
		return 0
	}
	return (until-first)/7 + 1
}
