package importer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/cmd/trainbooking/importer"
	"trainbooking.dev/gtfs"
)

const (
	workdays = "1,1,1,1,1,0,0"
	weekend  = "0,0,0,0,0,1,1"
)

func TestSecondImportChangesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := []trip{{number: "1", departs: "08:00"}, {number: "2", departs: "23:30"}, {number: "3", departs: "08:00", days: workdays}, {number: "3", departs: "09:30", days: weekend}}
	require.Equal(t, []string{"create Rajdhani 1", "create Rajdhani 2", "create Rajdhani 3", "create Rajdhani 3"}, imports(t, s, feed(t, first...), options(), false))
	require.Empty(t, imports(t, s, feed(t, first...), options(), true), "the trips have other ids, and nothing else is new")

	second := slices.Clone(first)
	second[0].departs, second[1].days = "08:12", workdays
	second = append(second, trip{number: "4", departs: "10:00"})
	require.Equal(t, []string{"change Rajdhani 1: stops or times", "change Rajdhani 2: days", "create Rajdhani 4"}, imports(t, s, feed(t, second...), options(), false))
	require.Empty(t, imports(t, s, feed(t, second...), options(), true))
	require.Equal(t, "08:12", scheduleOf(t, s, "Rajdhani 1").Stops[0].Departs.String())

	require.Equal(t, []string{"change Rajdhani 1: stops or times", "change Rajdhani 2: days", "end Rajdhani 4"}, imports(t, s, feed(t, first...), options(), true))
	require.Empty(t, imports(t, s, feed(t, first...), options(), true))
	require.Equal(t, []string{"change Rajdhani 1: stops or times", "change Rajdhani 2: days", "create Rajdhani 4"}, imports(t, s, feed(t, second...), options(), true),
		"a train that has ended comes back")
}

// scheduleOf returns the only schedule with a name.
func scheduleOf(t *testing.T, s booking.Schedules, name string) booking.ScheduleStatus {
	t.Helper()
	page, err := s.ListSchedules(t.Context(), booking.PageRequest{})
	require.NoError(t, err)
	items := slices.DeleteFunc(page.Items, func(status booking.ScheduleStatus) bool { return status.Name != name })
	require.Len(t, items, 1)
	return items[0]
}

func TestTrainKeepsItsScheduleWhenItChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after trip
		want          []string
	}{
		"earlier":       {trip{number: "1", departs: "08:00"}, trip{number: "1", departs: "07:31"}, []string{"change Rajdhani 1: stops or times"}},
		"much earlier":  {trip{number: "1", departs: "08:00"}, trip{number: "1", departs: "07:00"}, []string{"create Rajdhani 1", "end Rajdhani 1"}},
		"other number":  {trip{number: "1", departs: "08:00"}, trip{number: "2", departs: "08:00"}, []string{"change Rajdhani 2: name"}},
		"other stops":   {trip{number: "1", departs: "08:00"}, trip{number: "1", departs: "08:10", stops: "dpm"}, []string{"change Rajdhani 1: stops or times"}},
		"other train":   {trip{number: "1", departs: "08:00"}, trip{number: "2", departs: "08:05"}, []string{"create Rajdhani 2", "end Rajdhani 1"}},
		"no common day": {trip{number: "1", departs: "08:00", days: workdays}, trip{number: "1", departs: "08:05", days: weekend}, []string{"create Rajdhani 1", "end Rajdhani 1"}},
		"new days":      {trip{number: "1", departs: "08:00", days: workdays}, trip{number: "1", departs: "08:00", days: weekend}, []string{"change Rajdhani 1: days"}},
		"new past":      {trip{number: "1", departs: "08:00"}, trip{number: "1", departs: "08:00", from: today() - 1}, []string{}},
		"from tomorrow": {trip{number: "1", departs: "08:00"}, trip{number: "1", departs: "08:00", from: today() + 1}, []string{"change Rajdhani 1: days"}},
	} {
		s := newService(t)
		imports(t, s, feed(t, c.before), options(), true)
		require.Equal(t, c.want, imports(t, s, feed(t, c.after), options(), true), name)
		require.Empty(t, imports(t, s, feed(t, c.after), options(), true), name)
	}
}

