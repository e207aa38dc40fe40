package operator

import (
	"fmt"
	"slices"
	"strings"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// scheduleID returns spec.scheduleID, or the id that follows from the UID of the resource.
func scheduleID(t *v1alpha1.TrainSchedule) (booking.ScheduleID, error) {
	if t.Spec.ScheduleID != "" {
		return booking.ParseScheduleID(t.Spec.ScheduleID)
	}
	uid, err := parseUID(t)
	if err != nil {
		return booking.ScheduleID{}, err
	}
	return booking.ScheduleIDOf(uid), nil
}

func (schedules) wanted(t *v1alpha1.TrainSchedule) (booking.Schedule, error) {
	id, err := scheduleID(t)
	if err != nil {
		return booking.Schedule{}, booking.InvalidField("scheduleID", err.Error())
	}
	schedule := booking.Schedule{
		ID: id, Name: string(t.Spec.Name), Capacity: int(t.Spec.Capacity), OnSale: t.Spec.OnSale == nil || *t.Spec.OnSale,
		TimeZone: string(t.Spec.TimeZone), SoldDaysAhead: booking.DefaultSoldDaysAhead,
	}
	if t.Spec.SoldDaysAhead != nil {
		schedule.SoldDaysAhead = int(*t.Spec.SoldDaysAhead)
	}
	fields := map[string]string{}
	schedule.Calendar = wantedCalendar(&t.Spec, fields)
	for i, stop := range t.Spec.Stops {
		schedule.Stops = append(schedule.Stops, booking.StopTime{
			Station:  string(stop.Station),
			Arrives:  parse(booking.ParseLocalTime, stop.Arrives, fmt.Sprintf("stops[%d].arrives", i), fields),
			Departs:  parse(booking.ParseLocalTime, stop.Departs, fmt.Sprintf("stops[%d].departs", i), fields),
			TimeZone: string(stop.TimeZone),
		})
	}
	if err := booking.Invalid(fields); err != nil {
		return booking.Schedule{}, err
	}
	return schedule.Clean()
}

func wantedCalendar(spec *v1alpha1.TrainScheduleSpec, fields map[string]string) booking.Calendar {
	var names []string
	for _, day := range spec.Days {
		names = append(names, string(day))
	}
	days, err := booking.ParseWeekdays(names)
	if err != nil {
		fields["days"] = err.Error()
	}
	calendar := booking.Calendar{
		Days:  days,
		From:  parse(booking.ParseDate, spec.From, "from", fields),
		Until: parse(booking.ParseDate, spec.Until, "until", fields),
	}
	for i, e := range spec.Exceptions {
		date := parse(booking.ParseDate, e.Date, fmt.Sprintf("exceptions[%d].date", i), fields)
		calendar.Exceptions = append(calendar.Exceptions, booking.Exception{Date: date, Runs: e.Runs})
	}
	return calendar
}

// parse returns the zero value for "". It stores an error under fields[field].
func parse[S ~string, T any](parse func(string) (T, error), s S, field string, fields map[string]string) (value T) {
	if s == "" {
		return value
	}
	value, err := parse(string(s))
	if err != nil {
		fields[field] = err.Error()
	}
	return value
}

// describeDays describes the service days of a calendar in a few characters: "daily", "mon-fri,sun", or
// the number of its dates if it runs on no day of the week.
func describeDays(c *booking.Calendar) string {
	if c.Days == booking.EveryDay {
		return "daily"
	}
	names, week := c.Days.Names(), booking.EveryDay.Names()
	var parts []string
	for len(names) > 0 {
		n, start := 1, slices.Index(week, names[0])
		for n < len(names) && names[n] == week[start+n] {
			n++
		}
		if n > 2 {
			parts = append(parts, names[0]+"-"+names[n-1])
		} else {
			parts = append(parts, names[:n]...)
		}
		names = names[n:]
	}
	if parts == nil {
		return describeDates(c.Exceptions)
	}
	return strings.Join(parts, ",")
}

func describeDates(exceptions []booking.Exception) string {
	dates := 0
	for _, e := range exceptions {
		if e.Runs {
			dates++
		}
	}
	if dates == 1 {
		return "1 date"
	}
	return fmt.Sprintf("%d dates", dates)
}
