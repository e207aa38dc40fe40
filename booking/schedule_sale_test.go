package booking_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

// moment returns the time in RFC 3339.
func moment(tb testing.TB, s string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(tb, err)
	return at
}

func TestHorizonMovesAtMidnightOfTheSchedule(t *testing.T) {
	t.Parallel()
	s := nightTrain(t)
	s.SoldDaysAhead = 2
	for _, c := range []struct{ now, from, to string }{
		{"2025-06-18T00:00:00+02:00", "2025-06-17", "2025-06-20"},
		{"2025-06-18T01:09:59+02:00", "2025-06-17", "2025-06-20"}, // the train of yesterday is in Hannover
		{"2025-06-18T01:10:00+02:00", "2025-06-18", "2025-06-20"},
		{"2025-06-18T23:59:59+02:00", "2025-06-18", "2025-06-20"},
		{"2025-06-18T22:00:00Z", "2025-06-18", "2025-06-21"},      // midnight in Berlin
		{"2025-10-26T01:09:59+01:00", "2025-10-26", "2025-10-28"}, // 02:09:59 in summer time
	} {
		from, to := s.SaleWindow(moment(t, c.now))
		require.Equal(t, [2]string{c.from, c.to}, [2]string{from.String(), to.String()}, c.now)
	}
	midnight := moment(t, "2025-06-18T22:00:00Z")
	require.False(t, s.Sold(date(t, "2025-06-21"), midnight.Add(-1)))
	require.True(t, s.Sold(date(t, "2025-06-21"), midnight))
	require.Equal(t, midnight, s.Train(date(t, "2025-06-21")).SalesOpenAt)

	s.Stops[1].Departs = at(t, "47:59") // the clock of the next night but one is an hour ahead
	from, _ := s.SaleWindow(moment(t, "2025-03-31T00:58:59+02:00"))
	require.Equal(t, date(t, "2025-03-29"), from)

	s.TimeZone, s.From, s.SoldDaysAhead = "America/Santiago", date(t, "2024-01-01"), 1
	opens := moment(t, "2024-09-08T01:00:00-03:00") // there was no midnight
	require.Equal(t, opens.UTC(), s.Train(date(t, "2024-09-09")).SalesOpenAt)
	require.True(t, s.Sold(date(t, "2024-09-09"), opens))
	require.False(t, s.Sold(date(t, "2024-09-09"), opens.Add(-1)))
}

// next returns the first date of Bookable.
func next(s *booking.Schedule, segment booking.Legs, now time.Time) (booking.Date, bool) {
	for date := range s.Bookable(segment, now) {
		return date, true
	}
	return 0, false
}

func TestTrainThatBeganDaysAgoIsSoldFromTheNextStop(t *testing.T) {
	t.Parallel()
	s := canadian(t)
	wednesday, sunday := date(t, "2025-06-18"), date(t, "2025-06-22")
	fromSaskatoon, whole := booking.Segment(2, 4), booking.Segment(0, 4)
	saturday := moment(t, "2025-06-21T00:29:59-06:00")
	for _, c := range []struct {
		segment booking.Legs
		now     time.Time
		next    booking.Date
	}{
		{whole, moment(t, "2025-06-18T09:54:59-04:00"), wednesday},
		{whole, moment(t, "2025-06-18T09:55:00-04:00"), sunday},
		{fromSaskatoon, saturday, wednesday},
		{fromSaskatoon, saturday.Add(time.Second), sunday},
		{booking.Segment(3, 4), saturday.Add(time.Second), wednesday},
	} {
		next, ok := next(s, c.segment, c.now)
		require.True(t, ok)
		require.Equal(t, c.next, next, "%s at %s", c.segment, c.now)
	}
	require.True(t, s.Sold(wednesday, saturday))
	require.False(t, s.Sold(wednesday+1, saturday), "a Thursday")
	s.SoldDaysAhead = 3
	_, ok := next(s, whole, moment(t, "2025-06-18T09:55:00-04:00"))
	require.False(t, ok, "Sunday is not on sale yet")
	s.SoldDaysAhead, s.OnSale = 30, false
	_, ok = next(s, whole, saturday)
	require.False(t, ok)
	require.False(t, s.Sold(wednesday, saturday))
}

