package booking_test

import (
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

func TestCalendarOfDatesRunsOnTheseDatesWithTheFewestExceptions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.Int32Range(int32(booking.FirstDate), int32(booking.FirstDate)+60)
		list := rapid.SliceOfN(rapid.Map(day, func(d int32) booking.Date { return booking.Date(d) }), 1, 80).Draw(t, "dates")
		want := slices.Compact(slices.Sorted(slices.Values(list)))
		calendar := booking.CalendarOf(list)
		require.Equal(t, want, slices.Collect(calendar.Departures(0, booking.LastDate)))
		require.Len(t, calendar.Exceptions, fewestExceptions(want))
	})
}

// fewestExceptions tries every set of weekdays.
func fewestExceptions(dates []booking.Date) int {
	fewest := len(dates)
	for days := range booking.EveryDay + 1 {
		exceptions := 0
		for date := dates[0]; date <= dates[len(dates)-1]; date++ {
			if _, listed := slices.BinarySearch(dates, date); listed != days.Has(date.Weekday()) {
				exceptions++
			}
		}
		fewest = min(fewest, exceptions)
	}
	return fewest
}

func TestCalendarOfDatesOfATimetable(t *testing.T) {
	t.Parallel()
	list := slices.DeleteFunc(slices.Collect((&booking.Calendar{
		Days: workdays, From: date(t, "2026-12-01"), Until: date(t, "2026-12-31"),
	}).Departures(0, booking.LastDate)), func(d booking.Date) bool { return d == date(t, "2026-12-25") })
	list = append(list, date(t, "2026-12-20")) // a Sunday
	require.Equal(t, booking.Calendar{
		Days: workdays, From: date(t, "2026-12-01"), Until: date(t, "2026-12-31"),
		Exceptions: []booking.Exception{{Date: date(t, "2026-12-20"), Runs: true}, {Date: date(t, "2026-12-25")}},
	}, booking.CalendarOf(list))

	one := booking.CalendarOf(dates(t, "2026-12-24"))
	require.Equal(t, 1, bits.OnesCount8(uint8(one.Days)))
	require.True(t, one.Days.Has(time.Thursday))
	require.Zero(t, booking.CalendarOf(nil))
}
