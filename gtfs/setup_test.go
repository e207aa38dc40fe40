package gtfs_test

import (
	"archive/zip"
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// files are the files of a feed.
type files map[string]string

// small returns a feed with one trip, whose files each test changes.
func small() files {
	return files{
		"agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nDB,Bahn,https://example.org,Europe/Berlin\n",
		"stops.txt": "stop_id,stop_name\n" +
			"b,Berlin\nh,Hannover\nk,Köln\np,Paris\n",
		"routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type\nR1,DB,ICE,InterCity Express,2\n",
		"trips.txt":  "route_id,service_id,trip_id,trip_headsign,trip_short_name\nR1,daily,t1,Köln,9\n",
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
			"t1,,22:45:00,b,1\nt1,25:05:00,25:10:00,h,2\nt1,27:30:00,,k,3\n",
		"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n" +
			"daily,1,1,1,1,1,1,1,20261201,20261231\n",
	}
}

// with returns the files with one that is replaced, or removed if it is "".
func (f files) with(name, text string) files {
	f = maps.Clone(f)
	if f[name] = text; text == "" {
		delete(f, name)
	}
	return f
}

// and returns the files with lines at the end of one.
func (f files) and(name string, lines ...string) files {
	return f.with(name, f[name]+strings.Join(lines, "\n")+"\n")
}

// replace returns the files with a text replaced in one.
func (f files) replace(tb testing.TB, name, before, after string) files {
	tb.Helper()
	require.Contains(tb, f[name], before)
	return f.with(name, strings.ReplaceAll(f[name], before, after))
}

func (f files) open() (*gtfs.Feed, error) {
	folder := fstest.MapFS{}
	for name, text := range f {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return gtfs.OpenFolder(folder)
}

func (f files) folder(tb testing.TB) *gtfs.Feed {
	tb.Helper()
	feed, err := f.open()
	require.NoError(tb, err)
	return feed
}

// zip returns the files as an archive, in a folder of it.
func (f files) zip(tb testing.TB, folder string) []byte {
	tb.Helper()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		w, err := archive.Create(folder + name)
		require.NoError(tb, err)
		_, err = w.Write([]byte(f[name]))
		require.NoError(tb, err)
	}
	require.NoError(tb, archive.Close())
	return b.Bytes()
}

func openZip(b []byte) (*gtfs.Feed, error) { return gtfs.OpenZip(bytes.NewReader(b), int64(len(b))) }

func date(tb testing.TB, s string) booking.Date {
	tb.Helper()
	d, err := booking.ParseDate(s)
	require.NoError(tb, err)
	return d
}

// options are those of most tests.
func options(tb testing.TB) gtfs.Options {
	tb.Helper()
	return gtfs.Options{Today: date(tb, "2026-12-01"), Capacities: gtfs.Capacities{Default: 400}, SoldDaysAhead: 60}
}

func read(tb testing.TB, feed *gtfs.Feed, o gtfs.Options) *gtfs.Timetable {
	tb.Helper()
	table, err := gtfs.Read(tb.Context(), feed, o)
	require.NoError(tb, err)
	return table
}

// trains returns the trains of a feed.
func (f files) trains(tb testing.TB, o gtfs.Options) []gtfs.Train {
	tb.Helper()
	return slices.Collect(read(tb, f.folder(tb), o).Trains())
}

// train returns the only train of a feed.
func (f files) train(tb testing.TB) gtfs.Train {
	tb.Helper()
	table := read(tb, f.folder(tb), options(tb))
	trains := slices.Collect(table.Trains())
	require.Len(tb, trains, 1, "%+v", table.Report)
	return trains[0]
}

// line returns the stops of a train in short: "Berlin 22:45 | Hannover 25:05 25:10 | Köln 27:30".
func line(stops []booking.StopTime) string {
	parts := make([]string, len(stops))
	for i, s := range stops {
		parts[i] = strings.Join(strings.Fields(s.Station+" "+s.Arrives.String()+" "+s.Departs.String()+" "+s.TimeZone), " ")
	}
	return strings.Join(parts, " | ")
}

// days returns the service days of a calendar.
func days(c *booking.Calendar) (list []string) {
	for d := range c.Departures(0, booking.LastDate) {
		list = append(list, d.String())
	}
	return list
}

func berlin(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(tb, err)
	return zone
}
