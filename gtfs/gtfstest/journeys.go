// Package gtfstest computes from the text of a feed alone which trains leave a station for another on a date,
// by the rules of GTFS. It uses neither package gtfs nor booking, so that tests can compare these with it.
package gtfstest

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Path returns the path of a feed of a railway that is kept beside the project, or beside a folder around it,
// or "" if it is not there.
func Path(name string) string {
	for folder, err := filepath.Abs("."); err == nil && folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		path := filepath.Join(filepath.Dir(folder), "shared", "data", "gtfs", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// Journey is from one station to another, on a date of the clock where it begins.
type Journey struct{ Date, From, To string }

// Journeys are the moments at which trains leave, in seconds since 1970 and ascending.
type Journeys map[Journey][]int64

// Add adds a moment, in any order before Sort.
func (j Journeys) Add(date, from, to string, at time.Time) {
	key := Journey{date, from, to}
	j[key] = append(j[key], at.Unix())
}

// Sort orders the moments, and returns the journeys.
func (j Journeys) Sort() Journeys {
	for _, moments := range j {
		slices.Sort(moments)
	}
	return j
}

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

// Departures returns all journeys that begin on the dates, as a feed says whose service days are moved by
// some weeks.
func Departures(tb testing.TB, feed fs.FS, weeks int, dates []string) Journeys {
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
	found := Journeys{}
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
					found.Add(local, station(from["stop_id"])["stop_name"], station(to["stop_id"])["stop_name"], at)
				}
			}
		}
	}
	return found.Sort()
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
