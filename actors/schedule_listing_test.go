package actors_test

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// timetable is a simple catalogue: it generates every departure.
type timetable struct {
	now       time.Time
	revision  int64
	schedules map[booking.ScheduleID]persistence.StoredSchedule
	rows      map[booking.TrainID]booking.Train
}

// firstDay and days are the dates of the test; now is in their middle.
const (
	firstDay = booking.Date(2520)
	days     = 12
)

// TestCatalogueFindsTheDeparturesOfEverySchedule compares the index with all departures, after random
// changes and as time passes.
func TestCatalogueFindsTheDeparturesOfEverySchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := actors.NewCatalogue()
		m := &timetable{
			now:       (firstDay + days/2).Begins(time.UTC).Add(time.Duration(rapid.IntRange(0, 24).Draw(r, "hour")) * time.Hour),
			schedules: map[booking.ScheduleID]persistence.StoredSchedule{}, rows: map[booking.TrainID]booking.Train{},
		}
		for range rapid.IntRange(1, 20).Draw(r, "steps") {
			switch rapid.IntRange(0, 5).Draw(r, "step") {
			case 0, 1:
				c.ApplySchedule(m.changeSchedule(r), m.now)
			case 2, 3:
				if change, ok := m.changeRow(r); ok {
					c.Apply(change, m.now)
				}
			case 4:
				m.now = m.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(r, "hours")) * time.Hour)
				c.Expire(m.now)
			case 5:
				listed := slices.DeleteFunc(slices.Collect(maps.Values(m.schedules)), m.retired)
				c.LoadAll(slices.Collect(maps.Values(m.rows)), listed, m.now)
			}
			m.requireFinds(r, c)
		}
	})
}

var scheduleIDs = []booking.ScheduleID{
	booking.DerivedScheduleID("1"), booking.DerivedScheduleID("2"), booking.DerivedScheduleID("3"),
}

func (m *timetable) changeSchedule(r *rapid.T) persistence.StoredSchedule {
	m.revision++
	id := rapid.SampledFrom(scheduleIDs).Draw(r, "schedule")
	stored := persistence.StoredSchedule{Schedule: drawSchedule(r, id), Revision: m.revision, Defined: m.revision}
	if rapid.IntRange(0, 3).Draw(r, "deleted") == 0 {
		stored.Deletion = &persistence.ScheduleDeletion{At: m.now}
	}
	for d := firstDay; d < firstDay+days; d++ {
		if rapid.IntRange(0, 9).Draw(r, "cancelled") == 0 {
			stored.Cancelled = append(stored.Cancelled, d)
		}
	}
	m.schedules[id] = stored
	return stored
}

func drawSchedule(r *rapid.T, id booking.ScheduleID) booking.Schedule {
	at := func(hours int) booking.LocalTime { return booking.LocalTimeOf(time.Duration(hours) * time.Hour) }
	leaves := rapid.IntRange(0, 40).Draw(r, "leaves")
	s := booking.Schedule{
		ID: id, Name: "Scheduled", Capacity: 3, OnSale: rapid.IntRange(0, 4).Draw(r, "on sale") > 0,
		TimeZone: rapid.SampledFrom([]string{"UTC", "Asia/Kolkata", "America/New_York"}).Draw(r, "zone"),
		Calendar: booking.Calendar{
			Days: booking.EveryDay, From: firstDay, Until: firstDay + booking.Date(rapid.IntRange(0, days-1).Draw(r, "until")),
		},
		SoldDaysAhead: rapid.IntRange(0, 4).Draw(r, "ahead"), CreatedAt: noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(r, "age"))),
	}
	names := rapid.SampledFrom([][]string{{"A", "b", "C"}, {"A", "C"}, {"C", "B", "A"}, {"á", "d", "C"}}).Draw(r, "stations")
	for i, name := range names {
		stop := booking.StopTime{Station: name}
		if i < len(names)-1 && (i == 0 || rapid.Bool().Draw(r, "departs")) {
			stop.Departs = at(leaves + 5*i)
		}
		if i == len(names)-1 {
			stop.Arrives = at(leaves + 5*i)
		}
		s.Stops = append(s.Stops, stop)
	}
	return s
}

// changeRow makes a row of a departure, perhaps another than the schedule says, or removes it.
func (m *timetable) changeRow(r *rapid.T) (change persistence.ChangedTrain, ok bool) {
	m.revision++
	id := rapid.SampledFrom(scheduleIDs).Draw(r, "schedule")
	date := firstDay + booking.Date(rapid.IntRange(0, days-1).Draw(r, "date"))
	stored, found := m.schedules[id]
	if !found {
		return change, false
	}
	change.ID, change.Revision = id.Departure(date), m.revision
	if _, has := m.rows[change.ID]; has && rapid.Bool().Draw(r, "deleted") {
		delete(m.rows, change.ID)
		change.Deleted = true
		return change, true
	}
	change.Train = stored.Train(date)
	change.Follows, change.OnSale = stored.Defined, rapid.IntRange(0, 3).Draw(r, "withdrawn") > 0
	if rapid.IntRange(0, 2).Draw(r, "delayed") == 0 {
		for i := range change.Stops {
			for _, at := range []*time.Time{&change.Stops[i].ArrivesAt, &change.Stops[i].DepartsAt} {
				if !at.IsZero() {
					*at = at.Add(7 * time.Hour)
				}
			}
		}
	}
	if rapid.IntRange(0, 3).Draw(r, "renamed") == 0 {
		change.Stops[len(change.Stops)-1].Station = "E"
	}
	if retired(&change.Train, m.now) { // no store lists it
		return change, false
	}
	m.rows[change.ID] = change.Train
	return change, true
}

