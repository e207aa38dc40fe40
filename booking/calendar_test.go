package booking_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

const workdays = booking.Weekdays(1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday)

func dates(tb testing.TB, texts ...string) (list []booking.Date) {
	tb.Helper()
	for _, s := range texts {
		list = append(list, date(tb, s))
	}
	return list
}

func TestWeekdaysHaveNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set   booking.Weekdays
		names []string
	}{
		{0, []string{}},
		{workdays, []string{"mon", "tue", "wed", "thu", "fri"}},
		{booking.EveryDay, []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}},
		{booking.WeekdaysOf(time.Sunday, time.Saturday), []string{"sat", "sun"}},
	} {
		require.Equal(t, c.names, c.set.Names())
		parsed, err := booking.ParseWeekdays(c.names)
		require.NoError(t, err)
		require.Equal(t, c.set, parsed)
	}
	unordered, err := booking.ParseWeekdays([]string{"sun", "mon", "sun"})
	require.NoError(t, err)
	require.Equal(t, booking.WeekdaysOf(time.Monday, time.Sunday), unordered)
	for _, name := range []string{"", "Mon", "monday", "montag", " mon", "0"} {
		_, err := booking.ParseWeekdays([]string{"tue", name})
		require.ErrorIs(t, err, booking.ErrMalformedWeekday, "%q", name)
	}
}

func TestCalendarRunsOnItsWeekdaysExceptWhereItDoesNot(t *testing.T) {
	t.Parallel()
	calendar := booking.Calendar{
		Days: workdays, From: date(t, "2026-12-21"), Until: date(t, "2027-01-03"), // Monday to Sunday
		Exceptions: []booking.Exception{
			{Date: date(t, "2026-12-25"), Runs: false}, // Friday
			{Date: date(t, "2026-12-27"), Runs: true},  // Sunday
			{Date: date(t, "2026-12-28"), Runs: true},  // Monday, which says nothing new
			{Date: date(t, "2027-01-01"), Runs: false}, // Friday
		},
	}
	all := dates(t, "2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24", "2026-12-27", "2026-12-28", "2026-12-29", "2026-12-30", "2026-12-31")
	require.Equal(t, all, slices.Collect(calendar.Departures(booking.FirstDate, booking.LastDate)))
	for _, c := range []struct {
		from, to string
		want     []booking.Date
	}{
		{"2026-12-21", "2026-12-21", all[:1]},
		{"2026-12-24", "2026-12-28", all[3:6]},
		{"2026-12-25", "2026-12-26", nil},
		{"2026-12-28", "2026-12-27", nil},
		{"2020-01-02", "2026-12-20", nil},
		{"2027-01-01", "2099-01-01", nil},
	} {
		require.Equal(t, c.want, slices.Collect(calendar.Departures(date(t, c.from), date(t, c.to))), "%s to %s", c.from, c.to)
	}
	for range calendar.Departures(booking.FirstDate, booking.LastDate) {
		break // the iterator ends with its loop
	}
}

// drawCalendar draws a calendar of a few weeks, so that its ends and exceptions matter.
func drawCalendar(t *rapid.T) booking.Calendar {
	c := booking.Calendar{
		Days: booking.Weekdays(rapid.IntRange(0, int(booking.EveryDay)).Draw(t, "days")),
		From: booking.Date(rapid.IntRange(1900, 1920).Draw(t, "from")), // around a clock change of 2025
	}
	c.Until = c.From + booking.Date(rapid.IntRange(0, 40).Draw(t, "length"))
	for d := c.From; d <= c.Until; d++ {
		if rapid.IntRange(0, 4).Draw(t, "exception") == 0 {
			c.Exceptions = append(c.Exceptions, booking.Exception{Date: d, Runs: rapid.Bool().Draw(t, "runs")})
		}
	}
	return c
}

// runs is Calendar.Runs in the simplest way.
func runs(c booking.Calendar, d booking.Date) bool {
	if d < c.From || d > c.Until {
		return false
	}
	for _, e := range c.Exceptions {
		if e.Date == d {
			return e.Runs
		}
	}
	return slices.Contains(c.Days.Names(), [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}[weekdayOf(d)])
}

func weekdayOf(d booking.Date) time.Weekday {
	return time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, int(d)).Weekday()
}

func TestDeparturesAreTheServiceDaysBetweenTwoDates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		calendar := drawCalendar(t)
		from := booking.Date(rapid.IntRange(1890, 1970).Draw(t, "from"))
		to := booking.Date(rapid.IntRange(1890, 1970).Draw(t, "to"))
		var want []booking.Date
		for d := from; d <= to; d++ {
			if runs(calendar, d) {
				want = append(want, d)
			}
			require.Equal(t, runs(calendar, d), calendar.Runs(d), "%s", d)
		}
		require.Equal(t, want, slices.Collect(calendar.Departures(from, to)))
	})
}
