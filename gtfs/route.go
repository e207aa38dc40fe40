package gtfs

import (
	"slices"
	"strconv"
)

// route is a line: trains of one kind and one agency.
type route struct {
	id, short, long string
	kind            int // route_type
	agency          *agency
}

// keys returns what the route is called in filters and capacities.
func (r *route) keys() []string {
	return slices.DeleteFunc([]string{r.id, r.short, r.long}, func(key string) bool { return key == "" })
}

func (r *reader) routes(of *agencies) (map[string]*route, error) {
	t, err := r.required(routesFile, "route_id", "route_type")
	if err != nil {
		return nil, err
	}
	defer t.close()
	id, short, long := t.column("route_id"), t.column("route_short_name"), t.column("route_long_name")
	kind, agency := t.column("route_type"), t.column("agency_id")
	routes := map[string]*route{}
	for {
		more, err := t.next()
		if err != nil || !more {
			return routes, err
		}
		read := &route{id: t.id(id), short: tidy(t.get(short)), long: tidy(t.get(long)), agency: of.of(t.get(agency))}
		if read.kind, err = strconv.Atoi(t.get(kind)); err != nil {
			read.kind = -1
		}
		if reason := newID(routes, read.id); reason != "" {
			if err := t.fault(reason, read.id); err != nil {
				return nil, err
			}
			continue
		}
		routes[read.id] = read
	}
}

// newID returns why an id cannot be added, "" if it can.
func newID[V any](known map[string]V, id string) Reason {
	if _, twice := known[id]; twice {
		return idTwice
	}
	if id == "" {
		return noID
	}
	return ""
}
