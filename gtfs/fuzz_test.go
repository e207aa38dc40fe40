package gtfs_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// FuzzFeed replaces files of a feed by any text. Whatever is sold is valid, and every trip is counted once.
func FuzzFeed(f *testing.F) {
	for name, text := range small() {
		f.Add(name, text, "calendar_dates.txt", "service_id,date,exception_type\ndaily,20261224,2\n")
		f.Add(name, text, "frequencies.txt", "trip_id,start_time,end_time,headway_secs\nt1,8:00:00,9:00:00,600\n")
	}
	f.Add("stop_times.txt", stopTimes("t1,,10:00:00,b,1,1,0", "t1,,,h,2,0,1", "t1,,11:00:00,p,3,,", "t1,12:00:00,,k,4,,"), "stops.txt",
		"stop_id,stop_name,stop_timezone,parent_station\nb,\"B\",,\nh,X,Europe/London,b\np,Paris,,\nk,K\u00f6ln,,\n")
	f.Fuzz(func(t *testing.T, name1, text1, name2, text2 string) {
		feed, err := small().with(name1, text1).with(name2, text2).open()
		if err != nil {
			return // no names of files
		}
		table, err := gtfs.Read(context.Background(), feed, options(t))
		if err != nil {
			return
		}
		report, trains := table.Report, 0
		require.Equal(t, report.Trips, report.Sold+report.Skipped.Total())
		ids := map[booking.ScheduleID]bool{}
		for train := range table.Trains() {
			trains++
			require.False(t, ids[train.ID])
			ids[train.ID] = true
			clean, err := train.Clean()
			require.NoError(t, err)
			require.Equal(t, clean, train.Schedule)
			require.NoError(t, train.CheckNames(nil))
			require.GreaterOrEqual(t, train.Until, table.Today)
		}
		require.Equal(t, report.Trains, trains)
	})
}

// FuzzArchive reads any bytes as an archive.
func FuzzArchive(f *testing.F) {
	f.Add([]byte("PK\x05\x06"))
	f.Add([]byte("PK\x03\x04\x14\x00\x08\x00"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		feed, err := gtfs.OpenZip(bytes.NewReader(archive), int64(len(archive)))
		if err == nil {
			_, err = gtfs.Read(context.Background(), feed, options(t))
			require.Error(t, err, "it has no timetable")
		}
	})
}
