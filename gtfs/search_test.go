package gtfs_test

import (
	"archive/zip"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
	"trainbooking.dev/gtfs/gtfstest"
)

// found returns the journeys that a search of schedules by date finds: for every pair of stops, in order.
func found(tb testing.TB, table *gtfs.Timetable, dates []string) gtfstest.Journeys {
	tb.Helper()
	all := gtfstest.Journeys{}
	for train := range table.Trains() {
		for i := range len(train.Stops) - 1 {
			segment := booking.Segment(i, i+1) // longer ones leave when it does
			for _, local := range dates {
				for day := range train.LeavingOn(segment, date(tb, local)) {
					for _, to := range train.Stops[i+1:] {
						all.Add(local, train.Stops[i].Station, to.Station, train.Departure(segment, day))
					}
				}
			}
		}
	}
	return all.Sort()
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
		"Caltrain": {gtfstest.Path("caltrain.zip"), 417, 185, 155},
		"BART":     {gtfstest.Path("bart.zip"), 417, 2525, 1599},
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

			want, got := gtfstest.Departures(t, folder, c.weeks, tenDates), found(t, table, tenDates)
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