func TestDepartureIsFoundByTheLocalDateAtTheStop(t *testing.T) {
	t.Parallel()
	s, night := canadian(t), nightTrain(t)
	early := nightTrain(t)
	early.Stops[0].Departs = at(t, "00:30")
	west, east := nightTrain(t), nightTrain(t) // stations 25 hours apart
	west.TimeZone, west.Stops[1] = "Pacific/Kiritimati", booking.StopTime{Station: "West", Departs: at(t, "24:30"), TimeZone: "Pacific/Pago_Pago"}
	east.TimeZone, east.Stops[1] = "Pacific/Pago_Pago", booking.StopTime{Station: "East", Departs: at(t, "23:30"), TimeZone: "Pacific/Kiritimati"}
	for _, c := range []struct {
		schedule *booking.Schedule
		stop     int
		local    string
		want     []booking.Date
		why      string
	}{
		{s, 0, "2025-06-18", dates(t, "2025-06-18"), ""},
		{s, 1, "2025-06-20", dates(t, "2025-06-18"), ""},
		{s, 2, "2025-06-20", nil, "it arrives before midnight, but leaves after it"},
		{s, 2, "2025-06-21", dates(t, "2025-06-18"), ""},
		{night, 0, "2025-06-18", dates(t, "2025-06-18"), ""},
		{night, 1, "2025-06-18", dates(t, "2025-06-17"), ""},
		{night, 1, "2025-01-01", nil, "that of the day before does not run"},
		{early, 0, "2025-03-29", dates(t, "2025-03-29", "2025-03-30"), "half past midnight on the 30th is 23:30 on the 29th"},
		{early, 0, "2025-03-30", nil, "so that none leaves on the 30th"},
		{west, 1, "2025-06-18", dates(t, "2025-06-19"), "it is 23:30 there"},
		{east, 1, "2025-06-18", dates(t, "2025-06-16"), "it is 00:30 there"},
	} {
		got := slices.Collect(c.schedule.LeavingOn(booking.Segment(c.stop, c.stop+1), date(t, c.local)))
		require.Equal(t, c.want, got, "%s, stop %d on %s: %s", c.schedule.Name, c.stop, c.local, c.why)
	}
}

func TestScheduleInAnUnknownZoneSellsNothing(t *testing.T) {
	t.Parallel()
	s := nightTrain(t)
	s.TimeZone = "Mars/Olympus"
	d, now := date(t, "2025-06-18"), moment(t, "2025-06-18T00:00:00Z")
	require.False(t, s.Sold(d, now))
	_, ok := next(s, booking.Segment(0, 2), now)
	require.False(t, ok)
	require.Empty(t, slices.Collect(s.LeavingOn(booking.Segment(0, 2), d)))
	require.Empty(t, slices.Collect(s.Departures(s.SaleWindow(now))))
}

