package gtfs_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

const usual = "Berlin 22:45 | Hannover 25:05 25:10 | Köln 27:30"

func TestTripBecomesASchedule(t *testing.T) {
	t.Parallel()
	got := small().train(t)
	require.Equal(t, usual, line(got.Stops))
	require.Equal(t, booking.Calendar{
		Days: booking.EveryDay, From: date(t, "2026-12-01"), Until: date(t, "2026-12-31"),
	}, got.Calendar)
	require.Equal(t, []any{"ICE 9", 400, true, "Europe/Berlin", 60}, []any{got.Name, got.Capacity, got.OnSale, got.TimeZone, got.SoldDaysAhead})
	require.True(t, got.ID.ImportedFrom("gtfs:DB Bahn"))
	clean, err := got.Clean()
	require.NoError(t, err)
	require.Equal(t, got.Schedule, clean)
}

// stopTimes returns a file with these rows, whose columns are trip, arrival, departure, stop, sequence,
// pickup and drop-off.
func stopTimes(rows ...string) string {
	text := "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
	for _, row := range rows {
		text += row + "\n"
	}
	return text
}

func TestOddFilesSayTheSame(t *testing.T) {
	t.Parallel()
	feed := small()
	for name, odd := range map[string]files{
		"byte order mark": feed.with("stops.txt", "\xef\xbb\xbf"+feed["stops.txt"]),
		"mark and quotes": feed.with("agency.txt", "\xef\xbb\xbf\"agency_id\",\"agency_name\",\"agency_timezone\"\nDB,Bahn,Europe/Berlin"),
		"CRLF":            feed.replace(t, "stop_times.txt", "\n", "\r\n").replace(t, "stops.txt", "\n", "\r\n"),
		"quoted fields":   feed.replace(t, "stops.txt", "h,Hannover", `"h","Hannover"`),
		"spaces":          feed.replace(t, "stops.txt", "h,Hannover", `h , "Hannover"`).replace(t, "stop_times.txt", "22:45:00", " 22:45:00 "),
		"empty lines":     feed.replace(t, "stops.txt", "\n", "\n\n"),
		"no last line":    feed.with("stops.txt", "stop_name,stop_id\nBerlin,b\nHannover,h\nKöln,k"),
		"column order": feed.with("trips.txt",
			"trip_short_name,unknown,trip_id,service_id,route_id\n9,x,t1,daily,R1\n"),
		"short rows":   feed.replace(t, "trips.txt", "Köln,9", "Köln,9,,,,"),
		"hours":        feed.replace(t, "stop_times.txt", "t1,,22:45:00", "t1,22:40:00,22:45:00"),
		"not in order": feed.with("stop_times.txt", stopTimes("t1,27:30:00,27:30:00,k,300", "t1,25:05:00,25:10:00,h,20", "t1,22:45:00,22:45:00,b,3")),
		"decomposed":   feed.replace(t, "stops.txt", "Köln", "Ko\u0308ln"),
		"control":      feed.replace(t, "stops.txt", "Köln", "\u200bKöln\u00a0\u0007"),
		"no agency id": feed.replace(t, "routes.txt", "R1,DB,", "R1,,"),
		"other agency": feed.replace(t, "routes.txt", "R1,DB,", "R1,XX,"),
		"empty files":  feed.with("frequencies.txt", "trip_id,start_time,end_time,headway_secs\n").with("calendar_dates.txt", "service_id,date,exception_type"),
		"dates alone": feed.with("calendar.txt", "").with("calendar_dates.txt", func() string {
			text := "service_id,date,exception_type\n"
			for d := date(t, "2026-12-31"); d >= date(t, "2026-12-01"); d-- {
				text += "daily," + compact(d) + ",1\n"
			}
			return text
		}()),
		"platforms": feed.with("stops.txt", "stop_id,stop_name,location_type,parent_station\n"+
			"b,Berlin Gleis 1,0,B\nB,Berlin,1,\nh,Gleis 7,0,H\nH,Hannover,1,\nk,Bereich A,4,k1\nk1,Gleis 4,0,K\nK,Köln,1,\n"),
		"unknown parent": feed.with("stops.txt", "stop_id,stop_name,parent_station\nb,Berlin,x\nh,Hannover,h\nk,Köln,\n"),
		"zone":           feed.with("stops.txt", "stop_id,stop_name,stop_timezone\nb,Berlin,\nh,Hannover,Europe/Berlin\nk,Köln,\n"),
		"both forbidden": feed.with("stop_times.txt", stopTimes("t1,22:45:00,22:45:00,b,1,0,0", "t1,25:05:00,25:10:00,h,2,,",
			"t1,26:00:00,26:00:00,p,3,1,1", "t1,27:30:00,27:30:00,k,4,,")),
		"by arrangement": feed.with("stop_times.txt", stopTimes("t1,22:45:00,22:45:00,b,1,2,2", "t1,25:05:00,25:10:00,h,2,3,3", "t1,27:30:00,27:30:00,k,4,,")),
		"usual ends":     feed.with("stop_times.txt", stopTimes("t1,22:45:00,22:45:00,b,1,0,1", "t1,25:05:00,25:10:00,h,2,,", "t1,27:30:00,27:30:00,k,4,1,0")),
	} {
		got := odd.train(t)
		require.Equal(t, usual, line(got.Stops), name)
		require.Equal(t, small().train(t), got, name)
	}
}

