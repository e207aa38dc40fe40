package gtfs_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// twice returns the feed with a second trip that differs in its service.
func twice(service, calendar string) files {
	return small().and("trips.txt", "R1,"+service+",t2,Köln,9").
		and("stop_times.txt", "t2,,22:45:00,b,1\nt2,25:05:00,25:10:00,h,2\nt2,27:30:00,,k,3").and("calendar.txt", calendar)
}

func TestTripsThatDifferInTheirCalendarAreOneTrain(t *testing.T) {
	t.Parallel()
	feed := twice("january", "january,1,1,1,1,1,0,0,20270104,20270131").with("calendar_dates.txt",
		"service_id,date,exception_type\ndaily,20261225,2\njanuary,20270110,1\n")
	got := feed.train(t)
	require.Equal(t, 2, got.Trips)
	want := []string{}
	for d := date(t, "2026-12-01"); d <= date(t, "2027-01-29"); d++ {
		if s := d.String(); s <= "2026-12-31" && s != "2026-12-25" || s == "2027-01-10" || s >= "2027-01-04" && int(d.Weekday())%6 != 0 {
			want = append(want, s)
		}
	}
	require.Equal(t, want, days(&got.Calendar))
	require.Equal(t, small().train(t).ID, got.ID, "a new calendar is no new train")
}

func TestEqualTripsOnOneDayAreTwoTrains(t *testing.T) {
	t.Parallel()
	for name, feed := range map[string]files{
		"one service": twice("daily", "x,0,0,0,0,0,0,0,20261201,20261201"),
		"one day":     twice("eve", "eve,1,1,1,1,1,1,1,20261231,20270131"),
	} {
		trains := feed.trains(t, options(t))
		require.Len(t, trains, 2, name)
		require.NotEqual(t, trains[0].ID, trains[1].ID, name)
		require.Equal(t, usual, line(trains[0].Stops))
		require.Equal(t, usual, line(trains[1].Stops))
		ids := []booking.ScheduleID{trains[0].ID, trains[1].ID}
		require.Contains(t, ids, small().train(t).ID)
	}
}

func TestEqualTripsWithOtherCapacitiesAreTwoTrains(t *testing.T) {
	t.Parallel()
	feed := twice("january", "january,1,1,1,1,1,1,1,20270101,20270131").
		and("routes.txt", "R2,DB,ICE,InterCity Express,2").replace(t, "trips.txt", "R1,january", "R2,january")
	o := options(t)
	o.Capacities.Routes = map[string]int{"R2": 200}
	trains := feed.trains(t, o)
	require.Len(t, trains, 2)
	require.ElementsMatch(t, []int{200, 400}, []int{trains[0].Capacity, trains[1].Capacity})
	require.NotEqual(t, trains[0].ID, trains[1].ID)
}

func TestIDsFollowFromWhatPassengersSee(t *testing.T) {
	t.Parallel()
	id := small().train(t).ID
	renumbered := small().replace(t, "trips.txt", "t1", "2027-t77").replace(t, "stop_times.txt", "t1", "2027-t77").
		replace(t, "calendar.txt", "daily", "s9").replace(t, "trips.txt", "daily", "s9").
		replace(t, "routes.txt", "R1", "R8").replace(t, "trips.txt", "R1", "R8").
		replace(t, "calendar.txt", "20261231", "20271231")
	require.Equal(t, id, renumbered.train(t).ID)
	for name, other := range map[string]files{
		"time":   small().replace(t, "stop_times.txt", "25:10:00", "25:11:00"),
		"stop":   small().replace(t, "stop_times.txt", "25:05:00,25:10:00,h", "25:05:00,25:10:00,p"),
		"number": small().replace(t, "trips.txt", ",9", ",11"),
		"agency": small().replace(t, "agency.txt", "DB,Bahn", "SBB,Bahn"),
	} {
		require.NotEqual(t, id, other.train(t).ID, name)
	}
	o := options(t)
	o.Source = "mine"
	require.True(t, small().trains(t, o)[0].ID.ImportedFrom("gtfs:mine"))
}

func TestMergedCalendarsAreTheServiceDaysOfTheTrips(t *testing.T) {
	t.Parallel()
	first := date(t, "2026-12-01")
	rapid.Check(t, func(t *rapid.T) {
		feed := small().with("calendar.txt", "").with("trips.txt", "route_id,service_id,trip_id,trip_short_name\n")
		text, rows := "service_id,date,exception_type\n", ""
		want := map[booking.Date]int{}
		for i := range rapid.IntRange(1, 6).Draw(t, "trips") {
			for d := range booking.Date(20) {
				if rapid.IntRange(0, 3).Draw(t, "runs") == 0 {
					text += fmt.Sprintf("s%d,%s,1\n", i, compact(first+d))
					want[first+d]++
				}
			}
			feed = feed.and("trips.txt", fmt.Sprintf("R1,s%d,t%d,9", i, i))
			rows += fmt.Sprintf("t%d,,22:45:00,b,1\nt%d,27:30:00,,k,2\n", i, i)
		}
		feed = feed.with("calendar_dates.txt", text).with("stop_times.txt", small()["stop_times.txt"][:len("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n")]+rows)
		got := map[booking.Date]int{}
		opened, err := feed.open()
		require.NoError(t, err)
		table, err := gtfs.Read(context.Background(), opened, gtfs.Options{Today: first, Capacities: gtfs.Capacities{Default: 1}})
		require.NoError(t, err)
		for train := range table.Trains() {
			for d := range train.Departures(0, booking.LastDate) {
				got[d]++
			}
		}
		require.Equal(t, want, got)
	})
}

