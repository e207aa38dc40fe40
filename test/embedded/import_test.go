package embedded_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs/gtfstest"
	"trainbooking.dev/test/processtest"
)

// feed is a timetable that is imported.
type feed struct {
	path  string
	files fs.FS
	zone  string
	// thursday is a day in the first half of the timetable, a Thursday.
	thursday  string
	dates     []string // days of the timetable on which something is special
	trips     int
	schedules int
}

// feeds are those of two railways, if they are beside the project, and a small one.
func feeds(t *testing.T) map[string]feed {
	t.Helper()
	small, err := filepath.Abs("../../gtfs/testdata/small")
	require.NoError(t, err)
	all := map[string]feed{"small": {
		small, os.DirFS(small), "Europe/Berlin", "2026-06-18",
		[]string{"2026-06-19", "2026-06-20", "2026-06-21", "2026-07-01", "2026-10-31", "2026-11-01", "2026-12-22"},
		9, 8,
	}}
	for name, f := range map[string]feed{
		// A game and an extra train, a holiday of the other half of the year, and days around them.
		"caltrain.zip": {
			thursday: "2018-06-14", trips: 185, schedules: 155,
			dates: []string{"2018-06-20", "2018-06-23", "2018-06-24", "2018-07-04", "2018-09-03", "2018-11-22", "2018-12-31"},
		},
		"bart.zip": {
			thursday: "2018-06-14", trips: 2525, schedules: 1599,
			dates: []string{"2018-06-20", "2018-06-23", "2018-06-24", "2018-07-04", "2018-09-03", "2018-11-22", "2018-12-25"},
		},
	} {
		if f.path = gtfstest.Path(name); f.path == "" {
			t.Logf("%s is not beside the project", name)
			continue
		}
		archive, err := zip.OpenReader(f.path)
		require.NoError(t, err)
		t.Cleanup(func() { _ = archive.Close() })
		f.files, f.zone = archive, "America/Los_Angeles"
		all[name] = f
	}
	return all
}

// weeks returns by how many weeks the timetable is moved, so that its Thursday is the first one that is two
// days ahead or more.
func (f *feed) weeks(t *testing.T) int {
	t.Helper()
	thursday, err := time.Parse(time.DateOnly, f.thursday)
	require.NoError(t, err)
	weeks := 0
	for time.Until(thursday.AddDate(0, 0, 7*weeks)) < 48*time.Hour {
		weeks++
	}
	return weeks
}

// tenDates returns the special days of the timetable after it was moved, the days of the clock changes of a
// year, and the day after the last of these.
func (f *feed) tenDates(t *testing.T) (dates []string) {
	t.Helper()
	first, err := time.Parse(time.DateOnly, f.thursday)
	require.NoError(t, err)
	for _, s := range f.dates {
		day, err := time.Parse(time.DateOnly, s)
		require.NoError(t, err)
		dates = append(dates, day.AddDate(0, 0, 7*f.weeks(t)).Format(time.DateOnly))
	}
	zone, err := time.LoadLocation(f.zone)
	require.NoError(t, err)
	day := first.AddDate(0, 0, 7*f.weeks(t))
	for changes := 0; changes < 2; day = day.AddDate(0, 0, 1) {
		begins := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
		if begins.AddDate(0, 0, 1).Sub(begins) != 24*time.Hour {
			dates = append(dates, day.Format(time.DateOnly))
			changes++
		}
	}
	return append(dates, day.Format(time.DateOnly))
}

// importFeed imports a feed and returns what it printed.
func importFeed(t *testing.T, f *feed, at, tokens string, args ...string) string {
	t.Helper()
	got := run(t, append([]string{
		"import", "gtfs", f.path, "--url", at, "--token-file", tokens, "--capacity", "3",
		"--shift-weeks", fmt.Sprint(f.weeks(t)), "--sold-days-ahead", "700",
	}, args...)...)
	require.Zero(t, got.Code, got.Err)
	require.Empty(t, got.Err, "standard error is no terminal")
	return got.Out
}