// compact returns the form 20261201.
func compact(d booking.Date) string {
	s := d.String()
	return s[:4] + s[5:7] + s[8:]
}

func TestStopsHaveTheTimesOfTheFeed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows []string
		want string
	}{
		"seconds":      {[]string{"t1,5:00:00,5:00:30,b,1", "t1,6:00:00,6:00:00,k,2"}, "Berlin 05:00:30 | Köln 06:00"},
		"interpolated": {[]string{"t1,,10:00:00,b,1", "t1,,,h,2", "t1,,,p,3", "t1,11:30:00,,k,4"}, "Berlin 10:00 | Hannover 10:30 10:30 | Paris 11:00 11:00 | Köln 11:30"},
		"one time":     {[]string{"t1,10:00:00,,b,1", "t1,10:30:00,,h,2", "t1,,11:00:00,p,3", "t1,,11:30:00,k,4"}, "Berlin 10:00 | Hannover 10:30 10:30 | Paris 11:00 11:00 | Köln 11:30"},
		"third night":  {[]string{"t1,,23:00:00,b,1", "t1,75:00:00,,k,2"}, "Berlin 23:00 | Köln 75:00"},
		"no boarding at the beginning": {
			[]string{"t1,9:00:00,9:00:00,b,1,1,0", "t1,10:00:00,10:01:00,h,2,0,1", "t1,11:00:00,11:00:00,k,3,0,0"}, "Hannover 10:01 | Köln 11:00",
		},
		"no leaving at the end": {
			[]string{"t1,9:00:00,9:00:00,b,1,0,0", "t1,10:00:00,10:01:00,h,2,1,0", "t1,11:00:00,11:00:00,k,3,0,1"}, "Berlin 09:00 | Hannover 10:00",
		},
		"one of both in between": {
			[]string{"t1,9:00:00,9:00:00,b,1,0,0", "t1,10:00:00,10:01:00,h,2,1,0", "t1,10:30:00,10:31:00,p,3,0,1", "t1,11:00:00,11:00:00,k,4,0,0"},
			"Berlin 09:00 | Köln 11:00",
		},
		"scattered rows": {
			[]string{"t1,9:00:00,9:00:00,b,1", "t0,9:00:00,9:00:00,b,1", "t1,11:00:00,11:00:00,k,3", "t0,9:00:00,9:00:00,h,2", "t1,10:00:00,10:01:00,h,2"},
			"Berlin 09:00 | Hannover 10:00 10:01 | Köln 11:00",
		},
	} {
		feed := small().with("stop_times.txt", stopTimes(c.rows...)).and("trips.txt", "R1,never,t0")
		require.Equal(t, c.want, line(feed.train(t).Stops), name)
	}
}

func TestStationHasItsTimeZone(t *testing.T) {
	t.Parallel()
	feed := small().with("stops.txt", "stop_id,stop_name,stop_timezone,parent_station\n"+
		"b,Berlin,,\nh,Gleis 1,Asia/Tokyo,H\nH,Hannover,,\nk,London,Europe/London,\n")
	require.Equal(t, "Berlin 22:45 | Hannover 25:05 25:10 | London 27:30 Europe/London", line(feed.train(t).Stops),
		"that of the platform counts for nothing")
}

