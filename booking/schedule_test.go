package booking_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// nightTrain runs every day of 2025 and 2026, from Berlin through the night.
func nightTrain(tb testing.TB) *booking.Schedule {
	tb.Helper()
	return &booking.Schedule{
		ID: booking.DerivedScheduleID("night"), Name: "Night", Capacity: 10, OnSale: true, TimeZone: "Europe/Berlin",
		Calendar:      booking.Calendar{Days: booking.EveryDay, From: date(tb, "2025-01-01"), Until: date(tb, "2026-12-31")},
		SoldDaysAhead: booking.DefaultSoldDaysAhead,
		Stops: []booking.StopTime{
			{Station: "Berlin", Departs: at(tb, "22:45")},
			{Station: "Hannover", Arrives: at(tb, "25:05"), Departs: at(tb, "25:10")},
			{Station: "Basel", Arrives: at(tb, "30:30"), TimeZone: "Europe/Zurich"},
		},
		CreatedAt: noon, UpdatedAt: noon.Add(time.Hour),
	}
}

// times returns the times of the train in RFC 3339: arrival and departure, of one stop after another.
func times(train booking.Train) (list []string) {
	for _, stop := range train.Stops {
		for _, at := range []time.Time{stop.ArrivesAt, stop.DepartsAt} {
			if !at.IsZero() {
				list = append(list, at.Format(time.RFC3339))
			}
		}
	}
	return list
}

// The times were worked out by hand: noon of the service day in UTC, minus twelve hours, plus the local
// time, and then the UTC offset at that moment.
func TestTimesCountFromTwelveHoursBeforeNoon(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, date, why string
		local, want     []string
	}{
		{
			"Europe/Berlin", "2025-12-01", "an ordinary day begins at midnight",
			[]string{"00:00", "06:00:30", "24:00", "25:10"},
			[]string{"2025-12-01T00:00:00+01:00", "2025-12-01T06:00:30+01:00", "2025-12-02T00:00:00+01:00", "2025-12-02T01:10:00+01:00"},
		},
		{
			"Europe/Berlin", "2025-03-30", "the clock goes forward at 02:00: noon is 10:00 UTC, and the day begins at 23:00",
			[]string{"00:30", "02:59", "03:00", "06:00", "25:10"},
			[]string{
				"2025-03-29T23:30:00+01:00", "2025-03-30T01:59:00+01:00", "2025-03-30T03:00:00+02:00",
				"2025-03-30T06:00:00+02:00", "2025-03-31T01:10:00+02:00",
			},
		},
		{
			"Europe/Berlin", "2025-03-29", "the night before it: the train arrives when its clock shows 07:00",
			[]string{"22:45", "25:30", "26:30", "30:00"},
			[]string{"2025-03-29T22:45:00+01:00", "2025-03-30T01:30:00+01:00", "2025-03-30T03:30:00+02:00", "2025-03-30T07:00:00+02:00"},
		},
		{
			"Europe/Berlin", "2025-10-26", "the clock goes back at 03:00: noon is 11:00 UTC, and the day begins at 01:00",
			[]string{"00:30", "01:30", "02:30", "06:00", "24:30"},
			[]string{
				"2025-10-26T01:30:00+02:00", "2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00",
				"2025-10-26T06:00:00+01:00", "2025-10-27T00:30:00+01:00",
			},
		},
		{
			"Europe/Berlin", "2025-10-25", "the night before it",
			[]string{"22:45", "26:30", "27:30", "30:00"},
			[]string{"2025-10-25T22:45:00+02:00", "2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00", "2025-10-26T05:00:00+01:00"},
		},
		{
			"America/New_York", "2025-03-09", "forward at 02:00: noon is 16:00 UTC",
			[]string{"00:30", "03:15", "24:00"},
			[]string{"2025-03-08T23:30:00-05:00", "2025-03-09T03:15:00-04:00", "2025-03-10T00:00:00-04:00"},
		},
		{
			"America/New_York", "2025-03-08", "the night before it",
			[]string{"23:00", "25:59", "26:30"},
			[]string{"2025-03-08T23:00:00-05:00", "2025-03-09T01:59:00-05:00", "2025-03-09T03:30:00-04:00"},
		},
		{
			"America/New_York", "2025-11-02", "back at 02:00: noon is 17:00 UTC",
			[]string{"00:30", "01:30", "08:00"},
			[]string{"2025-11-02T01:30:00-04:00", "2025-11-02T01:30:00-05:00", "2025-11-02T08:00:00-05:00"},
		},
		{
			"America/New_York", "2025-11-01", "the night before it",
			[]string{"23:00", "25:30", "26:30"},
			[]string{"2025-11-01T23:00:00-04:00", "2025-11-02T01:30:00-04:00", "2025-11-02T01:30:00-05:00"},
		},
		{
			"Australia/Lord_Howe", "2025-04-06", "back by half an hour at 02:00: noon is 01:30 UTC, and the day begins at 00:30",
			[]string{"00:15", "01:15", "01:30", "06:00"},
			[]string{"2025-04-06T00:45:00+11:00", "2025-04-06T01:45:00+11:00", "2025-04-06T01:30:00+10:30", "2025-04-06T06:00:00+10:30"},
		},
		{
			"Australia/Lord_Howe", "2025-10-05", "forward by half an hour at 02:00: noon is 01:00 UTC, and the day begins at 23:30",
			[]string{"00:15", "02:29", "02:30", "23:00"},
			[]string{"2025-10-04T23:45:00+10:30", "2025-10-05T01:59:00+10:30", "2025-10-05T02:30:00+11:00", "2025-10-05T23:00:00+11:00"},
		},
		{
			"Australia/Lord_Howe", "2025-10-04", "the night before it",
			[]string{"25:59", "26:00", "30:00"},
			[]string{"2025-10-05T01:59:00+10:30", "2025-10-05T02:30:00+11:00", "2025-10-05T06:30:00+11:00"},
		},
		{
			"Asia/Kolkata", "2025-12-01", "which never changes the clock",
			[]string{"16:25", "49:05"},
			[]string{"2025-12-01T16:25:00+05:30", "2025-12-03T01:05:00+05:30"},
		},
		{
			"America/Santiago", "2024-09-08", "forward at 00:00: noon is 15:00 UTC",
			[]string{"00:30", "01:00"},
			[]string{"2024-09-07T23:30:00-04:00", "2024-09-08T01:00:00-03:00"},
		},
	} {
		s := nightTrain(t)
		s.TimeZone, s.Stops = c.zone, []booking.StopTime{{Station: "first", Departs: at(t, c.local[0])}}
		for i, local := range c.local[1:] {
			s.Stops = append(s.Stops, booking.StopTime{Station: fmt.Sprint("stop ", i), Arrives: at(t, local)})
		}
		_, err := s.Clean()
		require.NoError(t, err)
		require.Equal(t, c.want, times(s.Train(date(t, c.date))), "%s on %s: %s", c.zone, c.date, c.why)
	}
}

