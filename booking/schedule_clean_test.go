package booking_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestCleanScheduleIsTrimmedAndInOrder(t *testing.T) {
	t.Parallel()
	given := nightTrain(t)
	given.Name, given.Stops[1].Station = " Nachtzu\u0308g ", "Mu\u0308nster\t"
	christmas, eve := date(t, "2025-12-25"), date(t, "2025-12-24")
	given.Exceptions = []booking.Exception{{Date: christmas}, {Date: eve, Runs: true}}
	clean, err := given.Clean()
	require.NoError(t, err)
	require.Equal(t, "Nachtz\u00fcg", clean.Name)
	require.Equal(t, "M\u00fcnster", clean.Stops[1].Station)
	require.Equal(t, []booking.Exception{{Date: eve, Runs: true}, {Date: christmas}}, clean.Exceptions)
	require.Equal(t, "Mu\u0308nster\t", given.Stops[1].Station, "the argument is not modified")
	require.Equal(t, christmas, given.Exceptions[0].Date, "the argument is not modified")
	again, err := clean.Clean()
	require.NoError(t, err)
	require.Equal(t, clean, again)
}

func TestCleanReportsEveryInvalidFieldOfASchedule(t *testing.T) {
	t.Parallel()
	const (
		bounds  = "must be 2020-01-02 to 2199-06-06"
		zone    = "must be the name of a time zone, such as Europe/Berlin"
		order   = "must not be before an earlier time of the train"
		missing = "must be given: trains depart from their first stop and arrive at their last"
		extra   = "must not be given: trains only depart from their first stop and only arrive at their last"
		late    = "must be 00:00 to 240:00"
		outside = "must be within from and until: move those, or remove the exception"
		noDays  = "must have a day, unless exceptions have a date on which it runs"
	)
	type fields = map[string]string
	for name, c := range map[string]struct {
		change func(*booking.Schedule)
		fields fields
	}{
		"a departure's id": {
			func(s *booking.Schedule) { s.ID[13] = 1 }, fields{"id": "must be a UUID whose last 8 digits are 0"},
		},
		"rules of trains": {
			func(s *booking.Schedule) {
				s.Name, s.Capacity, s.Stops[1].Station, s.Stops[2].Station = "", 0, "a\x00b", "BERLIN"
			},
			fields{
				"name": "must not be empty", "capacity": "must be 1 to 20000",
				"stops[1].station": "must not contain control characters", "stops[2].station": "is the same station as stops[0]",
			},
		},
		"one stop":     {func(s *booking.Schedule) { s.Stops = s.Stops[:1] }, fields{"stops": "must be 2 to 64"}},
		"65 stops":     {func(s *booking.Schedule) { s.Stops = make([]booking.StopTime, 65) }, fields{"stops": "must be 2 to 64"}},
		"no zone":      {func(s *booking.Schedule) { s.TimeZone = "" }, fields{"time_zone": zone}},
		"unknown zone": {func(s *booking.Schedule) { s.TimeZone = "Europe/Bonn" }, fields{"time_zone": zone}},
		"local zone":   {func(s *booking.Schedule) { s.TimeZone = "Local" }, fields{"time_zone": zone}},
		"zone of the machine": {
			func(s *booking.Schedule) { s.TimeZone = "localtime" }, fields{"time_zone": zone},
		},
		"leap seconds": {func(s *booking.Schedule) { s.TimeZone = "right/UTC" }, fields{"time_zone": zone}},
		"a file":       {func(s *booking.Schedule) { s.TimeZone = "../zoneinfo/UTC" }, fields{"time_zone": zone}},
		"a folder":     {func(s *booking.Schedule) { s.TimeZone = "Europe" }, fields{"time_zone": zone}},
		"unknown zone of a stop": {
			func(s *booking.Schedule) { s.Stops[1].TimeZone = "Local" }, fields{"stops[1].time_zone": zone},
		},
		"no days": {func(s *booking.Schedule) { s.Days = 0 }, fields{"days": noDays}},
		"no days, but a date without service": {
			func(s *booking.Schedule) { s.Days, s.Exceptions = 0, []booking.Exception{{Date: s.From}} }, fields{"days": noDays},
		},
		"an eighth day": {func(s *booking.Schedule) { s.Days = 1 << 7 }, fields{"days": "must be days of the week"}},
		"no dates":      {func(s *booking.Schedule) { s.From, s.Until = 0, 0 }, fields{"from": bounds, "until": bounds}},
		"too late":      {func(s *booking.Schedule) { s.Until = booking.LastDate + 1 }, fields{"until": bounds}},
		"ends early":    {func(s *booking.Schedule) { s.Until = s.From - 1 }, fields{"until": "must not be before from"}},
		"exceptions": {
			func(s *booking.Schedule) {
				s.Exceptions = []booking.Exception{{Date: s.From - 1}, {Date: s.From}, {Date: s.From, Runs: true}, {Date: s.Until + 1}}
			},
			fields{"exceptions[0].date": outside, "exceptions[2].date": "is the same date as exceptions[1]", "exceptions[3].date": outside},
		},
		"too many exceptions": {
			func(s *booking.Schedule) { s.Exceptions = make([]booking.Exception, booking.MaxExceptions+1) },
			fields{"exceptions": "must be at most 1000"},
		},
		"sold before today": {func(s *booking.Schedule) { s.SoldDaysAhead = -1 }, fields{"sold_days_ahead": "must be 0 to 730"}},
		"sold in years":     {func(s *booking.Schedule) { s.SoldDaysAhead = 731 }, fields{"sold_days_ahead": "must be 0 to 730"}},
		"no first and last time": {
			func(s *booking.Schedule) {
				s.Stops[0].Departs, s.Stops[2].Arrives = booking.LocalTime{}, booking.LocalTime{}
			},
			fields{"stops[0].departs": missing, "stops[2].arrives": missing},
		},
		"times beyond its ends": {
			func(s *booking.Schedule) { s.Stops[0].Arrives, s.Stops[2].Departs = at(t, "22:00"), at(t, "31:00") },
			fields{"stops[0].arrives": extra, "stops[2].departs": extra},
		},
		"back in time": {
			func(s *booking.Schedule) {
				s.Stops[1].Arrives, s.Stops[1].Departs, s.Stops[2].Arrives = at(t, "22:44"), at(t, "22:43"), at(t, "22:42:59")
			},
			fields{"stops[1].arrives": order, "stops[1].departs": order, "stops[2].arrives": order},
		},
		"after ten days": {func(s *booking.Schedule) { s.Stops[2].Arrives = at(t, "240:00:01") }, fields{"stops[2].arrives": late}},
		"before the day": {
			func(s *booking.Schedule) { s.Stops[0].Departs = booking.LocalTimeOf(-time.Second) }, fields{"stops[0].departs": late},
		},
		"all at once": {
			func(s *booking.Schedule) {
				s.Name, s.TimeZone, s.Days, s.From, s.SoldDaysAhead, s.Stops[2].Arrives = "", "x", 0, 0, -1, at(t, "1:00")
				s.Exceptions = []booking.Exception{{Date: -1}}
			},
			fields{
				"name": "must not be empty", "time_zone": zone, "days": noDays, "from": bounds,
				"sold_days_ahead": "must be 0 to 730", "stops[2].arrives": order,
			},
		},
	} {
		s := nightTrain(t)
		c.change(s)
		clean, err := s.Clean()
		require.Zero(t, clean, name)
		var e *booking.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, booking.CodeInvalidRequest, e.Code, name)
		require.Equal(t, c.fields, e.Fields, name)
	}
}