func TestTrainsAreNamedByNumberRouteAndHeadsign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ route, headsign, number, want string }{
		{"R1,DB,ICE,Express,2", "Köln", "9", "ICE 9"},
		{"R1,DB,ICE,Express,2", "Köln", "ICE 9", "ICE 9"},
		{"R1,DB,,Express,2", "Köln", "9", "Express 9"},
		{"R1,DB,,,2", "Köln", "9", "9"},
		{"R1,DB,S1,Ring,2", "Flughafen", "", "S1 to Flughafen"},
		{"R1,DB,,Ring,2", "", "", "Ring to Köln"},
		{"R1,DB,,,2", "", "", "Train to Köln"},
		{"R1,DB,\"S1,\u00a0X\",,2", "\tA  B ", "", "S1, X to A B"},
	} {
		feed := small().with("routes.txt", "route_id,agency_id,route_short_name,route_long_name,route_type\n"+c.route+"\n").
			with("trips.txt", "route_id,service_id,trip_id,trip_headsign,trip_short_name\nR1,daily,t1,"+c.headsign+","+c.number+"\n")
		require.Equal(t, c.want, feed.train(t).Name)
	}
}

func TestWhatCannotBeSoldIsSkippedWithTheReason(t *testing.T) {
	t.Parallel()
	manyStops, manyTimes := small()["stops.txt"], []string{"t1,1:00:00,1:00:00,b,0"}
	for i := range booking.MaxStops {
		manyStops += fmt.Sprintf("s%d,Station %d\n", i, i)
		manyTimes = append(manyTimes, fmt.Sprintf("t1,2:00:00,2:00:00,s%d,%d", i, i+1))
	}
	feed := small()
	for name, c := range map[string]struct {
		feed   files
		reason gtfs.Reason
	}{
		"one stop":         {feed.with("stop_times.txt", stopTimes("t1,9:00:00,9:00:00,b,1")), gtfs.OneStop},
		"no stop":          {feed.with("stop_times.txt", stopTimes()), gtfs.OneStop},
		"nobody boards":    {feed.with("stop_times.txt", stopTimes("t1,9:00:00,9:00:00,b,1,1,0", "t1,9:30:00,9:30:00,k,2,0,0")), gtfs.OneStop},
		"repeated":         {feed.with("stop_times.txt", stopTimes("t1,9:00:00,9:00:00,b,1", "t1,9:30:00,9:30:00,k,2", "t1,9:50:00,9:50:00,b,3")), gtfs.Repeated},
		"equal names":      {feed.replace(t, "stops.txt", "Hannover", "KOLN"), gtfs.Repeated},
		"many stops":       {feed.with("stops.txt", manyStops).with("stop_times.txt", stopTimes(manyTimes...)), gtfs.TooManyStops},
		"unknown stop":     {feed.replace(t, "stop_times.txt", ",h,", ",x,"), gtfs.UnknownStop},
		"flexible stop":    {feed.replace(t, "stop_times.txt", ",h,", ",,"), gtfs.UnknownStop},
		"no first time":    {feed.replace(t, "stop_times.txt", "22:45:00", ""), gtfs.NoTimes},
		"no last time":     {feed.replace(t, "stop_times.txt", "27:30:00", ""), gtfs.NoTimes},
		"backwards":        {feed.replace(t, "stop_times.txt", "27:30:00", "22:00:00"), gtfs.Backwards},
		"leaves earlier":   {feed.replace(t, "stop_times.txt", "25:10:00", "25:00:00"), gtfs.Backwards},
		"malformed":        {feed.replace(t, "stop_times.txt", "25:10:00", "25:61:00"), gtfs.BadTime},
		"no time":          {feed.replace(t, "stop_times.txt", "25:10:00", "soon"), gtfs.BadTime},
		"eleven days":      {feed.replace(t, "stop_times.txt", "27:30:00", "264:00:00"), gtfs.BadTime},
		"no sequence":      {feed.replace(t, "stop_times.txt", ",h,2", ",h,"), gtfs.BadTime},
		"never":            {feed.replace(t, "calendar.txt", "1,1,1,1,1,1,1", "0,0,0,0,0,0,0"), gtfs.NoDates},
		"unknown service":  {feed.replace(t, "trips.txt", "daily", "weekly"), gtfs.NoDates},
		"removed":          {feed.replace(t, "calendar.txt", "20261231", "20261201").with("calendar_dates.txt", "service_id,date,exception_type\ndaily,20261201,2\n"), gtfs.NoDates},
		"until before":     {feed.replace(t, "calendar.txt", "20261231", "20261101"), gtfs.NoDates},
		"past":             {feed.replace(t, "calendar.txt", "20261201,20261231", "20261101,20261130"), gtfs.Ended},
		"before 2020":      {feed.replace(t, "calendar.txt", "20261201,20261231", "20170101,20191231"), gtfs.Ended},
		"unknown route":    {feed.replace(t, "trips.txt", "R1", "R2"), gtfs.UnknownRoute},
		"no station name":  {feed.replace(t, "stops.txt", "Köln", ""), "is refused: stops[2].station must not be empty"},
		"not UTF-8":        {feed.replace(t, "stops.txt", "Köln", "K\xf6ln"), "is refused: stops[2].station must be valid UTF-8"},
		"no letters":       {feed.replace(t, "stops.txt", "Köln", "-"), "is refused: stops[2].station must have a letter or digit"},
		"unknown zone":     {feed.replace(t, "agency.txt", "Europe/Berlin", "Europe/Bonn"), "is refused: time_zone must be the name of a time zone, such as Europe/Berlin"},
		"too many seats":   {feed.with("stops.txt", feed["stops.txt"]), ""},
		"frequency is bad": {feed.with("frequencies.txt", "trip_id,start_time,end_time,headway_secs\nt1,8:00:00,9:00:00,0\n"), gtfs.BadTime},
	} {
		o := options(t)
		if c.reason == "" {
			o.Capacities.Default, c.reason = 1_000_000, "is refused: capacity must be 1 to 20000"
		}
		table := read(t, c.feed.folder(t), o)
		require.Empty(t, slices.Collect(table.Trains()), name)
		require.Equal(t, []*gtfs.Count{{Reason: c.reason, Count: 1, Examples: []string{"t1"}}}, table.Report.Skipped.Sorted(), name)
		require.Equal(t, []int{1, 0, 0}, []int{table.Report.Trips, table.Report.Sold, table.Report.Trains}, name)
	}
}