func TestExceptionsThatAreTooManySplitATrain(t *testing.T) {
	t.Parallel()
	feed := small().with("calendar.txt", "").with("trips.txt", "route_id,service_id,trip_id,trip_short_name\nR1,a,t1,9\nR1,b,t2,9\n").
		and("stop_times.txt", "t2,,22:45:00,b,1\nt2,25:05:00,25:10:00,h,2\nt2,27:30:00,,k,3")
	text, from := "service_id,date,exception_type\n", date(t, "2026-12-01")
	for i := range booking.Date(700) { // every fourth day, and two days later: every second, on no weekday more often
		text += "a," + compact(from+4*i) + ",1\nb," + compact(from+4*i+2) + ",1\n"
	}
	trains := feed.with("calendar_dates.txt", text).trains(t, options(t))
	require.Len(t, trains, 2)
	for _, train := range trains {
		require.LessOrEqual(t, len(train.Exceptions), booking.MaxExceptions)
		require.Len(t, days(&train.Calendar), 700)
	}
}

func TestFilterSelectsTrips(t *testing.T) {
	t.Parallel()
	feed := small().and("agency.txt", "VIP,Vip Bus,https://example.org,Europe/Berlin").
		and("routes.txt", "B7,VIP,7,Stadtbus,3", "R2,DB,RE 2,Regio,106").
		and("trips.txt", "B7,daily,t2,Paris,", "R2,daily,t3,Paris,").
		and("stop_times.txt", "t2,,8:00:00,b,1\nt2,9:00:00,,p,2", "t3,,8:00:00,b,1\nt3,9:00:00,,p,2", "t9,,8:00:00,b,1")
	for _, c := range []struct {
		filter gtfs.Filter
		want   []string
	}{
		{gtfs.Filter{}, []string{"7 to Paris", "ICE 9", "RE 2 to Paris"}},
		{gtfs.Filter{RouteTypes: []int{2}}, []string{"ICE 9", "RE 2 to Paris"}},
		{gtfs.Filter{RouteTypes: []int{106, 3}}, []string{"7 to Paris", "RE 2 to Paris"}},
		{gtfs.Filter{Agencies: []string{"VIP"}}, []string{"7 to Paris"}},
		{gtfs.Filter{Agencies: []string{"Bahn"}, Routes: []string{"RE 2", "7"}}, []string{"RE 2 to Paris"}},
		{gtfs.Filter{Routes: []string{"B7", "InterCity Express"}}, []string{"7 to Paris", "ICE 9"}},
	} {
		o := options(t)
		o.Filter = c.filter
		table := read(t, feed.folder(t), o)
		var names []string
		for train := range table.Trains() {
			names = append(names, train.Name)
			require.True(t, train.Selected)
		}
		require.Equal(t, c.want, names)
		require.Equal(t, 3-len(c.want), table.Report.Excluded)

		o.Whole = true
		whole := read(t, feed.folder(t), o)
		require.Equal(t, [2]int{len(c.want), len(c.want)}, [2]int{whole.Report.Trips, whole.Report.Trains})
		all := slices.Collect(whole.Trains())
		require.Len(t, all, 3)
		for _, train := range all {
			require.Equal(t, slices.Contains(c.want, train.Name), train.Selected)
		}
	}
	o := options(t)
	o.Filter.Routes = []string{"R9"}
	_, err := gtfs.Read(t.Context(), feed.folder(t), o)
	require.EqualError(t, err, "the feed has no trip of these route types, agencies and routes")
}

func TestCapacityIsThatOfTheTrainOrElseOfTheRouteOrElseOfTheType(t *testing.T) {
	t.Parallel()
	full := gtfs.Capacities{
		Trains: map[string]int{"9": 1}, Routes: map[string]int{"R1": 2}, RouteTypes: map[int]int{2: 3}, Default: 4,
	}
	capacity := func(change func(*gtfs.Capacities)) int {
		o := options(t)
		o.Capacities = full
		change(&o.Capacities)
		return small().trains(t, o)[0].Capacity
	}
	require.Equal(t, 1, capacity(func(*gtfs.Capacities) {}))
	require.Equal(t, 2, capacity(func(c *gtfs.Capacities) { c.Trains = nil }))
	require.Equal(t, 3, capacity(func(c *gtfs.Capacities) { c.Trains, c.Routes = nil, nil }))
	require.Equal(t, 4, capacity(func(c *gtfs.Capacities) { *c = gtfs.Capacities{Default: 4} }))

	for _, c := range []struct {
		capacities gtfs.Capacities
		want       string
	}{
		{gtfs.Capacities{Trains: map[string]int{"9": 1, "7": 1, "8": 1}}, "the capacities are for trains that the feed does not have: 7, 8; it has 9"},
		{gtfs.Capacities{Routes: map[string]int{"R2": 1}}, "the capacities are for routes that the feed does not have: R2; it has ICE, InterCity Express, R1"},
		{gtfs.Capacities{RouteTypes: map[int]int{3: 1}}, "the capacities are for route types that the feed does not have: 3; it has 2"},
	} {
		o := options(t)
		o.Capacities = c.capacities
		_, err := gtfs.Read(t.Context(), small().folder(t), o)
		require.EqualError(t, err, c.want)
	}

	o := options(t)
	o.Capacities = gtfs.Capacities{}
	table := read(t, small().folder(t), o)
	require.Equal(t, 1, table.Report.Skipped[gtfs.NoCapacity].Count)
}

func TestWeeksMoveTheServiceDays(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Weeks, o.Today = 2, 0
	o.Now = date(t, "2026-12-20").Begins(berlin(t))
	require.Equal(t, date(t, "2026-12-20"), read(t, small().folder(t), o).Today)
	train := small().trains(t, o)[0]
	require.Equal(t, []booking.Date{date(t, "2026-12-15"), date(t, "2027-01-14")}, []booking.Date{train.From, train.Until})
}