func TestImportedTrainsAreFoundAndBooked(t *testing.T) {
	t.Parallel()
	for name, f := range feeds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens := tokenFile(t)
			s := start(t, t.TempDir(), "--service-token-file", tokens)
			created := fmt.Sprintf("Schedules: %d created, 0 changed, 0 unchanged, 0 ended", f.schedules)
			dry := importFeed(t, &f, s.URL, tokens, "--dry-run")
			require.Equal(t, f.schedules, strings.Count(dry, "\ncreate ")+1)
			require.Contains(t, dry, created+" (nothing was changed: --dry-run).\n")
			first := importFeed(t, &f, s.URL, tokens)
			require.Contains(t, first, fmt.Sprintf(": %d of %d trips in %d schedules.\n", f.trips, f.trips, f.schedules))
			require.Contains(t, first, created+".\n")
			require.NotContains(t, first, "Skipped")
			require.Contains(t, importFeed(t, &f, s.URL, tokens, "--prune"),
				fmt.Sprintf("Schedules: 0 created, 0 changed, %d unchanged, 0 ended.\n", f.schedules))

			dates := f.tenDates(t)
			require.Len(t, dates, 10)
			if processtest.HasRaceDetector() && f.trips > 100 {
				dates = dates[8:] // the day of a clock change, and one more: ten take minutes
			}
			if processtest.HasRaceDetector() && f.trips > 1000 {
				dates = dates[:1] // 2,000 pairs of stations take half a minute each day
			}
			want := gtfstest.Departures(t, f.files, f.weeks(t), dates)
			got := searchAll(t, s.URL, dates)
			require.NotEmpty(t, want)
			require.Equal(t, len(want), len(got))
			for journey, moments := range want {
				require.Equal(t, moments, got[journey], journey)
			}
			bookAfterMidnight(t, s.URL, dates)
		})
	}
}