// departures returns every departure that is not retired, by date.
func (m *timetable) departures(id booking.ScheduleID) (all []booking.Train) {
	for date := firstDay; date < firstDay+days; date++ {
		train, found := m.departure(id, date)
		if found && !retired(&train, m.now) {
			all = append(all, train)
		}
	}
	return all
}

// retired reports whether the last departure of a schedule is retired.
func (m *timetable) retired(stored persistence.StoredSchedule) bool {
	last := stored.Train(stored.Until)
	return retired(&last, m.now)
}

func (m *timetable) departure(id booking.ScheduleID, date booking.Date) (booking.Train, bool) {
	// A row is forgotten when it retires, even if its schedule has later times by now.
	if row, has := m.rows[id.Departure(date)]; has && !retired(&row, m.now) {
		return row, true
	}
	stored := m.schedules[id]
	if stored.Stops == nil || stored.Deletion != nil || !stored.Runs(date) || slices.Contains(stored.Cancelled, date) {
		return booking.Train{}, false
	}
	if m.retired(stored) {
		return booking.Train{}, false
	}
	train := stored.Train(date)
	train.Follows = stored.Defined
	return train, true
}

func (m *timetable) requireFinds(r *rapid.T, c actors.Catalogue) {
	for _, segment := range [][2]string{{"A", "C"}, {"a", "B"}, {"B", "c"}, {"C", "A"}, {"D", "C"}, {"A", "E"}} {
		from, to := segment[0], segment[1]
		date := m.now.AddDate(0, 0, rapid.IntRange(-2, 2).Draw(r, "date"))
		var next, listed, ahead, onSale []booking.Train
		for _, id := range scheduleIDs {
			bookable := false
			for _, train := range m.departures(id) {
				legs, err := train.Segment(from, to)
				if err != nil {
					continue
				}
				sold := train.Sells(m.now) && !train.Departed(legs, m.now)
				if sold && !bookable {
					next, bookable = append(next, train), true
				}
				if train.Departure(legs).Format(time.DateOnly) != date.Format(time.DateOnly) {
					continue
				}
				listed = append(listed, train)
				if !train.Departed(legs, m.now) {
					ahead = append(ahead, train)
				}
				if sold {
					onSale = append(onSale, train)
				}
			}
		}
		query := booking.TrainQuery{From: from, To: to}
		requireDepartures(r, from, next, c.List(query, m.now).Items)
		requireDepartures(r, from, next, c.OnSale(from, to, time.Time{}, m.now))
		query.Page.Limit = 1
		require.Len(r, paged(c, query, func() time.Time { return m.now }), len(next))
		query = booking.TrainQuery{From: from, To: to, Date: date}
		requireDepartures(r, from, ahead, c.List(query, m.now).Items)
		requireDepartures(r, from, onSale, c.OnSale(from, to, date, m.now))
		query.Departed = true
		requireDepartures(r, from, listed, c.List(query, m.now).Items)
	}
	m.requireListsAll(r, c)
	for _, id := range scheduleIDs {
		for _, train := range m.departures(id) {
			found := c.Find(train.ID, m.now)
			require.NotNil(r, found)
			require.True(r, train.Same(found))
			require.Equal(r, train.Follows, found.Follows)
		}
	}
}

// requireDepartures compares trains in the order in which they leave a station.
func requireDepartures(r *rapid.T, from string, want []booking.Train, got []*booking.Train) {
	position := func(t *booking.Train) booking.Cursor {
		i := t.Position(from)
		return t.DeparturePosition(booking.Segment(i, i+1))
	}
	slices.SortFunc(want, func(a, b booking.Train) int { return position(&a).Compare(position(&b)) })
	var ids []booking.TrainID
	for i := range want {
		ids = append(ids, want[i].ID)
	}
	require.Equal(r, ids, idsOf(got))
	for i := range got {
		require.True(r, want[i].Same(got[i]))
	}
}

// requireListsAll compares the list of all trains: the next departure of each schedule that is not
// deleted, oldest schedule first.
func (m *timetable) requireListsAll(r *rapid.T, c actors.Catalogue) {
	var want []booking.TrainID
	ids := slices.Clone(scheduleIDs)
	slices.SortFunc(ids, func(a, b booking.ScheduleID) int {
		return cmp.Or(m.schedules[a].CreatedAt.Compare(m.schedules[b].CreatedAt), bytes.Compare(a[:], b[:]))
	})
	for _, id := range ids {
		stored := m.schedules[id]
		if stored.Stops == nil || stored.Deletion != nil || m.retired(stored) {
			continue
		}
		like := stored.Train(stored.From)
		for _, train := range m.departures(id) {
			if train.SameStations(&like) && train.Sells(m.now) && !train.Departed(train.Run(), m.now) {
				want = append(want, train.ID)
				break
			}
		}
	}
	require.Equal(r, want, idsOf(c.List(booking.TrainQuery{}, m.now).Items))
	query := booking.TrainQuery{Page: booking.PageRequest{Limit: 1}}
	require.Equal(r, want, paged(c, query, func() time.Time { return m.now }))
}

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
