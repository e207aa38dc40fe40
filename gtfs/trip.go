package gtfs

import (
	"errors"
	"strings"

	"trainbooking.dev/booking"
)

// trip is one run of a train, on each date of a service.
type trip struct {
	id, number, headsign string
	route                *route
	service              *service
	calls                calls
	capacity             int32
	selected             bool // by the filter
}

// trips are those that may be sold, by id.
type trips struct {
	index map[string]int32 // nil when the feed was read
	all   []trip
	often map[int32][]interval // from frequencies.txt
	// filtered reports that trips are missing that the filter leaves out.
	filtered bool
}

// tripReader reads trips.txt.
type tripReader struct {
	*reader
	options  *Options
	routes   map[string]*route
	services map[string]*service
	check    *capacityCheck
	texts    map[string]string // each once
	trips    *trips
}

func (r *tripReader) read() (*trips, error) {
	t, err := r.required(tripsFile, "trip_id", "route_id", "service_id")
	if err != nil {
		return nil, err
	}
	defer t.close()
	columns := tripColumns{
		id: t.column("trip_id"), route: t.column("route_id"), service: t.column("service_id"),
		number: t.column("trip_short_name"), headsign: t.column("trip_headsign"),
	}
	r.trips = &trips{index: map[string]int32{}, often: map[int32][]interval{}}
	r.texts = map[string]string{}
	r.check = newCapacityCheck(&r.options.Capacities)
	for {
		more, err := t.next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if err := r.add(t, columns); err != nil {
			return nil, err
		}
	}
	if len(r.trips.all) == 0 && r.trips.filtered {
		return nil, errors.New("the feed has no trip of these route types, agencies and routes")
	}
	return r.trips, r.check.problem(&r.options.Capacities, r.routes)
}

type tripColumns struct{ id, route, service, number, headsign int }

// add adds the trip of a row, unless it is known already that it cannot be sold.
func (r *tripReader) add(t *table, columns tripColumns) error {
	id := t.id(columns.id)
	if id == "" {
		return t.fault(noID, t.get(columns.route))
	}
	number := tidy(t.get(columns.number))
	r.check.saw(number)
	route := r.routes[t.get(columns.route)]
	if route == nil {
		r.report.Trips++
		r.report.Skipped.add(UnknownRoute, 1, id)
		return t.fault("a route that is not in "+routesFile, id)
	}
	selected := r.options.Filter.selects(route)
	if !selected {
		r.report.Excluded++
		if !r.options.Whole {
			r.trips.filtered = true
			return nil
		}
	}
	read := trip{
		id: id, number: r.text(number), headsign: r.text(tidy(t.get(columns.headsign))), route: route,
		service: r.services[t.get(columns.service)], selected: selected,
		capacity: int32(min(r.options.Capacities.of(route, number), booking.MaxCapacity+1)), //nolint:gosec // bounded
	}
	if selected {
		r.report.Trips++
	}
	if _, twice := r.trips.index[id]; twice {
		r.report.skip(&read, TripTwice)
		return nil
	}
	r.trips.index[id] = int32(len(r.trips.all)) //nolint:gosec // maxRows
	r.trips.all = append(r.trips.all, read)
	return nil
}

// text returns one copy of equal strings.
func (r *tripReader) text(s string) string {
	if known, ok := r.texts[s]; ok {
		return known
	}
	s = strings.Clone(s)
	r.texts[s] = s
	return s
}