func TestSchedulesAtTheBoundsAreClean(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*booking.Schedule){
		"no id yet":   func(s *booking.Schedule) { s.ID = booking.ScheduleID{} },
		"all dates":   func(s *booking.Schedule) { s.From, s.Until = booking.FirstDate, booking.LastDate },
		"one date":    func(s *booking.Schedule) { s.Until = s.From },
		"dates alone": func(s *booking.Schedule) { s.Days, s.Exceptions = 0, []booking.Exception{{Date: s.From, Runs: true}} },
		"today only":  func(s *booking.Schedule) { s.SoldDaysAhead = 0 },
		"two years":   func(s *booking.Schedule) { s.SoldDaysAhead = booking.MaxSoldDaysAhead },
		"ten days":    func(s *booking.Schedule) { s.Stops[0].Departs, s.Stops[2].Arrives = at(t, "00:00"), at(t, "240:00") },
		"all at once": func(s *booking.Schedule) {
			s.Stops[1].Arrives, s.Stops[1].Departs, s.Stops[2].Arrives = s.Stops[0].Departs, s.Stops[0].Departs, s.Stops[0].Departs
		},
		"few times": func(s *booking.Schedule) {
			s.Stops[1].Arrives, s.Stops[1].Departs = booking.LocalTime{}, booking.LocalTime{}
		},
		"a short name of a zone": func(s *booking.Schedule) { s.TimeZone = "UTC" },
		"64 stops": func(s *booking.Schedule) {
			for i := len(s.Stops); i < booking.MaxStops; i++ {
				s.Stops = slices.Insert(s.Stops, 1, booking.StopTime{Station: fmt.Sprint("Stop ", i)})
			}
		},
		"exceptions": func(s *booking.Schedule) {
			s.Until = s.From + booking.MaxExceptions
			for d := s.From; d < s.Until; d++ {
				s.Exceptions = append(s.Exceptions, booking.Exception{Date: d})
			}
		},
	} {
		s := nightTrain(t)
		change(s)
		_, err := s.Clean()
		require.NoError(t, err, name)
	}
}

