package booking

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// The bounds of a train.
const (
	MaxCapacity = 20_000
	MinStops    = 2
	MaxStops    = MaxLegs + 1
)

// Stop is a station where a train calls. The times are optional (zero: not given)
// and keep the UTC offset of the station.
type Stop struct {
	Station   string    `json:"station"`
	ArrivesAt time.Time `json:"arrives_at,omitzero"`
	DepartsAt time.Time `json:"departs_at,omitzero"`
}

// Train is one journey through its stops, with seats numbered 1 to Capacity. A Train that is
// shared is never modified; a change makes a new one.
type Train struct {
	ID       TrainID
	Name     string
	Capacity int
	Stops    []Stop
	OnSale   bool
	// SalesOpenAt is when sales begin, in UTC and microseconds; zero: at once.
	SalesOpenAt time.Time
	CreatedAt   time.Time // UTC
	UpdatedAt   time.Time // UTC
	// Follows is the revision of the schedule that a departure follows; 0 for every other train.
	Follows int64
}

// Incarnation tells apart the trains that had one id one after another: a deleted train may be
// created again.
type Incarnation int64

// Incarnation returns a number that differs from that of a deleted train with the same id.
func (t *Train) Incarnation() Incarnation { return Incarnation(t.CreatedAt.UnixMicro()) }

// Clean returns the train with its names trimmed and in NFC and SalesOpenAt in UTC, or an invalid_request
// error with every invalid field. It does not check the id, and of the names only what
// every train keeps to: see CheckNames.
func (t Train) Clean() (Train, error) {
	fields := map[string]string{}
	name, problem := CleanText(t.Name, 1, MaxName)
	if problem != "" {
		fields["name"] = problem
	}
	t.Name = name
	if t.Capacity < 1 || t.Capacity > MaxCapacity {
		fields["capacity"] = fmt.Sprintf("must be 1 to %d", MaxCapacity)
	}
	t.Stops = cleanStops(t.Stops, fields)
	if opens := t.SalesOpenAt.UTC().Truncate(time.Microsecond); !t.SalesOpenAt.IsZero() {
		if opens.UnixMicro() <= 0 || opens.After(lastTime) { // not every encoding has it
			fields["sales_open_at"] = "must be in the years 1970 to 9999 in UTC"
		}
		t.SalesOpenAt = opens
	}
	if err := Invalid(fields); err != nil {
		return Train{}, err
	}
	return t, nil
}

// CheckNames returns an invalid_request error with every name that CleanName refuses. A name that
// before has is allowed: it may be older than the rules. A new train has no before: nil.
func (t *Train) CheckNames(before *Train) error {
	fields := map[string]string{}
	check := func(field, name string, known bool) {
		if _, problem := CleanName(name, 1, MaxName); problem != "" && !known {
			fields[field] = problem
		}
	}
	check("name", t.Name, before != nil && t.Name == before.Name)
	for i, s := range t.Stops {
		known := before != nil && slices.ContainsFunc(before.Stops, func(b Stop) bool { return b.Station == s.Station })
		check(fmt.Sprintf("stops[%d].station", i), s.Station, known)
	}
	return Invalid(fields)
}

func cleanStops(stops []Stop, fields map[string]string) []Stop {
	if len(stops) < MinStops || len(stops) > MaxStops {
		fields["stops"] = fmt.Sprintf("must be %d to %d", MinStops, MaxStops)
		return nil
	}
	clean := slices.Clone(stops)
	cleanStations(clean, fields)
	checkTimes(clean, fields)
	return clean
}

func cleanStations(stops []Stop, fields map[string]string) {
	seen := make(map[string]int, len(stops))
	for i, s := range stops {
		field := fmt.Sprintf("stops[%d].station", i)
		station, problem := CleanText(s.Station, 1, MaxName)
		if problem != "" {
			fields[field] = problem
			continue
		}
		stops[i].Station = station
		key := Fold(station)
		if first, twice := seen[key]; twice {
			fields[field] = fmt.Sprintf("is the same station as stops[%d]", first)
			continue
		}
		seen[key] = i
	}
}

func checkTimes(stops []Stop, fields map[string]string) {
	var latest time.Time
	for i, s := range stops {
		for _, event := range []struct {
			field string
			time  time.Time
		}{{"arrives_at", s.ArrivesAt}, {"departs_at", s.DepartsAt}} {
			if event.time.IsZero() {
				continue
			}
			field := fmt.Sprintf("stops[%d].%s", i, event.field)
			if _, err := event.time.MarshalText(); err != nil {
				fields[field] = "must have a year and UTC offset that RFC 3339 allows"
			}
			if event.time.Before(latest) {
				fields[field] = "must not be before an earlier time of the train"
			}
			latest = event.time
		}
	}
}

// Position returns the position of the stop at station, or -1. It is the stop with that name, or else
// the first with that search key.
func (t *Train) Position(station string) int {
	if i := slices.IndexFunc(t.Stops, func(s Stop) bool { return s.Station == station }); i >= 0 {
		return i // most callers spell it as the train does
	}
	found, folded, key := -1, Fold(station), SearchKey(station)
	for i, s := range t.Stops {
		if !mayHaveKey(s.Station, key) || SearchKey(s.Station) != key {
			continue
		}
		if Fold(s.Station) == folded {
			return i
		}
		if found < 0 {
			found = i
		}
	}
	return found
}