// drawSchedule draws a schedule with a calendar of a few weeks around the clock changes of March 2025.
func drawSchedule(t *rapid.T) *booking.Schedule {
	zone := rapid.SampledFrom([]string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Toronto", "America/Santiago",
		"Africa/Cairo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC",
	})
	s := &booking.Schedule{
		ID: booking.DerivedScheduleID("drawn"), Name: "Drawn", Capacity: rapid.IntRange(1, 9).Draw(t, "capacity"),
		OnSale: rapid.IntRange(0, 3).Draw(t, "on sale") > 0, TimeZone: zone.Draw(t, "zone"), Calendar: drawCalendar(t),
		SoldDaysAhead: rapid.IntRange(0, 9).Draw(t, "days ahead"), CreatedAt: noon, UpdatedAt: noon,
	}
	stations := rapid.SampledFrom([][]string{{"A", "B"}, {"A", "B", "C"}, {"A", "C"}, {"a", "B", "C"}, {"A", "B", "C", "D"}}).Draw(t, "stations")
	now := time.Duration(0)
	pass := func(label string) booking.LocalTime {
		now += time.Duration(rapid.IntRange(0, 30*60).Draw(t, label)) * time.Minute
		return booking.LocalTimeOf(now)
	}
	for i, station := range stations {
		stop := booking.StopTime{Station: station}
		if i == len(stations)-1 || i > 0 && rapid.Bool().Draw(t, "has arrival") {
			stop.Arrives = pass("arrives")
		}
		if i == 0 || i < len(stations)-1 && rapid.Bool().Draw(t, "has departure") {
			stop.Departs = pass("departs")
		}
		if rapid.IntRange(0, 2).Draw(t, "has zone") == 0 {
			stop.TimeZone = zone.Draw(t, "stop zone")
		}
		s.Stops = append(s.Stops, stop)
	}
	if days, added := s.Days, slices.ContainsFunc(s.Exceptions, func(e booking.Exception) bool { return e.Runs }); days == 0 && !added {
		s.Days = booking.EveryDay
	}
	clean, err := s.Clean()
	require.NoError(t, err)
	return &clean
}

// Each train of a few months is computed and asked, which a search would never do.
func TestSaleAgreesWithEveryTrainOfTheSchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchedule(t)
		board := rapid.IntRange(0, len(s.Stops)-2).Draw(t, "board")
		segment := booking.Segment(board, len(s.Stops)-1)
		now := booking.Date(1890).Begins(time.UTC).Add(time.Duration(rapid.IntRange(0, 80*24*3600).Draw(t, "now")) * time.Second)
		local := booking.Date(rapid.IntRange(1895, 1970).Draw(t, "local date"))
		from, to := s.SaleWindow(now)
		var leaving []booking.Date
		var bookable []booking.Date
		for d := booking.Date(1870); d < 1990; d++ {
			train := s.Train(d)
			require.Equal(t, train.Departure(segment), s.Departure(segment, d))
			opened := !now.Before(train.SalesOpenAt)
			require.Equal(t, opened && !train.SaleEnded(now), from <= d && d <= to, "%s in the window at %s", d, now)
			require.Equal(t, train.Sells(now) && !train.SaleEnded(now), s.Sold(d, now), "%s sold at %s", d, now)
			if train.Sells(now) && !train.Departed(segment, now) {
				bookable = append(bookable, d)
			}
			if s.Runs(d) && booking.DateOf(train.Departure(segment)) == local {
				leaving = append(leaving, d)
			}
		}
		require.Equal(t, bookable, slices.Collect(s.Bookable(segment, now)), "bookable at %s", now)
		require.Equal(t, leaving, slices.Collect(s.LeavingOn(segment, local)), "leaving on %s", local)
	})
}

func TestScheduleWithoutDatesRunsOnTheOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchedule(t)
		var gone []booking.Date
		for range rapid.IntRange(0, 4).Draw(t, "dates") {
			gone = append(gone, booking.Date(rapid.IntRange(1870, 1990).Draw(t, "date")))
		}
		slices.Sort(gone)
		gone = slices.Compact(gone)
		before := slices.Clone(s.Exceptions)
		without, ended := s.Without(gone), s.Ended()
		require.Equal(t, before, s.Exceptions, "the schedule is not modified")
		for d := booking.Date(1870); d < 1990; d++ {
			require.Equal(t, s.Runs(d) && !slices.Contains(gone, d), without.Runs(d))
			require.False(t, ended.Runs(d))
		}
		left := slices.DeleteFunc(slices.Collect(s.Departures(1870, 1990)), func(d booking.Date) bool {
			return slices.Contains(gone, d)
		})
		require.True(t, slices.Equal(left, slices.Collect(without.Departures(1870, 1990))))
	})
}
