package booking_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

// date returns the date in the form 2026-12-01.
func date(tb testing.TB, s string) booking.Date {
	tb.Helper()
	d, err := booking.ParseDate(s)
	require.NoError(tb, err)
	return d
}

func location(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return zone
}

func TestDateIsADayNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]booking.Date{
		"2019-12-31": -1,
		"2020-01-01": 0,
		"2020-01-02": booking.FirstDate,
		"2020-02-29": 59,
		"2021-01-01": 366,
		"2199-06-06": booking.LastDate,
		"0000-01-01": -737_790, // 2020 years of the Gregorian calendar
	} {
		require.Equal(t, want, date(t, text), text)
		require.Equal(t, text, want.String())
	}
	for d, valid := range map[booking.Date]bool{-1: false, 0: false, 1: true, 65_535: true, 65_536: false} {
		require.Equal(t, valid, d.Valid(), "%s", d)
	}
}

func TestDateHasAWeekday(t *testing.T) {
	t.Parallel()
	require.Equal(t, time.Wednesday, date(t, "2020-01-01").Weekday())
	require.Equal(t, time.Tuesday, date(t, "2019-12-31").Weekday())
	require.Equal(t, time.Sunday, date(t, "2025-03-30").Weekday())
	rapid.Check(t, func(t *rapid.T) {
		d := booking.Date(rapid.IntRange(-100_000, 100_000).Draw(t, "date"))
		require.Equal(t, time.Date(2020, 1, 1+int(d), 0, 0, 0, 0, time.UTC).Weekday(), d.Weekday())
	})
}

func TestDateOfATimeIsTheOneOnItsClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 18, 30, 0, 0, time.UTC)
	require.Equal(t, date(t, "2026-11-30"), booking.DateOf(at))
	require.Equal(t, date(t, "2026-12-01"), booking.DateOf(at.In(location(t, "Asia/Kolkata"))))
	require.Equal(t, date(t, "2026-11-30"), booking.DateOf(at.Add(-1).In(location(t, "Asia/Kolkata"))))
}

func TestDateIsTextInJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(date(t, "2026-12-01"))
	require.NoError(t, err)
	require.Equal(t, `"2026-12-01"`, string(text))
	var d booking.Date
	require.NoError(t, json.Unmarshal(text, &d))
	require.Equal(t, date(t, "2026-12-01"), d)
	require.ErrorIs(t, json.Unmarshal([]byte(`"2026-02-29"`), &d), booking.ErrMalformedDate)
}

func TestMalformedDatesAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "2026", "2026-12", "2026-1-02", "2026-01-2", "20261201", "2026-12-01 ", "2026/12/01", "12026-12-01",
		"2026-13-01", "2026-00-01", "2026-12-32", "2026-12-00", "2025-02-29", "2100-02-29", "2026-12-01T00:00:00Z", "today",
	} {
		_, err := booking.ParseDate(s)
		require.ErrorIs(t, err, booking.ErrMalformedDate, "%q", s)
	}
}

func TestDateBeginsAtItsFirstMoment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, date, begins, why string }{
		{"Asia/Kolkata", "2025-12-01", "2025-12-01T00:00:00+05:30", ""},
		{"Europe/Berlin", "2025-03-30", "2025-03-30T00:00:00+01:00", "the clock changes later"},
		{"Europe/Berlin", "2025-10-26", "2025-10-26T00:00:00+02:00", "the clock changes later"},
		{"America/Santiago", "2024-09-08", "2024-09-08T01:00:00-03:00", "there was no midnight"},
		{"America/Santiago", "2024-04-07", "2024-04-07T00:00:00-04:00", "Saturday had its last hour twice"},
		{"America/Havana", "2024-03-10", "2024-03-10T01:00:00-04:00", "there was no midnight"},
		{"America/Havana", "2024-11-03", "2024-11-03T00:00:00-04:00", "its first hour came twice"},
		{"Africa/Cairo", "2024-04-26", "2024-04-26T01:00:00+03:00", "there was no midnight, east of Greenwich"},
		{"Africa/Cairo", "2024-11-01", "2024-11-01T00:00:00+02:00", "Thursday had its last hour twice"},
		{"Atlantic/Azores", "2024-10-27", "2024-10-27T00:00:00Z", "its first hour came twice"},
	} {
		begins := date(t, c.date).Begins(location(t, c.zone))
		require.Equal(t, c.begins, begins.Format(time.RFC3339), "%s in %s: %s", c.date, c.zone, c.why)
	}
}

func TestMomentBeforeADateIsOfTheDayBefore(t *testing.T) {
	t.Parallel()
	zones := []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago",
		"America/Havana", "Africa/Cairo", "Asia/Beirut", "Atlantic/Azores", "Pacific/Kiritimati", "Pacific/Chatham", "UTC",
	}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		d := booking.Date(rapid.IntRange(1, 20_000).Draw(t, "date"))
		begins := d.Begins(zone)
		require.Equal(t, d, booking.DateOf(begins), "%s begins", d)
		require.Equal(t, d-1, booking.DateOf(begins.Add(-1)), "%s ends", d-1)
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-12-01", "2024-02-29", "0000-01-01", "9999-12-31", "2026-02-30", "-001-01-01", "2026-12-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := booking.ParseDate(s)
		if err != nil {
			require.ErrorIs(t, err, booking.ErrMalformedDate)
			require.Zero(t, d)
			return
		}
		require.Equal(t, s, d.String(), "one date has one spelling")
	})
}