// Run returns all legs of the train.
func (t *Train) Run() Legs { return Segment(0, len(t.Stops)-1) }

// Segment returns the legs between two stations; an empty from or to means the
// train's first or last stop. Errors: not_found for a station where the train does
// not call, invalid_request if to is not after from.
func (t *Train) Segment(from, to string) (Legs, error) {
	i, j := 0, len(t.Stops)-1
	if from != "" {
		i = t.Position(from)
	}
	if to != "" {
		j = t.Position(to)
	}
	switch {
	case i < 0:
		return 0, NotFound("station on this train: " + from)
	case j < 0:
		return 0, NotFound("station on this train: " + to)
	case j <= i:
		return 0, InvalidField("to", "must be a stop after from")
	}
	return Segment(i, j), nil
}

// Ends returns the stops where the segment begins and ends.
func (t *Train) Ends(segment Legs) (from, to Stop) {
	i, j := segment.Bounds()
	return t.Stops[i], t.Stops[j]
}

// RetireAfter is how long a train stays in lists and searches after its last time.
const RetireAfter = 24 * time.Hour

// RetiresAt returns when the train is retired: it then leaves lists and searches, and is only found
// by its id and in bookings. It is zero, never, for a train without times.
func (t *Train) RetiresAt() time.Time {
	for _, s := range slices.Backward(t.Stops) {
		for _, at := range []time.Time{s.DepartsAt, s.ArrivesAt} {
			if !at.IsZero() {
				return at.Add(RetireAfter).UTC()
			}
		}
	}
	return time.Time{}
}

// Sells reports whether the train is on sale at now and its sales have begun. Its departure is another
// matter: see Departed.
func (t *Train) Sells(now time.Time) bool { return t.OnSale && !now.Before(t.SalesOpenAt) }

// SaleEnded reports whether at now the train has left every stop at which a segment can begin.
func (t *Train) SaleEnded(now time.Time) bool {
	last := len(t.Stops) - 1
	return t.Departed(Segment(last-1, last), now)
}

// Departure returns when the train leaves the stop where the segment begins, as far as it is known:
// the departure there, or else the first time that is given from there on. It is zero if there is none.
func (t *Train) Departure(segment Legs) time.Time {
	i, _ := segment.Bounds()
	if at := t.Stops[i].DepartsAt; !at.IsZero() {
		return at
	}
	for _, s := range t.Stops[i:] {
		for _, at := range []time.Time{s.ArrivesAt, s.DepartsAt} {
			if !at.IsZero() {
				return at
			}
		}
	}
	return time.Time{}
}

// DeparturePosition returns the position of the train in ListDepartures: its Departure, or the last of
// all if that is zero, in microseconds and within the times of cursors.
func (t *Train) DeparturePosition(segment Legs) Cursor {
	at := t.Departure(segment).UTC().Truncate(time.Microsecond)
	switch first := (time.Time{}); {
	case at.Equal(first), at.After(lastTime):
		at = lastTime
	case at.Before(first):
		at = first
	}
	return Cursor{At: at, ID: uuid.UUID(t.ID)}
}

// Departed reports whether at now the train has left the stop where the segment begins.
func (t *Train) Departed(segment Legs, now time.Time) bool {
	at := t.Departure(segment)
	return !at.IsZero() && !now.Before(at)
}

// Same reports whether both trains are equal except for their ids and the times of creation
// and change. The UTC offsets of the stops' times must be equal too, because searches by date use
// them.
func (t *Train) Same(o *Train) bool {
	return t.Name == o.Name && t.Capacity == o.Capacity && t.OnSale == o.OnSale &&
		t.SalesOpenAt.Equal(o.SalesOpenAt) && t.SameStops(o) && sameTimes(t.Stops, o.Stops)
}

// sameTimes reports whether the stops have the same times with the same UTC offsets.
func sameTimes(a, b []Stop) bool {
	same := func(a, b time.Time) bool { return a.Equal(b) && offset(a) == offset(b) }
	return slices.EqualFunc(a, b, func(a, b Stop) bool {
		return same(a.ArrivesAt, b.ArrivesAt) && same(a.DepartsAt, b.DepartsAt)
	})
}

// offset returns the UTC offset in seconds.
func offset(at time.Time) int {
	_, seconds := at.Zone()
	return seconds
}

// SameStations reports whether both trains call at the same stations in the same order, whatever
// their times and spelling: their search keys are equal.
func (t *Train) SameStations(o *Train) bool {
	return slices.EqualFunc(t.Stops, o.Stops, func(a, b Stop) bool { return SearchKey(a.Station) == SearchKey(b.Station) })
}

// SameStops reports whether both trains call at the same stations at the same times. The UTC
// offsets may differ.
func (t *Train) SameStops(o *Train) bool {
	return slices.EqualFunc(t.Stops, o.Stops, func(a, b Stop) bool {
		return a.Station == b.Station && a.ArrivesAt.Equal(b.ArrivesAt) && a.DepartsAt.Equal(b.DepartsAt)
	})
}