func TestNamesThatAScheduleHasAreNotRefused(t *testing.T) {
	t.Parallel()
	before, to := nightTrain(t), nightTrain(t)
	before.Name, before.Stops[1].Station = "\u3164", "Agra\u034f"
	to.Name, to.Stops[1].Station = "\u3164", "Agra\u034f"
	require.NoError(t, to.CheckNames(before))
	const unseen = "must not contain invisible characters"
	require.Equal(t, booking.Invalid(map[string]string{"name": unseen, "stops[1].station": unseen}), to.CheckNames(nil))
}

// FuzzScheduleClean checks that a clean schedule has departures that are clean trains.
func FuzzScheduleClean(f *testing.F) {
	f.Add("Night", "Europe/Berlin", uint8(127), int32(1915), int32(2000), int32(1920), "A|B|C", int32(80_000), int32(90_000), int32(95_000))
	f.Add("", "Local", uint8(0), int32(-1), int32(70_000), int32(0), "", int32(-1), int32(0), int32(0))
	f.Add("x", "../x", uint8(255), int32(3), int32(1), int32(2), "ß|SS", int32(9), int32(8), int32(7))
	f.Fuzz(func(t *testing.T, name, zone string, days uint8, from, until, exception int32, stations string, departs, passes, arrives int32) {
		local := func(seconds int32) booking.LocalTime {
			return booking.LocalTimeOf(time.Duration(seconds) * time.Second)
		}
		s := booking.Schedule{
			ID: booking.DerivedScheduleID(name), Name: name, Capacity: 1, OnSale: true, TimeZone: zone,
			Calendar: booking.Calendar{
				Days: booking.Weekdays(days), From: booking.Date(from), Until: booking.Date(until),
				Exceptions: []booking.Exception{{Date: booking.Date(exception), Runs: true}},
			},
		}
		for _, station := range strings.Split(stations, "|") {
			s.Stops = append(s.Stops, booking.StopTime{Station: station})
		}
		s.Stops[0].Departs, s.Stops[len(s.Stops)/2].Arrives, s.Stops[len(s.Stops)-1].Arrives = local(departs), local(passes), local(arrives)
		clean, err := s.Clean()
		if err != nil {
			var e *booking.Error
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Fields)
			return
		}
		again, err := clean.Clean()
		require.NoError(t, err)
		require.Equal(t, clean, again, "idempotent")
		for d := range clean.Departures(booking.FirstDate, booking.LastDate) {
			train := clean.Train(d)
			_, err := train.Clean()
			require.NoError(t, err)
			require.True(t, train.ID.Valid() && train.OnSale)
			break
		}
	})
}