func TestTheMostSimilarTrainKeepsTheSchedule(t *testing.T) {
	t.Parallel()
	s := newService(t)
	imports(t, s, feed(t, trip{number: "1", departs: "08:00"}, trip{number: "1", departs: "08:20"}), options(), true)
	page, err := s.ListSchedules(t.Context(), booking.PageRequest{})
	require.NoError(t, err)
	ids := map[string]booking.ScheduleID{}
	for _, status := range page.Items {
		ids[status.Stops[0].Departs.String()] = status.ID
	}
	require.Equal(t, []string{"create Rajdhani 1", "change Rajdhani 1: stops or times", "change Rajdhani 1: stops or times"},
		imports(t, s, feed(t, trip{number: "1", departs: "07:40"}, trip{number: "1", departs: "07:58"}, trip{number: "1", departs: "08:22"}), options(), true))
	for was, is := range map[string]string{"08:00": "07:58", "08:20": "08:22"} {
		status, err := s.FindSchedule(t.Context(), ids[was])
		require.NoError(t, err)
		require.Equal(t, is, status.Stops[0].Departs.String())
	}

	// The train of 08:00 comes back, whose id another train has now.
	require.Equal(t, []string{"create Rajdhani 1"}, imports(t, s, feed(t, trip{number: "1", departs: "07:40"}, trip{number: "1", departs: "07:58"},
		trip{number: "1", departs: "08:00"}, trip{number: "1", departs: "08:22"}), options(), true))
}

func TestChangeKeepsWhatAnAdminDecidedAndThePast(t *testing.T) {
	t.Parallel()
	s := newService(t)
	imports(t, s, feed(t, trip{number: "1", departs: "08:00"}), options(), true)
	schedule := *scheduleOf(t, s, "Rajdhani 1").Schedule
	schedule.OnSale = false
	_, _, err := s.PutSchedule(t.Context(), schedule)
	require.NoError(t, err)
	require.Empty(t, imports(t, s, feed(t, trip{number: "1", departs: "08:00"}), options(), true))

	require.Equal(t, []string{"change Rajdhani 1: days"}, imports(t, s, feed(t, trip{number: "1", departs: "08:00", from: today() + 3}), options(), true))
	got := scheduleOf(t, s, "Rajdhani 1")
	require.False(t, got.OnSale)
	require.True(t, got.Runs(today()-1), "it may still be running")
	require.False(t, got.Runs(today()))
	require.True(t, got.Runs(today()+3))

	o := options()
	o.Capacities.Default, o.SoldDaysAhead = 120, 50
	require.Equal(t, []string{"change Rajdhani 1: capacity, days ahead"}, imports(t, s, feed(t, trip{number: "1", departs: "08:00", from: today() + 3}), o, true))
}

func TestPruneEndsNoBookings(t *testing.T) {
	t.Parallel()
	s := newService(t)
	two := []trip{{number: "1", departs: "08:00"}, {number: "2", departs: "10:00"}}
	imports(t, s, feed(t, two...), options(), true)
	train := book(t, s, scheduleOf(t, s, "Rajdhani 2").ID, today()+7)

	table := read(t, feed(t, two[0]), options())
	plan, err := importer.NewPlan(t.Context(), s, table, importer.Options{})
	require.NoError(t, err)
	require.Empty(t, lines(t, plan))
	require.Equal(t, 1, plan.Left, "it stays on sale without prune")

	require.Equal(t, []string{"end Rajdhani 2: 1 departure with bookings stay"}, imports(t, s, feed(t, two[0]), options(), true))
	require.Len(t, listed(t, s), 1)
	kept, err := s.FindTrain(t.Context(), train)
	require.NoError(t, err)
	require.Equal(t, 1, kept.Booked)
	require.False(t, kept.Train.OnSale)
	_, err = s.FindTrain(t.Context(), train) // the day after has no bookings
	require.NoError(t, err)

	require.Equal(t, []string{"create Rajdhani 2"}, imports(t, s, feed(t, two...), options(), true))
	again, err := s.FindTrain(t.Context(), train)
	require.NoError(t, err)
	require.Equal(t, 1, again.Booked)
	require.True(t, again.Train.OnSale, "it is a departure again")
}

