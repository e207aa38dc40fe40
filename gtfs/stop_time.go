package gtfs

import (
	"strconv"

	"trainbooking.dev/booking"
)

// stopTimeReader reads stop_times.txt. The rows of a trip need not follow each other, nor be in order.
type stopTimeReader struct {
	*reader
	trips    *trips
	stops    *stops
	patterns map[string]string
	scratch  []byte
	// The trip of the rows that were read last.
	current   *trip
	currentID string
	rows      []call
}

type stopTimeColumns struct{ trip, stop, sequence, arrives, departs, pickup, dropOff int }

func (r *stopTimeReader) read() error {
	t, err := r.required(stopTimesFile, "trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time")
	if err != nil {
		return err
	}
	defer t.close()
	columns := stopTimeColumns{
		trip: t.column("trip_id"), stop: t.column("stop_id"), sequence: t.column("stop_sequence"),
		arrives: t.column("arrival_time"), departs: t.column("departure_time"),
		pickup: t.column("pickup_type"), dropOff: t.column("drop_off_type"),
	}
	r.patterns = map[string]string{}
	for {
		more, err := t.next()
		if err != nil {
			return err
		}
		if !more {
			r.keep()
			return nil
		}
		if err := r.add(t, columns); err != nil {
			return err
		}
	}
}

// add adds a row to its trip.
func (r *stopTimeReader) add(t *table, columns stopTimeColumns) error {
	if id := t.get(columns.trip); id != r.currentID || r.current == nil {
		r.keep()
		i, ok := r.trips.index[id]
		if !ok {
			if r.trips.filtered {
				return nil
			}
			return t.fault(unknownTrip, id)
		}
		r.current = &r.trips.all[i]
		r.currentID = r.current.id
	}
	sequence, err := strconv.ParseUint(t.get(columns.sequence), 10, 31)
	if err != nil {
		r.current.calls.problem = BadTime
		return t.fault(badSequence, r.currentID)
	}
	c := call{sequence: uint32(sequence)}
	var ok1, ok2, known bool
	c.arrives, ok1 = parseClock(t.get(columns.arrives))
	c.departs, ok2 = parseClock(t.get(columns.departs))
	c.stop, known = r.stops.index[t.get(columns.stop)]
	switch {
	case !ok1 || !ok2:
		r.current.calls.problem = BadTime
	case !known:
		r.current.calls.problem = UnknownStop
	case len(r.rows) >= maxCalls || len(r.current.calls.scattered) > 8*maxCalls:
		r.current.calls.problem = TooManyStops
	default:
		c.forbidden = forbiddenBy(t.get(columns.pickup), boarding) | forbiddenBy(t.get(columns.dropOff), leaving)
		r.rows = append(r.rows, c)
	}
	return nil
}

// keep stores the rows of the current trip with it.
func (r *stopTimeReader) keep() {
	if r.current != nil && len(r.rows) > 0 && r.current.calls.problem == "" {
		r.scratch = r.current.calls.keep(r.rows, r.scratch, r.patterns)
	}
	r.current, r.currentID, r.rows = nil, "", r.rows[:0]
}

// forbiddenBy returns what a pickup_type or drop_off_type forbids. 2 and 3 are arranged with the railway,
// as a ticket is.
func forbiddenBy(kind string, what permissions) permissions {
	if kind == "1" {
		return what
	}
	return 0
}

// parseClock reads a time of the form 8:05:00, 08:05:00 or 25:10:00. It is noTime if s is empty.
func parseClock(s string) (seconds int32, ok bool) {
	if s == "" {
		return noTime, true
	}
	if len(s) == len("08:05:00") && s[2] == ':' && s[5] == ':' { // nearly all, and millions of them
		h, m, s := digits(s[0:2]), digits(s[3:5]), digits(s[6:8])
		if h >= 0 && 0 <= m && m < 60 && 0 <= s && s < 60 {
			return h*3600 + m*60 + s, true
		}
		return 0, false
	}
	at, err := booking.ParseLocalTime(s)
	if err != nil || at.Offset() > booking.MaxLocalTime {
		return 0, false
	}
	return int32(at.Offset().Seconds()), true
}

// digits returns the number of two digits, or -1.
func digits(s string) int32 {
	if s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return -1
	}
	return int32(s[0]-'0')*10 + int32(s[1]-'0')
}
