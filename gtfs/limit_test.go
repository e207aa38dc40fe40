package gtfs_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/gtfs"
)

func TestFeedIsFoundInAnArchive(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"", "feed/"} {
		feed, err := openZip(small().with("__MACOSX/x", "?").with("readme.txt", "?").zip(t, folder))
		require.NoError(t, err)
		for train := range read(t, feed, options(t)).Trains() {
			require.Equal(t, small().train(t), train)
		}
	}
}

func TestArchiveThatIsNoFeedIsRefused(t *testing.T) {
	t.Parallel()
	two := files{"a/trips.txt": "x", "b/trips.txt": "x"}
	for name, c := range map[string]struct {
		archive []byte
		problem string
	}{
		"no archive":   {[]byte("trips.txt"), "the archive: zip: not a valid zip file"},
		"parent":       {small().with("../trips.txt", "x").zip(t, ""), `the archive has a file "../trips.txt", whose name leads out of it`},
		"from the top": {small().with("/etc/passwd", "x").zip(t, ""), `the archive has a file "/etc/passwd", whose name leads out of it`},
		"inner parent": {small().with("a/../trips.txt", "x").zip(t, ""), `the archive has a file "a/../trips.txt", whose name leads out of it`},
		"backslashes":  {small().with(`..\trips.txt`, "x").zip(t, ""), `the archive has a file "..\\trips.txt", whose name leads out of it`},
		"two feeds":    {two.zip(t, ""), "the archive has two feeds, in a/ and b/: unpack it, and import one folder"},
		"a file twice": {twiceTheSame(t), "the archive has stops.txt twice"},
		"names":        {manyNames(t), "the directory of the archive has more than 1 MB"},
	} {
		_, err := openZip(c.archive)
		require.EqualError(t, err, c.problem, name)
	}
	_, err := gtfs.OpenZip(bytes.NewReader(nil), gtfs.MaxArchive+1)
	require.EqualError(t, err, "the archive has more than 256 MB")
}

func twiceTheSame(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for range 2 {
		_, err := archive.Create("stops.txt")
		require.NoError(tb, err)
	}
	require.NoError(tb, archive.Close())
	return b.Bytes()
}

func manyNames(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for i := range 30_000 {
		_, err := archive.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i), Method: zip.Store})
		require.NoError(tb, err)
	}
	require.NoError(tb, archive.Close())
	return b.Bytes()
}

func TestFolderWithWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	_, err := gtfs.OpenFolder(fstest.MapFS{"stops.txt": {Mode: fs.ModeNamedPipe}})
	require.EqualError(t, err, "stops.txt is no regular file")
}

func TestFeedThatIsNoTimetableIsAnError(t *testing.T) {
	t.Parallel()
	feed := small()
	for _, c := range []struct {
		feed    files
		problem string
	}{
		{files{}, "the feed has no agency.txt"},
		{feed.with("stops.txt", ""), "the feed has no stops.txt"},
		{feed.with("stop_times.txt", ""), "the feed has no stop_times.txt"},
		{feed.with("calendar.txt", ""), "the feed has neither calendar.txt nor calendar_dates.txt"},
		{feed.with("stops.txt", "\n"), "stops.txt is empty"},
		{feed.with("stops.txt", "stop_name\n"), "stops.txt has no column stop_id"},
		{feed.with("agency.txt", "agency_timezone\n"), "agency.txt has no row, and so the times have no zone"},
		{feed.with("stops.txt", "\xff\xfes\x00"), "stops.txt is in UTF-16, and GTFS is in UTF-8"},
		{feed.replace(t, "stops.txt", "h,Han", `h,"Han`), `stops.txt, in the row of line 3: extraneous or missing " in quoted-field`},
		{feed.replace(t, "stops.txt", "h,Han", `h,"Han`+strings.Repeat("x", 300_000)), "stops.txt: a row has more than 64 kB: is a quote missing?"},
		{feed.with("stops.txt", strings.Repeat("x", 300_000)), "stops.txt: a row has more than 64 kB: is a quote missing?"},
		{feed.and("stops.txt", strings.Repeat("\n", 300_000)), "stops.txt: a row has more than 64 kB: is a quote missing?"},
		{feed.and("frequencies.txt", "trip_id,start_time,end_time,headway_secs", "t1,0:00:00,100:00:00,1"), "frequencies.txt has more than 200000 departures"},
	} {
		_, err := gtfs.Read(t.Context(), c.feed.folder(t), options(t))
		require.EqualError(t, err, c.problem)
	}
}