// searchAll searches for every pair of stations on every date, as passengers do.
func searchAll(t *testing.T, at string, dates []string) gtfstest.Journeys {
	t.Helper()
	schedules := schedulesOf(t, at)
	stations := stationsOf(schedules)
	passenger := processtest.NewClient(at)
	found, mu := gtfstest.Journeys{}, sync.Mutex{}
	group := errgroup.Group{}
	group.SetLimit(8)
	for _, date := range dates {
		for _, from := range stations {
			for _, to := range stations {
				if from == to {
					continue
				}
				group.Go(func() error {
					query := url.Values{"source": {from}, "destination": {to}, "date": {date}}
					got, err := passenger.Send("GET", "/train/get-trains/?"+query.Encode(), nil)
					if err != nil || got.Status != http.StatusOK {
						return fmt.Errorf("from %s to %s on %s: %v %w", from, to, date, got, err)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, moment := range departures(got.Body, schedules, from) {
						found.Add(date, from, to, moment)
					}
					return nil
				})
			}
		}
	}
	require.NoError(t, group.Wait())
	return found.Sort()
}

// departures returns when the trains of a search leave a station, each by its schedule and date.
func departures(body []byte, schedules map[booking.ScheduleID]*booking.Schedule, from string) (moments []time.Time) {
	for _, part := range bytes.Split(body, []byte(`{"train_id":"`))[1:] {
		id, err := booking.ParseTrainID(string(part[:36]))
		schedule, date, ok := id.Schedule()
		if err != nil || !ok {
			continue // so that it is missing
		}
		stops := schedules[schedule].Stops
		i := slices.IndexFunc(stops, func(s booking.StopTime) bool { return s.Station == from })
		moments = append(moments, schedules[schedule].Departure(booking.Segment(i, i+1), date))
	}
	return moments
}

func schedulesOf(t *testing.T, at string) map[booking.ScheduleID]*booking.Schedule {
	t.Helper()
	service, err := client.New(client.Options{URL: at})
	require.NoError(t, err)
	all := map[booking.ScheduleID]*booking.Schedule{}
	page := booking.PageRequest{Limit: booking.MaxPageLimit}
	for {
		got, err := service.ListSchedules(t.Context(), page)
		require.NoError(t, err)
		for _, status := range got.Items {
			all[status.ID] = status.Schedule
		}
		if page.After = got.Next; got.Next.IsZero() {
			return all
		}
	}
}

// stationsOf returns the stations at which schedules call.
func stationsOf(schedules map[booking.ScheduleID]*booking.Schedule) (names []string) {
	for _, schedule := range schedules {
		for _, stop := range schedule.Stops {
			names = append(names, stop.Station)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// bookAfterMidnight books a seat from a stop that a train leaves on the day after its service day.
func bookAfterMidnight(t *testing.T, at string, dates []string) {
	t.Helper()
	schedule, from := nightTrain(t, schedulesOf(t, at))
	date, err := booking.ParseDate(dates[0])
	require.NoError(t, err)
	for !schedule.Runs(date) {
		date++
	}
	departs := schedule.Departure(booking.Segment(from, from+1), date)
	require.Equal(t, date+1, booking.DateOf(departs), "it leaves after midnight")

	passenger := processtest.SignUp(t, at, "asha")
	locked := passenger.Must(t, http.StatusOK, "POST", "/train/book-ticket/", map[string]any{
		"train_id": schedule.ID.Departure(date), "seat_number": 2,
		"from": schedule.Stops[from].Station, "to": schedule.Stops[from+1].Station,
	})
	booked := passenger.Must(t, http.StatusOK, "POST", "/train/confirm-booking/",
		map[string]any{"seat_id": locked.SeatID, "hold_id": locked.HoldID})
	ticket := passenger.Must(t, http.StatusOK, "GET", "/v1/bookings/"+booked.BookingID, nil)
	require.Contains(t, string(ticket.Body), departs.Format(time.RFC3339))
}

// nightTrain returns a schedule, and a stop but the last that its trains leave between 24:00 and 36:00.
func nightTrain(
	t *testing.T, schedules map[booking.ScheduleID]*booking.Schedule,
) (schedule *booking.Schedule, stop int) {
	t.Helper()
	for _, schedule := range schedules {
		for i, stop := range schedule.Stops[:len(schedule.Stops)-1] {
			if at := stop.Departs.Offset(); stop.TimeZone == "" && 24*time.Hour <= at && at < 36*time.Hour {
				return schedule, i
			}
		}
	}
	t.Fatal("no train runs past midnight")
	return nil, 0
}

func TestImportNamesEveryWrongFlag(t *testing.T) {
	t.Parallel()
	unknown := processtest.TempFile(t, "route: {S9: 5}\n")
	small, err := filepath.Abs("../../gtfs/testdata/small")
	require.NoError(t, err)
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{nil, 2, []string{"expected import gtfs"}},
		{[]string{"gtfs"}, 2, []string{"missing argument FEED"}},
		{[]string{"gtfs", "a", "b"}, 2, []string{"unexpected argument b"}},
		{[]string{"gtfs", "a"}, 2, []string{"set either --url or --output yaml", "set either --capacity or --capacities"}},
		{
			[]string{"gtfs", "a", "-o", "json", "--prune", "--capacity", "-1", "--sold-days-ahead", "900", "--shift-weeks", "9999"},
			2,
			[]string{"--output json", "--prune", "--capacity -1", "--sold-days-ahead 900", "--shift-weeks 9999"},
		},
		{[]string{"gtfs", "a", "--url", "http://localhost:1", "--capacity", "1"}, 2, []string{"--url needs --token-file"}},
		{[]string{"gtfs", "a", "--url", "http://h", "--capacity", "1", "--class", "rail"}, 2, []string{"--class is for manifests"}},
		{[]string{"gtfs", "a", "-o", "yaml", "--capacity", "1", "--class", "Rail"}, 2, []string{"--class Rail must be small letters"}},
		{[]string{"gtfs", "a", "-o", "yaml", "--capacity", "1", "--today", "soon"}, 2, []string{"--today must be a date like 2026-12-01"}},
		{[]string{"gtfs", "a", "-o", "yaml", "--capacities", "/nowhere"}, 2, []string{"--capacities /nowhere: no such file"}},
		{[]string{"gtfs", "/nowhere", "-o", "yaml", "--capacity", "1"}, 1, []string{"/nowhere: no such file"}},
		{
			[]string{"gtfs", small, "-o", "yaml", "--capacities", unknown},
			1,
			[]string{"the capacities are for routes that the feed does not have: S9; it has D, IC, N, NJ, Nachtzug, S, Stadtbahn"},
		},
		{
			[]string{"gtfs", small, "-o", "yaml", "--capacity", "1", "--today", "2030-01-01"},
			1,
			[]string{"there is no train to import: none runs on 2030-01-01 or later; --shift-weeks"},
		},
	} {
		got := run(t, append([]string{"import"}, c.args...)...)
		require.Equal(t, c.code, got.Code, "%v: %s", c.args, got.Err)
		for _, want := range c.want {
			require.Contains(t, got.Err, want)
		}
		require.Empty(t, got.Out)
	}
}

func TestFeedOnStandardInputIsPrintedAsManifests(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	require.NoError(t, archive.AddFS(os.DirFS("../../gtfs/testdata/small")))
	require.NoError(t, archive.Close())
	c := processtest.Command(t, "import", "gtfs", "-", "-o", "yaml", "--capacity", "200", "--today", "2026-06-01", "--class", "rail")
	c.Stdin = &b
	got := processtest.RunToEnd(t, c)
	require.Zero(t, got.Code, got.Err)
	require.Equal(t, 8, strings.Count(got.Out, "kind: TrainSchedule\n"))
	require.Equal(t, 7, strings.Count(got.Out, "\n---\n"))
	require.Equal(t, 8, strings.Count(got.Out, "\n  class: rail\n"))
	require.Equal(t, "Feed NB Nordbahn, from 2026-06-01 on: 9 of 9 trips in 8 schedules.\n", got.Err)
}