// canadian is a train from Toronto to Vancouver, which are 4,466 km and three hours of the clock apart.
// Its times are those of Toronto, and Regina has no summer time.
func canadian(tb testing.TB) *booking.Schedule {
	tb.Helper()
	return &booking.Schedule{
		ID: booking.DerivedScheduleID("canadian"), Name: "Canadian", Capacity: 200, OnSale: true, TimeZone: "America/Toronto",
		Calendar: booking.Calendar{
			Days: booking.WeekdaysOf(time.Wednesday, time.Sunday), From: date(tb, "2025-01-01"), Until: date(tb, "2025-12-31"),
		},
		SoldDaysAhead: 30,
		Stops: []booking.StopTime{
			{Station: "Toronto", Departs: at(tb, "09:55")},
			{Station: "Winnipeg", Arrives: at(tb, "58:30"), Departs: at(tb, "60:00"), TimeZone: "America/Winnipeg"},
			{Station: "Saskatoon", Arrives: at(tb, "73:50"), Departs: at(tb, "74:30"), TimeZone: "America/Regina"},
			{Station: "Edmonton", Arrives: at(tb, "82:00"), Departs: at(tb, "83:00"), TimeZone: "America/Edmonton"},
			{Station: "Vancouver", Arrives: at(tb, "107:00"), TimeZone: "America/Vancouver"},
		},
	}
}

func TestTimesOfALongTrainHaveTheOffsetsOfItsStations(t *testing.T) {
	t.Parallel()
	s := canadian(t)
	for d, want := range map[string][]string{
		"2025-06-18": { // begins at 04:00 UTC
			"2025-06-18T09:55:00-04:00",
			"2025-06-20T09:30:00-05:00", "2025-06-20T11:00:00-05:00",
			"2025-06-20T23:50:00-06:00", "2025-06-21T00:30:00-06:00",
			"2025-06-21T08:00:00-06:00", "2025-06-21T09:00:00-06:00",
			"2025-06-22T08:00:00-07:00",
		},
		"2025-10-29": { // the clocks go back on the last night, between Edmonton and Vancouver
			"2025-10-29T09:55:00-04:00",
			"2025-10-31T09:30:00-05:00", "2025-10-31T11:00:00-05:00",
			"2025-10-31T23:50:00-06:00", "2025-11-01T00:30:00-06:00",
			"2025-11-01T08:00:00-06:00", "2025-11-01T09:00:00-06:00",
			"2025-11-02T07:00:00-08:00",
		},
		"2025-11-05": { // begins at 05:00 UTC
			"2025-11-05T09:55:00-05:00",
			"2025-11-07T09:30:00-06:00", "2025-11-07T11:00:00-06:00",
			"2025-11-08T00:50:00-06:00", "2025-11-08T01:30:00-06:00",
			"2025-11-08T08:00:00-07:00", "2025-11-08T09:00:00-07:00",
			"2025-11-09T08:00:00-08:00",
		},
	} {
		require.Equal(t, want, times(s.Train(date(t, d))), d)
	}
}

