package gtfs

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"

	"trainbooking.dev/booking"
)

// Timetable is a feed that was read.
type Timetable struct {
	// Source is where the ids of the schedules come from: of an import with the same source, only what
	// changed has changed.
	Source string
	Today  booking.Date
	Report *Report

	options   Options
	trips     *trips
	converter *converter
	trains    []train
}

// run is a trip, or with frequencies one departure of it.
type run struct {
	content Content
	trip    int32
	shift   int32
}

// train is a run, for all those with the same content that run on other days.
type train struct {
	run
	calendar *booking.Calendar
	id       booking.ScheduleID
	name     string
	departs  int32
	more     []int32 // trips
	selected bool
}

// Trains returns the trains by name, departure and id.
func (t *Timetable) Trains() iter.Seq[Train] {
	return func(yield func(Train) bool) {
		for i := range t.trains {
			train := &t.trains[i]
			schedule, err := t.schedule(train)
			if err != nil {
				continue // build has removed it
			}
			if !yield(Train{Schedule: schedule, Trips: 1 + len(train.more), Selected: train.selected}) {
				return
			}
		}
	}
}

// build makes trains of the trips.
func (t *Timetable) build() error {
	runs := t.runs()
	slices.SortFunc(runs, func(a, b run) int { return t.compare(&a, &b) })
	merged := merger{timetable: t, known: map[string][]shared{}}
	for len(runs) > 0 {
		same := 1
		for same < len(runs) && runs[same].content == runs[0].content {
			same++
		}
		t.trains = append(t.trains, merged.merge(runs[:same])...)
		runs = runs[same:]
	}
	slices.SortFunc(t.trains, func(a, b train) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.departs, b.departs), bytes.Compare(a.id[:], b.id[:]))
	})
	return t.check()
}

// compare orders runs by content, and equal ones by their dates.
func (t *Timetable) compare(a, b *run) int {
	if c := bytes.Compare(a.content[:], b.content[:]); c != 0 {
		return c
	}
	first, second := &t.trips.all[a.trip], &t.trips.all[b.trip]
	return cmp.Or(cmp.Compare(first.service.order, second.service.order), cmp.Compare(first.id, second.id))
}

// runs returns the runs of the trips that can be sold, and counts the others.
func (t *Timetable) runs() (runs []run) {
	t.orderServices()
	for i := range t.trips.all {
		trip := &t.trips.all[i]
		if reason := t.unsold(trip); reason != "" {
			t.Report.skip(trip, reason)
			continue
		}
		calls, reason := t.converter.convert(trip)
		if reason != "" {
			t.Report.skip(trip, reason)
			continue
		}
		for reason, n := range t.converter.leftOut {
			if trip.selected {
				t.Report.LeftOut.add(reason, n, trip.id)
			}
		}
		for shift := range t.trips.shifts(int32(i), calls[0].departs) {
			schedule := t.visible(trip, calls, shift)
			one := run{content: ContentOf(&schedule), trip: int32(i), shift: shift} //nolint:gosec // maxRows
			runs = append(runs, one)
		}
	}
	return runs
}

var errTooMany = fmt.Errorf("the feed has more than %d trains: import a part of it",
	MaxTrains)

// unsold returns why a trip cannot be sold, as far as its row in trips.txt says.
func (t *Timetable) unsold(trip *trip) Reason {
	switch {
	case trip.service != nil && trip.service.calendar.Until == 0 && trip.service.past():
		return Ended
	case trip.service == nil || trip.service.calendar.Until == 0:
		return NoDates
	case trip.service.calendar.Until < t.Today:
		return Ended
	case len(trip.service.calendar.Exceptions) > booking.MaxExceptions:
		return TooIrregular
	case trip.capacity == 0 && trip.selected:
		return NoCapacity
	}
	return ""
}

// visible returns what passengers see of a train.
func (t *Timetable) visible(trip *trip, calls []call, shift int32) booking.Schedule {
	terminus := t.converter.stations[calls[len(calls)-1].stop].name
	zone := trip.route.agency.zone
	return booking.Schedule{
		Name: trainName(trip.route, trip.number, trip.headsign, terminus), TimeZone: zone,
		Stops: t.converter.stops(calls, shift, zone),
	}
}

// schedule returns the schedule of a train, clean, or an error of booking.
func (t *Timetable) schedule(of *train) (booking.Schedule, error) {
	trip := &t.trips.all[of.trip]
	calls, reason := t.converter.convert(trip)
	if reason != "" {
		return booking.Schedule{}, errors.New(string(reason))
	}
	s := t.visible(trip, calls, of.shift)
	s.ID, s.OnSale, s.SoldDaysAhead = of.id, true, t.options.SoldDaysAhead
	s.Capacity, s.Calendar = max(int(trip.capacity), 1), *of.calendar
	return s.Clean()
}

// check removes the trains whose schedules are not valid, and counts the others.
func (t *Timetable) check() error {
	if len(t.trains) > MaxTrains {
		return errTooMany
	}
	sold := make([]bool, len(t.trips.all))
	refused := map[int32]Reason{}
	t.trains = slices.DeleteFunc(t.trains, func(train train) bool {
		schedule, err := t.schedule(&train)
		if err == nil {
			err = schedule.CheckNames(nil)
		}
		for _, trip := range append(train.more, train.trip) {
			if err != nil {
				refused[trip] = Refused + ": " + Reason(problemOf(err))
			} else {
				sold[trip] = true
			}
		}
		if err == nil && train.selected {
			t.Report.Trains++
		}
		return err != nil
	})
	for i, ok := range sold {
		trip := &t.trips.all[i]
		if reason := refused[int32(i)]; reason != "" && !ok {
			t.Report.skip(trip, reason)
		} else if ok && trip.selected {
			t.Report.Sold++
		}
	}
	return nil
}

// problemOf returns the first invalid field of an error of booking, and why.
func problemOf(err error) string {
	e, ok := errors.AsType[*booking.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err.Error()
	}
	field := slices.Min(sortedKeys(e.Fields))
	return field + " " + e.Fields[field]
}

// idOf returns the id of a train: that of the nth with the same content.
func (t *Timetable) idOf(content Content, n int) booking.ScheduleID {
	name := hex.EncodeToString(content[:])
	if n > 0 {
		name += fmt.Sprintf("#%d", n)
	}
	return booking.ImportedScheduleID("gtfs:"+t.Source, name)
}