func TestStopsThatAreLeftOutAreCounted(t *testing.T) {
	t.Parallel()
	feed := small().with("stop_times.txt", stopTimes("t1,9:00:00,9:00:00,b,1,1,0", "t1,10:00:00,10:01:00,h,2", "t1,11:00:00,11:00:00,k,3", "t1,12:00:00,12:00:00,p,4,1,1"))
	table := read(t, feed.folder(t), options(t))
	require.Equal(t, []*gtfs.Count{
		{Reason: gtfs.NoCalling, Count: 1, Examples: []string{"t1"}}, {Reason: gtfs.NoBoarding, Count: 1, Examples: []string{"t1"}},
	}, table.Report.LeftOut.Sorted())
}

func TestFrequenciesAreTrains(t *testing.T) {
	t.Parallel()
	for _, exact := range []string{"0", "1"} {
		feed := small().with("frequencies.txt", "trip_id,start_time,end_time,headway_secs,exact_times\n"+
			"t1,08:00:00,09:30:00,1800,"+exact+"\nt1,24:00:00,24:00:01,600,"+exact+"\n")
		table := read(t, feed.folder(t), options(t))
		var lines []string
		ids := map[booking.ScheduleID]bool{}
		for train := range table.Trains() {
			lines = append(lines, train.Name+": "+line(train.Stops))
			ids[train.ID] = true
		}
		require.Equal(t, []string{
			"ICE 9: Berlin 08:00 | Hannover 10:20 10:25 | Köln 12:45",
			"ICE 9: Berlin 08:30 | Hannover 10:50 10:55 | Köln 13:15",
			"ICE 9: Berlin 09:00 | Hannover 11:20 11:25 | Köln 13:45",
			"ICE 9: Berlin 24:00 | Hannover 26:20 26:25 | Köln 28:45",
		}, lines)
		require.Len(t, ids, 4)
		require.Equal(t, []int{1, 1, 4}, []int{table.Report.Trips, table.Report.Sold, table.Report.Trains})
	}
}
