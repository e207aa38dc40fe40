package importer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/cmd/trainbooking/importer"
	"trainbooking.dev/gtfs"
	"trainbooking.dev/persistence/sqlite"
)

// newService starts a service.
func newService(tb testing.TB) *actors.System {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), tb.TempDir(), sqlite.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	require.NoError(tb, db.Migrate(tb.Context()))
	rules := booking.HoldRules{TTL: booking.DefaultHoldTTL, MaxSeats: booking.DefaultMaxHolds}
	s := actors.New(actors.Options{Store: db, Holds: db, Rules: rules})
	require.NoError(tb, s.Start(tb.Context()))
	tb.Cleanup(func() { require.NoError(tb, s.Stop(context.Background())) })
	return s
}

// trip is a trip of a feed from Delhi through Agra to Mumbai, which takes an hour to each.
type trip struct {
	number  string
	departs string // HH:MM
	days    string // as in calendar.txt; "": every day
	stops   string // "": dam
	from    booking.Date
}

// feed returns a feed with trips, whose ids are others in each feed.
func feed(tb testing.TB, trips ...trip) *gtfs.Feed {
	tb.Helper()
	tripsText := "route_id,service_id,trip_id,trip_short_name\n"
	times := "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
	calendar := "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
	prefix := uuid.NewString()
	for i, t := range trips {
		id := fmt.Sprintf("%s-%d", prefix, i)
		if t.days == "" {
			t.days = "1,1,1,1,1,1,1"
		}
		if t.stops == "" {
			t.stops = "dam"
		}
		if t.from == 0 {
			t.from = today() - 5
		}
		route := "R"
		if strings.HasPrefix(t.number, "B") {
			route = "B"
		}
		tripsText += route + "," + id + "," + id + "," + t.number + "\n"
		calendar += fmt.Sprintf("%s,%s,%s,%s\n", id, t.days, compact(t.from), compact(today()+50))
		departs, err := booking.ParseLocalTime(t.departs)
		require.NoError(tb, err)
		for n, stop := range t.stops {
			at := booking.LocalTimeOf(departs.Offset() + time.Duration(n)*time.Hour)
			times += fmt.Sprintf("%s,%s:00,%s:00,%c,%d\n", id, at, at, stop, n)
		}
	}
	folder := fstest.MapFS{}
	for name, text := range map[string]string{
		"agency.txt": "agency_id,agency_name,agency_timezone\nIR,Indian Railways,Asia/Kolkata\n",
		"stops.txt":  "stop_id,stop_name\nd,Delhi\na,Agra\nm,Mumbai\np,Pune\n",
		"routes.txt": "route_id,agency_id,route_short_name,route_type\nR,IR,Rajdhani,2\nB,IR,Bus,3\n",
		"trips.txt":  tripsText, "stop_times.txt": times, "calendar.txt": calendar,
	} {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	opened, err := gtfs.OpenFolder(folder)
	require.NoError(tb, err)
	return opened
}

func compact(d booking.Date) string { return strings.ReplaceAll(d.String(), "-", "") }

// today is the date in the zone of the feeds.
func today() booking.Date {
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		panic(err)
	}
	return booking.DateOf(time.Now().In(zone))
}

func options() gtfs.Options {
	return gtfs.Options{Today: today(), Capacities: gtfs.Capacities{Default: 100}, SoldDaysAhead: 40}
}

func read(tb testing.TB, f *gtfs.Feed, o gtfs.Options) *gtfs.Timetable {
	tb.Helper()
	table, err := gtfs.Read(tb.Context(), f, o)
	require.NoError(tb, err)
	return table
}

// imports imports a feed and returns what was done with each train: "create Rajdhani 1", without those
// that were kept.
func imports(tb testing.TB, s booking.Schedules, f *gtfs.Feed, o gtfs.Options, prune bool) []string {
	tb.Helper()
	table := read(tb, f, o)
	plan, err := importer.NewPlan(tb.Context(), s, table, importer.Options{Prune: prune})
	require.NoError(tb, err)
	done := 0
	require.NoError(tb, plan.Apply(tb.Context(), s, table, func(int) { done++ }))
	require.Equal(tb, len(plan.Steps)-plan.Count(importer.Keep), done)
	return lines(tb, plan)
}

// lines returns what a plan prints, without ids.
func lines(tb testing.TB, plan *importer.Plan) []string {
	tb.Helper()
	var b strings.Builder
	require.NoError(tb, plan.Print(&b))
	list := []string{}
	for line := range strings.Lines(b.String()) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 2)
		rest := strings.TrimSpace(fields[1])
		list = append(list, fields[0]+rest[len(uuid.Nil.String()):])
	}
	return list
}

// listed returns the schedules of a service by name.
func listed(tb testing.TB, s booking.Schedules) map[string]booking.ScheduleStatus {
	tb.Helper()
	page, err := s.ListSchedules(tb.Context(), booking.PageRequest{})
	require.NoError(tb, err)
	all := map[string]booking.ScheduleStatus{}
	for _, status := range page.Items {
		all[status.Name] = status
	}
	require.Len(tb, all, len(page.Items))
	return all
}

// book books a seat on a departure for the whole run.
func book(tb testing.TB, s booking.Service, schedule booking.ScheduleID, date booking.Date) booking.TrainID {
	tb.Helper()
	train, user := schedule.Departure(date), uuid.New()
	hold, err := s.Hold(tb.Context(), booking.HoldRequest{Train: train, User: user, Seats: []int{1}})
	require.NoError(tb, err)
	_, err = s.Confirm(tb.Context(), booking.HoldRef{Train: train, User: user, Hold: hold.ID})
	require.NoError(tb, err)
	return train
}