func TestPruneLeavesOtherSchedulesAlone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	own, err := s.CreateSchedule(t.Context(), booking.Schedule{
		Name: "Toy Train", Capacity: 10, OnSale: true, TimeZone: "Asia/Kolkata",
		Calendar: booking.Calendar{Days: booking.EveryDay, From: today(), Until: today() + 9},
		Stops:    []booking.StopTime{{Station: "A", Departs: booking.LocalTimeOf(0)}, {Station: "B", Arrives: booking.LocalTimeOf(0)}},
	})
	require.NoError(t, err)
	o := options()
	o.Source = "another company"
	imports(t, s, feed(t, trip{number: "7", departs: "08:00"}), o, true)
	imports(t, s, feed(t, trip{number: "1", departs: "08:00"}, trip{number: "B2", departs: "08:00", stops: "dp"}), options(), true)
	require.Len(t, listed(t, s), 4)

	o = options()
	o.Filter, o.Whole = gtfs.Filter{RouteTypes: []int{3}}, true
	require.Equal(t, []string{"create Bus B3", "end Bus B2"}, imports(t, s, feed(t, trip{number: "1", departs: "08:20"}, trip{number: "B3", departs: "08:00", stops: "da"}), o, true),
		"what the filter leaves out neither ends nor changes")
	require.Contains(t, listed(t, s), "Rajdhani 1")
	require.Equal(t, own.ID, listed(t, s)["Toy Train"].ID)
}

// failing fails after some changes.
type failing struct {
	booking.Schedules
	left int
}

func (f *failing) PutSchedule(ctx context.Context, schedule booking.Schedule) (booking.Schedule, bool, error) {
	if f.left--; f.left < 0 {
		return booking.Schedule{}, false, errors.New("the service is down")
	}
	return f.Schedules.PutSchedule(ctx, schedule)
}

func TestImportGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	s := newService(t)
	trips := []trip{{number: "1", departs: "08:00"}, {number: "2", departs: "08:00"}, {number: "3", departs: "08:00"}}
	for i := range trips {
		table := read(t, feed(t, trips...), options())
		plan, err := importer.NewPlan(t.Context(), s, table, importer.Options{})
		require.NoError(t, err)
		require.Equal(t, len(trips)-i, plan.Count(importer.Create))
		one := &failing{Schedules: s, left: 1}
		plan.Steps = plan.Steps[:min(i+1, len(plan.Steps))] // so that calls do not overlap
		err = plan.Apply(t.Context(), one, table, nil)
		require.NoError(t, err)
	}
	table := read(t, feed(t, trip{number: "9", departs: "08:00"}), options())
	plan, err := importer.NewPlan(t.Context(), s, table, importer.Options{})
	require.NoError(t, err)
	require.EqualError(t, plan.Apply(t.Context(), &failing{Schedules: s}, table, nil),
		"Rajdhani 9: the service is down; after 0 changes, and the next import does the rest")
	require.Empty(t, imports(t, s, feed(t, trips...), options(), true))
}

func TestSummaryCountsWhatIsDone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	imports(t, s, feed(t, trip{number: "1", departs: "08:00"}, trip{number: "2", departs: "08:00"}), options(), true)
	table := read(t, feed(t, trip{number: "1", departs: "08:00"}, trip{number: "3", departs: "09:00"}, trip{number: "4", departs: "09:00", stops: "d"}), options())
	plan, err := importer.NewPlan(t.Context(), s, table, importer.Options{})
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, importer.PrintReport(&b, table))
	require.NoError(t, plan.PrintSummary(&b, true))
	require.Regexp(t, `^Feed IR Indian Railways, from [-0-9]+ on: 2 of 3 trips in 2 schedules\.
Skipped: 1 trip\.
  has fewer than two stops at which anybody may board or leave: 1, such as [-0-9a-f]+
Schedules: 1 created, 0 changed, 1 unchanged, 0 ended \(nothing was changed: --dry-run\)\.
1 schedule of earlier imports not in the feed: still on sale, --prune ends them\.
$`, b.String())
}