func TestDepartureIsATrainOfItsSchedule(t *testing.T) {
	t.Parallel()
	s := nightTrain(t)
	train := s.Train(date(t, "2025-06-18"))
	require.Equal(t, s.ID.Departure(date(t, "2025-06-18")), train.ID)
	require.Equal(t, []any{"Night", 10, true}, []any{train.Name, train.Capacity, train.OnSale})
	require.Equal(t, []time.Time{noon, noon.Add(time.Hour)}, []time.Time{train.CreatedAt, train.UpdatedAt})
	require.Equal(t, time.Date(2025, 4, 18, 22, 0, 0, 0, time.UTC), train.SalesOpenAt, "midnight in Berlin, 60 days before")
	clean, err := train.Clean()
	require.NoError(t, err)
	require.Equal(t, train, clean, "as a train that was created")
	for i := range train.Run().Count() {
		segment := booking.Segment(i, i+1)
		require.Equal(t, train.Departure(segment), s.Departure(segment, date(t, "2025-06-18")))
	}

	require.False(t, s.Train(date(t, "2027-01-01")).OnSale, "it does not run")
	s.OnSale = false
	require.False(t, s.Train(date(t, "2025-06-18")).OnSale)
}

func TestDepartureFromAStopWithoutTimesIsTheNextTimeThatIsGiven(t *testing.T) {
	t.Parallel()
	s := nightTrain(t)
	s.Stops = slices.Insert(s.Stops, 1, booking.StopTime{Station: "Stendal"}, booking.StopTime{Station: "Wolfsburg", Arrives: at(t, "24:20")})
	d := date(t, "2025-06-18")
	train := s.Train(d)
	for i := range len(s.Stops) - 1 {
		require.Equal(t, train.Departure(booking.Segment(i, i+1)), s.Departure(booking.Segment(i, i+1), d), "stop %d", i)
	}
	require.Equal(t, "2025-06-19T00:20:00+02:00", s.Departure(booking.Segment(1, 2), d).Format(time.RFC3339))
}

func TestDepartureInAnUnknownZoneIsNotOnSale(t *testing.T) {
	t.Parallel()
	s := nightTrain(t)
	s.TimeZone = "Mars/Olympus"
	d := date(t, "2025-06-18")
	train := s.Train(d)
	require.False(t, train.OnSale)
	require.Empty(t, times(train))

	s.TimeZone, s.Stops[2].TimeZone = "Europe/Berlin", "Mars/Olympus"
	require.Equal(t, "2025-06-19T06:30:00+02:00", s.Train(d).Stops[2].ArrivesAt.Format(time.RFC3339), "the moment is known")
}

func TestSchedulesAreTheSameWithEqualProperties(t *testing.T) {
	t.Parallel()
	one, other := nightTrain(t), nightTrain(t)
	other.ID, other.CreatedAt, other.UpdatedAt = booking.NewScheduleID(), time.Time{}, time.Time{}
	require.True(t, one.Same(other))
	for name, change := range scheduleChanges(t) {
		other := nightTrain(t)
		change(other)
		require.False(t, one.Same(other), name)
	}
}

// scheduleChanges change one property each.
func scheduleChanges(tb testing.TB) map[string]func(*booking.Schedule) {
	tb.Helper()
	return map[string]func(*booking.Schedule){
		"name":       func(s *booking.Schedule) { s.Name = "Day" },
		"capacity":   func(s *booking.Schedule) { s.Capacity++ },
		"on sale":    func(s *booking.Schedule) { s.OnSale = false },
		"zone":       func(s *booking.Schedule) { s.TimeZone = "Europe/Paris" },
		"days":       func(s *booking.Schedule) { s.Days = workdays },
		"from":       func(s *booking.Schedule) { s.From++ },
		"until":      func(s *booking.Schedule) { s.Until-- },
		"exception":  func(s *booking.Schedule) { s.Exceptions = []booking.Exception{{Date: s.From + 1}} },
		"days ahead": func(s *booking.Schedule) { s.SoldDaysAhead = 0 },
		"station":    func(s *booking.Schedule) { s.Stops[0].Station = "Potsdam" },
		"a time":     func(s *booking.Schedule) { s.Stops[0].Departs = at(tb, "22:46") },
		"stop zone":  func(s *booking.Schedule) { s.Stops[1].TimeZone = "Europe/London" },
		"stops":      func(s *booking.Schedule) { s.Stops = s.Stops[1:] },
	}
}

func TestStopTimesAreShortInJSON(t *testing.T) {
	t.Parallel()
	stops := nightTrain(t).Stops
	text, err := json.Marshal(stops)
	require.NoError(t, err)
	require.JSONEq(t, `[{"station":"Berlin","departs":"22:45"},{"station":"Hannover","arrives":"25:05","departs":"25:10"},
		{"station":"Basel","arrives":"30:30","time_zone":"Europe/Zurich"}]`, string(text))
	var got []booking.StopTime
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, stops, got)
}
