package persistence

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"trainbooking.dev/booking"
)

// The columns that all engines encode in the same way.

// EncodeLegs returns the value of the column for a set of legs. Its sign bit is never set.
func EncodeLegs(l booking.Legs) int64 { return int64(l) } //nolint:gosec // MaxLegs is 63

// DecodeLegs is the inverse of EncodeLegs.
func DecodeLegs(n int64) booking.Legs { return booking.Legs(n) } //nolint:gosec // as written

// EncodeList returns the value of the column for a slice, as JSON.
func EncodeList[T any](items []T) (string, error) {
	b, err := json.Marshal(items)
	if err != nil {
		return "", fmt.Errorf("encode list: %w", err)
	}
	return string(b), nil
}

// DecodeList is the inverse of EncodeList.
func DecodeList[T any](text string) (items []T, err error) {
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("decode list: %w", err)
	}
	return items, nil
}

// never is after every time at which a train with times retires.
var never = time.Date(11_000, 1, 1, 0, 0, 0, 0, time.UTC)

// LastPosition is after every train of ListTrains.
var LastPosition = booking.Cursor{At: never, ID: uuid.Max}

// EncodeRetirement returns the value of the column for when a train retires.
func EncodeRetirement(t *booking.Train) time.Time {
	if at := t.RetiresAt(); !at.IsZero() {
		return at.Truncate(time.Microsecond) // as engines store it
	}
	return never
}

// EncodeScheduleRetirement returns the value of the column for when a schedule retires: when the departure
// of its last date does.
func EncodeScheduleRetirement(s *booking.Schedule) time.Time {
	last := s.Train(s.Until)
	return EncodeRetirement(&last)
}

// scheduleDefinition is the column for the definition of a schedule, as JSON.
type scheduleDefinition struct {
	Name          string              `json:"name"`
	Capacity      int                 `json:"capacity"`
	OnSale        bool                `json:"on_sale"`
	TimeZone      string              `json:"time_zone"`
	Days          booking.Weekdays    `json:"days"` // the bit set
	From          booking.Date        `json:"from"`
	Until         booking.Date        `json:"until"`
	Exceptions    []booking.Exception `json:"exceptions,omitempty"`
	SoldDaysAhead int                 `json:"sold_days_ahead"`
	Stops         []booking.StopTime  `json:"stops"`
}

// EncodeSchedule returns the value of the column for the definition of a schedule: all but its id and
// the times of creation and change.
func EncodeSchedule(s *booking.Schedule) (string, error) {
	b, err := json.Marshal(scheduleDefinition{
		s.Name, s.Capacity, s.OnSale, s.TimeZone, s.Days, s.From, s.Until, s.Exceptions, s.SoldDaysAhead, s.Stops,
	})
	if err != nil {
		return "", fmt.Errorf("encode schedule: %w", err)
	}
	return string(b), nil
}

// DecodeSchedule is the inverse of EncodeSchedule.
func DecodeSchedule(text string) (booking.Schedule, error) {
	var d scheduleDefinition
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return booking.Schedule{}, fmt.Errorf("decode schedule: %w", err)
	}
	return booking.Schedule{
		Name: d.Name, Capacity: d.Capacity, OnSale: d.OnSale, TimeZone: d.TimeZone,
		Calendar:      booking.Calendar{Days: d.Days, From: d.From, Until: d.Until, Exceptions: d.Exceptions},
		SoldDaysAhead: d.SoldDaysAhead, Stops: d.Stops,
	}, nil
}

// EncodeDates returns the value of the column for dates: their day numbers.
func EncodeDates(dates []booking.Date) []int32 {
	days := make([]int32, len(dates))
	for i, date := range dates {
		days[i] = int32(date)
	}
	return days
}

// DecodeDates is the inverse of EncodeDates.
func DecodeDates(days []int32) []booking.Date {
	var dates []booking.Date
	for _, day := range days {
		dates = append(dates, booking.Date(day))
	}
	return dates
}

// StopsDecoder decodes the stops of the trains of one query. A process that starts decodes those of
// all trains, so it is fast, and equal stations and UTC offsets share their memory. The zero
// StopsDecoder is ready to use. It is not safe for concurrent use.
type StopsDecoder struct {
	stations map[string]string // by themselves
}

// Decode is the inverse of EncodeList for stops.
func (d *StopsDecoder) Decode(text string) (stops []booking.Stop, err error) {
	list := gjson.Parse(text)
	if !gjson.Valid(text) || !list.IsArray() {
		return nil, errors.New("decode stops: not a JSON array")
	}
	stops = make([]booking.Stop, 0, strings.Count(text, "{"))
	list.ForEach(func(_, item gjson.Result) bool {
		var stop booking.Stop
		item.ForEach(func(key, value gjson.Result) bool {
			switch key.String() {
			case "station":
				stop.Station = d.shared(value.String())
			case "arrives_at":
				stop.ArrivesAt, err = decodeTime(value.String())
			case "departs_at":
				stop.DepartsAt, err = decodeTime(value.String())
			}
			return err == nil
		})
		stops = append(stops, stop)
		return err == nil
	})
	if err != nil {
		return nil, fmt.Errorf("decode stops: %w", err)
	}
	return stops, nil
}

// shared returns a string equal to name, which may be a part of a whole row.
func (d *StopsDecoder) shared(name string) string {
	known, found := d.stations[name]
	if found {
		return known
	}
	if d.stations == nil {
		d.stations = map[string]string{}
	}
	name = strings.Clone(name)
	d.stations[name] = name
	return name
}

// zones are the locations of UTC offsets, by their text, such as +05:30.
var zones sync.Map

// decodeTime decodes a time in RFC 3339. It parses a time with a known offset as if it were in UTC, because package
// time allocates a location for each offset that it parses.
func decodeTime(text string) (time.Time, error) {
	n := max(0, len(text)-len("+05:30"))
	if zone, known := zones.Load(text[n:]); known {
		t, err := time.Parse(time.RFC3339Nano, text[:n]+"Z")
		t = t.In(zone.(*time.Location))
		_, offset := t.Zone()
		return t.Add(-time.Duration(offset) * time.Second), err
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if _, offset := t.Zone(); err == nil && text[len(text)-1] != 'Z' {
		zone := time.FixedZone("", offset)
		zones.Store(strings.Clone(text[n:]), zone)
		t = t.In(zone)
	}
	return t, err
}
