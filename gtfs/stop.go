package gtfs

import "trainbooking.dev/booking"

// station is where trains call: a stop, or the station of which the stop is a platform.
type station struct {
	name string
	key  int32  // equal for names that passengers find as one, see booking.SearchKey
	zone string // "": that of the agency
}

// stops are the stations of the stops, which have numbers.
type stops struct {
	index    map[string]int32
	stations []station
}

// stopRow is a row of stops.txt.
type stopRow struct {
	id, name, zone, parent string
}

// maxParents is how many stops are above another: a boarding area has a platform, and that a station.
const maxParents = 4

func (r *reader) stops() (*stops, error) {
	t, err := r.required(stopsFile, "stop_id")
	if err != nil {
		return nil, err
	}
	defer t.close()
	id, name := t.column("stop_id"), t.column("stop_name")
	zone, parent := t.column("stop_timezone"), t.column("parent_station")
	var rows []stopRow
	index := map[string]int32{}
	for {
		more, err := t.next()
		if err != nil {
			return nil, err
		}
		if !more {
			return &stops{index: index, stations: stationsOf(rows, index)}, nil
		}
		row := stopRow{id: t.id(id), name: tidy(t.get(name)), zone: t.id(zone), parent: t.id(parent)}
		if reason := newID(index, row.id); reason != "" {
			if err := t.fault(reason, row.id); err != nil {
				return nil, err
			}
			continue
		}
		index[row.id] = int32(len(rows)) //nolint:gosec // maxRows
		rows = append(rows, row)
	}
}

func stationsOf(rows []stopRow, index map[string]int32) []station {
	keys := map[string]int32{}
	stations := make([]station, len(rows))
	for i := range rows {
		top := &rows[i]
		for range maxParents {
			above, ok := index[top.parent]
			if !ok {
				break
			}
			top = &rows[above]
		}
		s := station{name: top.name, zone: top.zone}
		if s.name == "" {
			s.name = rows[i].name
		}
		key := booking.SearchKey(s.name)
		if _, known := keys[key]; !known {
			keys[key] = int32(len(keys)) //nolint:gosec // maxRows
		}
		s.key = keys[key]
		stations[i] = s
	}
	return stations
}
