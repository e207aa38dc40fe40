package importer

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// maxShift is how much earlier or later a train may leave its first station and still be the same.
const maxShift = 30 * time.Minute

// train is a train of the timetable, without its stops.
type train struct {
	index     int
	id        booking.ScheduleID
	name      string
	content   gtfs.Content
	run       gtfs.Content
	departs   booking.LocalTime
	capacity  int
	daysAhead int
	selected  bool
	calendar  booking.Calendar
	known     *known // nil: it is new, as far as is found
}

// matcher finds the schedules of trains.
type matcher struct {
	today  booking.Date
	source string
	trains []train
	known  []*known
	ids    map[booking.ScheduleID]bool
}

func newMatcher(t *gtfs.Timetable, all []*known) *matcher {
	m := &matcher{today: t.Today, source: sourceOf(t), known: all, ids: map[booking.ScheduleID]bool{}}
	for _, k := range all {
		m.ids[k.id] = true
	}
	for one := range t.Trains() {
		m.trains = append(m.trains, train{
			index: len(m.trains), id: one.ID, name: one.Name, content: gtfs.ContentOf(&one.Schedule), run: runOf(&one.Schedule),
			departs: one.Stops[0].Departs, capacity: one.Capacity, daysAhead: one.SoldDaysAhead,
			selected: one.Selected, calendar: one.Calendar,
		})
	}
	return m
}

// match finds the schedules that show the same to passengers, and then for what is left over the most
// similar ones.
func (m *matcher) match() {
	m.matchEqual(func(k *known, t *train) bool { return k.id == t.id })
	m.matchEqual(func(k *known, t *train) bool { return m.shareDay(k, t) })
	m.matchEqual(func(*known, *train) bool { return true })
	m.matchSimilar()
	m.matchIDs()
}

// matchEqual pairs trains and schedules with the same content that fit.
func (m *matcher) matchEqual(fit func(*known, *train) bool) {
	left := map[gtfs.Content][]*known{}
	for _, k := range m.known {
		if k.train == nil {
			left[k.content] = append(left[k.content], k)
		}
	}
	for i := range m.trains {
		t := &m.trains[i]
		if t.known != nil {
			continue
		}
		same := left[t.content]
		if j := slices.IndexFunc(same, func(k *known) bool { return fit(k, t) }); j >= 0 {
			pair(same[j], t)
			left[t.content] = slices.Delete(same, j, j+1)
		}
	}
}

func pair(k *known, t *train) { k.train, t.known = t, k }

// shareDay reports whether both run on a day from today on.
func (m *matcher) shareDay(k *known, t *train) bool {
	for date := range k.calendar.Departures(max(m.today, t.calendar.From), t.calendar.Until) {
		if t.calendar.Runs(date) {
			return true
		}
	}
	return false
}

// similar is a train and a schedule that may be the same.
type similar struct {
	known *known
	train *train
	shift time.Duration
}

// matchSimilar pairs what is left over and has the same name, or the same stops and times, and leaves at most
// maxShift apart on a common day: the most similar first.
func (m *matcher) matchSimilar() {
	names, runs := map[string][]*known{}, map[gtfs.Content][]*known{}
	for _, k := range m.known {
		if k.train == nil {
			names[k.name] = append(names[k.name], k)
			runs[k.run] = append(runs[k.run], k)
		}
	}
	var found []similar
	for i := range m.trains {
		t := &m.trains[i]
		if t.known != nil {
			continue
		}
		for _, k := range slices.Concat(names[t.name], runs[t.run]) {
			shift := (k.departs.Offset() - t.departs.Offset()).Abs()
			if shift <= maxShift && m.shareDay(k, t) {
				found = append(found, similar{k, t, shift})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b similar) int { return cmp.Compare(a.shift, b.shift) })
	for _, s := range found {
		if s.known.train == nil && s.train.known == nil {
			pair(s.known, s.train)
		}
	}
}

// matchIDs pairs what is left over and has the same id: a schedule that somebody has changed since.
func (m *matcher) matchIDs() {
	left := map[booking.ScheduleID]*known{}
	for _, k := range m.known {
		if k.train == nil {
			left[k.id] = k
		}
	}
	for i := range m.trains {
		t := &m.trains[i]
		if k := left[t.id]; k != nil && t.known == nil {
			pair(k, t)
		}
	}
}

// freeID returns an id for a new schedule: the one that follows from its content, unless a schedule has it
// that has become another train since.
func (m *matcher) freeID(id booking.ScheduleID) booking.ScheduleID {
	free := id
	for n := 1; m.ids[free]; n++ {
		free = booking.ImportedScheduleID(m.source, fmt.Sprintf("%s#%d", id, n))
	}
	m.ids[free] = true
	return free
}
