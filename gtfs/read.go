package gtfs

import (
	"context"
	"fmt"
	"time"

	"trainbooking.dev/booking"
)

// Options are how a feed is converted.
type Options struct {
	// Now is the time of the import. Trips that ran for the last time before its date, in the zone of the
	// feed, are skipped. Today, if it is not zero, is that date.
	Now   time.Time
	Today booking.Date
	// Weeks moves the service days of the feed, for one of the past: 100 is two years later.
	Weeks int
	// Source is where the ids of the schedules come from; "": what SourceOf makes of the agency.
	Source        string
	Capacities    Capacities
	SoldDaysAhead int
	Filter        Filter
	// Whole converts the trips that Filter leaves out too, as trains that are not Selected.
	Whole bool
	// Progress is called now and then with the number of bytes that were read, and their sum. May be nil.
	Progress func(read, total int64)
}

// Read reads a feed. It uses at most some hundred bytes of memory for each trip.
func Read(ctx context.Context, feed *Feed, o Options) (*Timetable, error) {
	r := &reader{ctx: ctx, feed: feed, report: &Report{Skipped: Counts{}, LeftOut: Counts{}, Rows: Counts{}}}
	r.progress = progressOf(feed, o.Progress)
	agencies, err := r.agencies()
	if err != nil {
		return nil, err
	}
	table := &Timetable{Source: o.Source, Report: r.report, options: o}
	if o.Source == "" {
		table.Source = agencies.source()
	}
	if table.Today = o.Today; o.Today == 0 {
		zone, err := time.LoadLocation(agencies.first.zone)
		if err != nil {
			return nil, fmt.Errorf("%s: the time zone %q: %w", agencyFile, agencies.first.zone, err)
		}
		table.Today = booking.DateOf(o.Now.In(zone))
	}
	if err := table.read(r, agencies); err != nil {
		return nil, err
	}
	if err := table.build(); err != nil {
		return nil, err
	}
	return table, nil
}

func (t *Timetable) read(r *reader, agencies *agencies) error {
	stops, err := r.stops()
	if err != nil {
		return err
	}
	routes, err := r.routes(agencies)
	if err != nil {
		return err
	}
	services, err := r.services(booking.Date(7 * t.options.Weeks)) //nolint:gosec // the caller checks it
	if err != nil {
		return err
	}
	trips := tripReader{reader: r, options: &t.options, routes: routes, services: services}
	if t.trips, err = trips.read(); err != nil {
		return err
	}
	if err := r.frequencies(t.trips); err != nil {
		return err
	}
	t.converter = &converter{stations: stops.stations, seen: map[int32]struct{}{}, leftOut: map[Reason]int{}}
	err = (&stopTimeReader{reader: r, trips: t.trips, stops: stops}).read()
	t.trips.index = nil
	return err
}

// required opens a file that every feed has.
func (r *reader) required(name string, columns ...string) (*table, error) {
	t, err := r.table(name, columns...)
	if err == nil && t == nil {
		err = fmt.Errorf("the feed has no %s", name)
	}
	return t, err
}

// progressStep is how often Options.Progress is called.
const progressStep = 1 << 20

func progressOf(feed *Feed, report func(read, total int64)) func(int64) {
	if report == nil {
		return func(int64) {}
	}
	var total, next int64
	for _, file := range feed.files {
		total += file.size
	}
	return func(read int64) {
		if read >= next {
			report(read, max(read, total))
			next = read + progressStep
		}
	}
}
