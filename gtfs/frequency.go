package gtfs

import (
	"fmt"
	"iter"
	"strconv"
)

// interval is a row of frequencies.txt: trains leave from start until before end, in seconds of the service
// day, headway seconds after each other. That is the plan whether or not exact_times promises it.
type interval struct{ start, end, headway int32 }

func (r *reader) frequencies(trips *trips) error {
	t, err := r.table(frequenciesFile, "trip_id", "start_time", "end_time", "headway_secs")
	if err != nil || t == nil {
		return err
	}
	defer t.close()
	id, start, end, headway := t.column("trip_id"), t.column("start_time"), t.column("end_time"), t.column("headway_secs")
	departures := 0
	for {
		more, err := t.next()
		if err != nil || !more {
			return err
		}
		i, ok := trips.index[t.get(id)]
		if !ok {
			if !trips.filtered {
				err = t.fault(unknownTrip, t.get(id))
			}
			if err != nil {
				return err
			}
			continue
		}
		row, ok := parseInterval(t.get(start), t.get(end), t.get(headway))
		if !ok {
			trips.all[i].calls.problem = BadTime
			if err := t.fault(badInterval, t.get(id)); err != nil {
				return err
			}
			continue
		}
		trips.often[i] = append(trips.often[i], row)
		if departures += int((row.end-row.start-1)/row.headway) + 1; departures > maxDepartures {
			return fmt.Errorf("%s has more than %d departures", frequenciesFile, maxDepartures)
		}
	}
}

func parseInterval(start, end, headway string) (row interval, ok bool) {
	from, ok1 := parseClock(start)
	until, ok2 := parseClock(end)
	seconds, err := strconv.ParseInt(headway, 10, 32)
	row = interval{from, until, int32(seconds)}
	return row, ok1 && ok2 && err == nil && start != "" && from < until && seconds > 0
}

// shifts returns by how many seconds the trains of a trip run later than stop_times.txt says: 0, unless it
// has frequencies. first is when the trip leaves its first stop there.
func (t *trips) shifts(trip, first int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		often, ok := t.often[trip]
		if !ok {
			yield(0)
			return
		}
		for _, row := range often {
			for at := row.start; at < row.end; at += row.headway {
				if !yield(at - first) {
					return
				}
			}
		}
	}
}