func TestBombEndsEarly(t *testing.T) {
	t.Parallel()
	bomb := small().zip(t, "")
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	old, err := zip.NewReader(bytes.NewReader(bomb), int64(len(bomb)))
	require.NoError(t, err)
	for _, entry := range old.File {
		if entry.Name != "stop_times.txt" {
			require.NoError(t, archive.Copy(entry))
		}
	}
	w, err := archive.Create("stop_times.txt")
	require.NoError(t, err)
	_, err = io.WriteString(w, small()["stop_times.txt"])
	require.NoError(t, err)
	row := bytes.Repeat([]byte("t1,,22:45:00,b,1\n"), 1<<16)
	for range 16 { // 18 MB in 0.03 MB
		_, err = w.Write(row)
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	feed, err := openZip(b.Bytes())
	require.NoError(t, err)
	_, err = gtfs.Read(t.Context(), feed, options(t))
	require.EqualError(t, err, "stop_times.txt: it is more than 200 times larger than in the archive")
}

// endless is a folder in which one file has more and more rows, and counts what is read of it.
type endless struct {
	fs.FS
	name string
	row  func(i int) string
	read int
}

func (e *endless) Open(name string) (fs.File, error) {
	file, err := e.FS.Open(name)
	if err != nil || name != e.name {
		return file, err
	}
	return &endlessFile{File: file, of: e}, nil
}

type endlessFile struct {
	fs.File
	of   *endless
	rest []byte
	rows int
}

func (f *endlessFile) Read(p []byte) (int, error) {
	if n, err := f.File.Read(p); n > 0 && err == nil {
		return n, nil
	}
	for len(f.rest) < len(p) {
		f.rest = append(f.rest, f.of.row(f.rows)...)
		f.rows++
	}
	n := copy(p, f.rest)
	f.rest = append(f.rest[:0], f.rest[n:]...)
	f.of.read += n
	return n, nil
}

func TestEndlessNonsenseEndsWithAnError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, row string
		want      string
	}{
		{"stop_times.txt", "x,y,z,v,w\n", "stop_times.txt has more than 10000 rows that are wrong; the last one, in line 10005: a trip that is not in trips.txt"},
		{"stop_times.txt", "t1,y,z,v,w\n", "stop_times.txt has more than 10000 rows that are wrong; the last one, in line 10005: a stop_sequence that is none"},
		{"trips.txt", "x,y,z,v,w\n", "trips.txt has more than 10000 rows that are wrong; the last one, in line 10003: a route that is not in routes.txt"},
		{"stops.txt", ",\n", "stops.txt has more than 10000 rows that are wrong; the last one, in line 10006: a row without an id, or with one that is too long"},
		{"routes.txt", "R1\n", "routes.txt has more than 10000 rows that are wrong; the last one, in line 10003: an id for the second time"},
		{"calendar.txt", "never\n", "calendar.txt has more than 10000 rows that are wrong; the last one, in line 10003: a date or weekday that is none"},
		{"agency.txt", "x\n", "agency.txt has more than 10000 rows"},
		{"stops.txt", "s%d,X\n", "stops.txt has more than 150000 rows"},
		{"calendar.txt", "s%d,1,1,1,1,1,1,1,20261201,20261231\n", "calendar.txt has more than 50000 rows"},
		{"trips.txt", "R1,daily,t%d,,\n", "trips.txt has more than 400000 rows"},
	} {
		folder := fstest.MapFS{}
		for name, text := range small() {
			folder[name] = &fstest.MapFile{Data: []byte(text)}
		}
		feed, err := gtfs.OpenFolder(&endless{FS: folder, name: c.file, row: func(i int) string {
			return strings.Replace(c.row, "%d", fmt.Sprint("x", i), 1)
		}})
		require.NoError(t, err)
		_, err = gtfs.Read(t.Context(), feed, options(t))
		require.EqualError(t, err, c.want)
	}
}

func TestInterruptedReadEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := gtfs.Read(ctx, small().folder(t), options(t))
	require.ErrorIs(t, err, context.Canceled)
}

// The rows of 30,000 trips, 33 MB of text in no order, take 14 MB; one slice of calls would take 40.
func TestLargeFeedTakesLessMemoryThanItsText(t *testing.T) { //nolint:paralleltest // it measures memory
	const trips, calls = 30_000, 20
	times := func(i int) string {
		trip, call := i*7919%trips, i/trips
		at := trip%1200*60 + call*300
		clock := fmt.Sprintf("%02d:%02d:00", at/3600, at/60%60)
		return fmt.Sprintf("trip-of-2026-%06d,%s,%s,s%d,%d,,0,0,%d.5,1\n", trip, clock, clock, (trip+call)%1000, call, call*1000)
	}
	stopsText := "stop_id,stop_name\n"
	for i := range 1000 {
		stopsText += fmt.Sprintf("s%d,Station %d\n", i, i)
	}
	tripsText := bytes.NewBufferString("route_id,service_id,trip_id,trip_short_name\n")
	for i := range trips {
		fmt.Fprintf(tripsText, "R1,daily,trip-of-2026-%06d,%d\n", i, i)
	}
	folder := fstest.MapFS{}
	for name, text := range small().with("stops.txt", stopsText).with("trips.txt", "") {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	folder["trips.txt"] = &fstest.MapFile{Data: tripsText.Bytes()}
	header := "trip_id,arrival_time,departure_time,stop_id,stop_sequence,stop_headsign,pickup_type,drop_off_type,shape_dist_traveled,timepoint\n"
	folder["stop_times.txt"] = &fstest.MapFile{Data: []byte(header)}
	feed, err := gtfs.OpenFolder(&finite{endless{FS: folder, name: "stop_times.txt", row: times}, trips * calls})
	require.NoError(t, err)

	before := heap()
	var most uint64
	o := options(t)
	steps := 0
	o.Progress = func(read, total int64) {
		if steps++; steps%10 == 0 {
			most = max(most, heap())
		}
		require.LessOrEqual(t, read, total)
	}
	table := read(t, feed, o)
	most = max(most, heap())
	require.Equal(t, trips, table.Report.Trains)
	require.Greater(t, steps, 30, "MB were read")
	grown := int(most - min(before, most))
	t.Logf("%d MB", grown>>20)
	require.Less(t, grown, 25<<20)
}

// heap returns how much memory is in use.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// finite is endless with an end.
type finite struct {
	endless
	rows int
}

func (f *finite) Open(name string) (fs.File, error) {
	file, err := f.endless.Open(name)
	if long, ok := file.(*endlessFile); ok {
		return &finiteFile{endlessFile: long, rows: f.rows}, nil
	}
	return file, err
}

type finiteFile struct {
	*endlessFile
	rows, next int
}

func (f *finiteFile) Read(p []byte) (int, error) {
	if n, err := f.File.Read(p); n > 0 && err == nil {
		return n, nil
	}
	for len(f.rest) < len(p) && f.next < f.rows {
		f.rest = append(f.rest, f.of.row(f.next)...)
		f.next++
	}
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.rest)
	f.rest = append(f.rest[:0], f.rest[n:]...)
	return n, nil
}
