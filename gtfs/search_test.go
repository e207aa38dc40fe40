package gtfs_test

import (
	"archive/zip"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// What follows up to departuresOf computes the departures of a feed from its text alone, by the rules of
// GTFS: it uses neither this package nor booking.

// rows returns the rows of a file of a feed, by column.
func rows(tb testing.TB, feed fs.FS, name string) (list []map[string]string) {
	tb.Helper()
	file, err := feed.Open(name)
	require.NoError(tb, err)
	defer file.Close() //nolint:errcheck // it was read
	all, err := csv.NewReader(file).ReadAll()
	require.NoError(tb, err)
	for _, fields := range all[1:] {
		row := map[string]string{}
		for i, column := range all[0] {
			row[strings.TrimPrefix(column, "\ufeff")] = fields[i]
		}
		list = append(list, row)
	}
	return list
}

// seconds returns the seconds of a time such as 25:10:00.
func seconds(tb testing.TB, s string) int {
	tb.Helper()
	sum := 0
	for _, part := range strings.Split(s, ":") {
		n, err := strconv.Atoi(part)
		require.NoError(tb, err)
		sum = sum*60 + n
	}
	return sum
}

// journeys are the moments at which trains leave, by "date: station → station".
type journeys map[string][]int64

func (j journeys) sorted() journeys {
	for _, moments := range j {
		slices.Sort(moments)
	}
	return j
}

func journey(date, from, to string) string { return fmt.Sprintf("%s: %s → %s", date, from, to) }

// runsOn reports whether a service runs on a day of the feed.
func runsOn(calendar, exceptions []map[string]string, service string, day time.Time) bool {
	text := day.Format("20060102")
	runs := false
	for _, row := range calendar {
		if row["service_id"] == service && row["start_date"] <= text && text <= row["end_date"] {
			runs = row[strings.ToLower(day.Weekday().String())] == "1"
		}
	}
	for _, row := range exceptions {
		if row["service_id"] == service && row["date"] == text {
			runs = row["exception_type"] == "1"
		}
	}
	return runs
}

// departuresOf returns all journeys that begin on the dates, as a feed says whose service days are moved by
// some weeks.
func departuresOf(tb testing.TB, feed fs.FS, weeks int, dates []string) journeys {
	tb.Helper()
	zone, err := time.LoadLocation(rows(tb, feed, "agency.txt")[0]["agency_timezone"])
	require.NoError(tb, err)
	stops := map[string]map[string]string{}
	for _, row := range rows(tb, feed, "stops.txt") {
		stops[row["stop_id"]] = row
	}
	station := func(id string) map[string]string {
		if parent, ok := stops[stops[id]["parent_station"]]; ok {
			return parent
		}
		return stops[id]
	}
	calls := map[string][]map[string]string{}
	for _, row := range rows(tb, feed, "stop_times.txt") {
		calls[row["trip_id"]] = append(calls[row["trip_id"]], row)
	}
	calendar, exceptions := rows(tb, feed, "calendar.txt"), rows(tb, feed, "calendar_dates.txt")
	found := journeys{}
	for _, trip := range rows(tb, feed, "trips.txt") {
		list := calls[trip["trip_id"]]
		sort.Slice(list, func(i, j int) bool {
			a, _ := strconv.Atoi(list[i]["stop_sequence"])
			b, _ := strconv.Atoi(list[j]["stop_sequence"])
			return a < b
		})
		for _, serviceDay := range aroundEach(tb, dates) {
			if !runsOn(calendar, exceptions, trip["service_id"], serviceDay.AddDate(0, 0, -7*weeks)) {
				continue
			}
			noon := time.Date(serviceDay.Year(), serviceDay.Month(), serviceDay.Day(), 12, 0, 0, 0, zone)
			for i, from := range list {
				at := noon.Add(-12*time.Hour + time.Duration(seconds(tb, from["departure_time"]))*time.Second)
				local := at.In(zoneOf(tb, station(from["stop_id"])["stop_timezone"], zone)).Format(time.DateOnly)
				if !slices.Contains(dates, local) {
					continue
				}
				for _, to := range list[i+1:] {
					key := journey(local, station(from["stop_id"])["stop_name"], station(to["stop_id"])["stop_name"])
					found[key] = append(found[key], at.Unix())
				}
			}
		}
	}
	return found.sorted()
}

func zoneOf(tb testing.TB, name string, otherwise *time.Location) *time.Location {
	tb.Helper()
	if name == "" {
		return otherwise
	}
	zone, err := time.LoadLocation(name)
	require.NoError(tb, err)
	return zone
}

// aroundEach returns the days from three before to one after each date, each once.
func aroundEach(tb testing.TB, dates []string) (days []time.Time) {
	tb.Helper()
	for _, s := range dates {
		day, err := time.Parse(time.DateOnly, s)
		require.NoError(tb, err)
		for i := -3; i <= 1; i++ {
			if d := day.AddDate(0, 0, i); !slices.Contains(days, d) {
				days = append(days, d)
			}
		}
	}
	return days
}

// found returns the journeys that a search of schedules by date finds: for every pair of stops, in order.
func found(tb testing.TB, table *gtfs.Timetable, dates []string) journeys {
	tb.Helper()
	all := journeys{}
	for train := range table.Trains() {
		for i := range train.Stops {
			for j := i + 1; j < len(train.Stops); j++ {
				segment := booking.Segment(i, j)
				for _, local := range dates {
					for day := range train.LeavingOn(segment, date(tb, local)) {
						key := journey(local, train.Stops[i].Station, train.Stops[j].Station)
						all[key] = append(all[key], train.Departure(segment, day).Unix())
					}
				}
			}
		}
	}
	return all.sorted()
}

// tenDates are a Wednesday with an extra train, a Saturday, a Sunday, two holidays, the days around both
// clock changes in America, and one clock change of Europe.
var tenDates = []string{
	"2026-06-17", "2026-06-20", "2026-06-21", "2026-07-01", "2026-10-25",
	"2026-10-31", "2026-11-01", "2026-11-02", "2026-12-22", "2027-03-14",
}

func TestSearchesByDateAgreeWithTheFeed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		feed   string
		weeks  int // 417 are 8 years less 3 days
		trips  int
		trains int
	}{
		"small":    {"testdata/small", 0, 9, 8},
		"Caltrain": {realFeed("caltrain.zip"), 417, 185, 155},
		"BART":     {realFeed("bart.zip"), 417, 2525, 1599},
	} {
		if c.feed == "" {
			t.Logf("%s is not beside the project", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, feed := openFeed(t, c.feed)
			o := options(t)
			o.Today, o.Weeks = date(t, "2026-06-01"), c.weeks
			table := read(t, feed, o)
			require.Equal(t, []int{c.trips, c.trips, c.trains}, []int{table.Report.Trips, table.Report.Sold, table.Report.Trains})
			require.Zero(t, table.Report.Skipped.Total()+table.Report.Rows.Total()+table.Report.LeftOut.Total())

			want, got := departuresOf(t, folder, c.weeks, tenDates), found(t, table, tenDates)
			require.NotEmpty(t, want)
			require.Equal(t, len(want), len(got))
			for pair, moments := range want {
				require.Equal(t, moments, got[pair], pair)
			}
		})
	}
}

// openFeed opens a feed for departuresOf and for Read.
func openFeed(tb testing.TB, path string) (fs.FS, *gtfs.Feed) {
	tb.Helper()
	if !strings.HasSuffix(path, ".zip") {
		feed, err := gtfs.OpenFolder(os.DirFS(path))
		require.NoError(tb, err)
		return os.DirFS(path), feed
	}
	archive, err := zip.OpenReader(path)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = archive.Close() })
	file, err := os.Open(path)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = file.Close() })
	stat, err := file.Stat()
	require.NoError(tb, err)
	feed, err := gtfs.OpenZip(file, stat.Size())
	require.NoError(tb, err)
	return archive, feed
}
