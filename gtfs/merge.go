package gtfs

import (
	"cmp"
	"encoding/binary"
	"slices"

	"trainbooking.dev/booking"
)

// orderServices computes the calendars of the services that trips have, and puts them in an order that does
// not depend on how the feed calls them, unless they are equal.
func (t *Timetable) orderServices() {
	var used []*service
	for i := range t.trips.all {
		if s := t.trips.all[i].service; s != nil && s.calendar == nil {
			s.calendar = t.calendarOf(s.dates())
			used = append(used, s)
		}
	}
	slices.SortStableFunc(used, func(a, b *service) int { return compareCalendars(a.calendar, b.calendar) })
	for i, s := range used {
		s.order = int32(i)
	}
}

// calendarOf returns the calendar of dates. If it has too many exceptions, those of the past are left out.
func (t *Timetable) calendarOf(dates []booking.Date) *booking.Calendar {
	calendar := booking.CalendarOf(dates)
	if len(calendar.Exceptions) > booking.MaxExceptions {
		calendar = booking.CalendarOf(slices.DeleteFunc(dates, func(d booking.Date) bool { return d < t.Today }))
	}
	return &calendar
}

func compareCalendars(a, b *booking.Calendar) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Until, b.Until), cmp.Compare(a.Days, b.Days),
		slices.CompareFunc(a.Exceptions, b.Exceptions, func(a, b booking.Exception) int {
			return cmp.Compare(a.Date, b.Date)
		}))
}

// shared is a calendar of several runs, which are numbered as in a list.
type shared struct {
	calendar *booking.Calendar
	capacity int32
	runs     []int
}

// merger puts runs with the same content together.
type merger struct {
	timetable *Timetable
	known     map[string][]shared // by the services of the runs
}

// merge returns the trains of runs with the same content, ordered by service. Each train has runs with the
// same capacity that are never on the same day.
func (m *merger) merge(runs []run) []train {
	trains := make([]train, 0, 1)
	for n, s := range m.divide(runs) {
		first := runs[s.runs[0]]
		trip := &m.timetable.trips.all[first.trip]
		calls, _ := m.timetable.converter.convert(trip)
		one := train{
			run: first, calendar: s.calendar, id: m.timetable.idOf(first.content, n),
			name: m.timetable.visible(trip, calls, 0).Name, departs: calls[0].departs + first.shift,
		}
		for _, i := range s.runs {
			if runs[i].trip != one.trip {
				one.more = append(one.more, runs[i].trip)
			}
			one.selected = one.selected || m.timetable.trips.all[runs[i].trip].selected
		}
		trains = append(trains, one)
	}
	return trains
}

// divide distributes runs over calendars.
func (m *merger) divide(runs []run) []shared {
	if len(runs) == 1 {
		return []shared{{calendar: m.trip(runs[0]).service.calendar, runs: []int{0}}}
	}
	key := make([]byte, 0, 8*len(runs))
	for _, r := range runs {
		trip := m.trip(r)
		key = binary.BigEndian.AppendUint32(key, uint32(trip.service.order)) //nolint:gosec // not negative
		key = binary.BigEndian.AppendUint32(key, uint32(trip.capacity))      //nolint:gosec // not negative
	}
	if divided, ok := m.known[string(key)]; ok {
		return divided
	}
	var divided []shared
	for i, r := range runs {
		divided = m.distribute(divided, i, m.trip(r))
	}
	m.known[string(key)] = divided
	return divided
}

func (m *merger) trip(r run) *trip { return &m.timetable.trips.all[r.trip] }

// distribute adds a run to the first calendar that has none of its dates and can have them all, or else to
// a new one.
func (m *merger) distribute(divided []shared, i int, trip *trip) []shared {
	calendar := trip.service.calendar
	dates := slices.Collect(calendar.Departures(calendar.From, calendar.Until))
	for j := range divided {
		s := &divided[j]
		if s.capacity != trip.capacity || slices.ContainsFunc(dates, s.calendar.Runs) {
			continue
		}
		others := s.calendar.Departures(s.calendar.From, s.calendar.Until)
		both := m.timetable.calendarOf(slices.AppendSeq(slices.Clone(dates), others))
		if len(both.Exceptions) <= booking.MaxExceptions {
			s.calendar, s.runs = both, append(s.runs, i)
			return divided
		}
	}
	return append(divided, shared{calendar: calendar, capacity: trip.capacity, runs: []int{i}})
}
